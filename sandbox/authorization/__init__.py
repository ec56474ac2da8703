"""What AWS authorizes of a call: the actions, each on its resources and with its condition keys.

One call may need several authorizations (a creation with tags, a role that is handed on, a key that S3 uses for the
caller). They are written into the call log, so that any IAM engine can evaluate the deployed policies over it. Nothing
is refused here.
"""

from sandbox.authorization.authorizations import authorizations
from sandbox.authorization.git import git_authorizations

__all__ = ["authorizations", "git_authorizations"]
