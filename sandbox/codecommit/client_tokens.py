"""Client tokens: the same request with the same token is done once.

Source: API Reference, `clientRequestToken` of CreatePullRequest, PostCommentForPullRequest and PostCommentReply: with
the same parameters "the request returns information about the initial request that used that token", with others it is
refused. SDKs make one up where the caller has none.
"""

from __future__ import annotations

import json

from sandbox.calls import Call
from sandbox.codecommit.rules import fault


def client_token(call: Call) -> str:
    """Raises ClientRequestTokenRequiredException, InvalidClientRequestTokenException."""
    token = call.params.get("clientRequestToken")
    if token is None:
        raise fault(call, "ClientRequestTokenRequiredException")
    if not token:
        raise fault(call, "InvalidClientRequestTokenException")
    return str(token)


def asked(call: Call) -> str:
    """What a request asks for, to tell a retry from another request with its token."""
    params = {key: value for key, value in call.params.items() if key != "clientRequestToken"}
    return json.dumps([call.operation, params], sort_keys=True)
