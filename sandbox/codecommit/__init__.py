"""CodeCommit, backed by bare git repositories that git itself serves."""

from sandbox.codecommit.service import CodeCommit

__all__ = ["CodeCommit"]
