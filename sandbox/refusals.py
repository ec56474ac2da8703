"""Which error a service gives for a request that breaks its model.

Most JSON services answer `ValidationException`; services whose operations declare their own exceptions for it
(botocore's
`errors` lists: CodeCommit's InvalidRepositoryNameException, CodeBuild's InvalidInputException, CloudWatch Logs'
InvalidParameterException) answer those; query services answer `ValidationError` ("Common errors" of IAM, STS,
CloudFormation).
"""

from __future__ import annotations

import re
from html import unescape

from moto.core.model import OperationModel

from sandbox.errors import AwsError
from sandbox.shapes import Violation, summary
from sandbox.wire import Target

_GENERAL = ("ValidationException", "InvalidParameterException", "InvalidInputException")

# CodeCommit declares an exception for each member, named by no strict rule.
_CODECOMMIT = {
    ("kmsKeyId", False): "EncryptionKeyInvalidIdException",
    ("commitIds", True): "CommitIdsListRequiredException",
    ("afterCommitSpecifier", True): "CommitRequiredException",
    ("sourceCommitSpecifier", True): "CommitRequiredException",
    ("destinationCommitSpecifier", True): "CommitRequiredException",
    ("content", True): "CommentContentRequiredException",
    ("tagKeys", True): "TagKeysListRequiredException",
    ("tagKeys", False): "InvalidTagKeysListException",
}


def refusal(target: Target, found: list[Violation]) -> AwsError:
    """The error for unmet constraints."""
    if target.service == "codecommit":
        return _codecommit(target.model, found[0])
    declared = {str(shape.name) for shape in target.model.error_shapes}
    if target.protocol in ("query", "ec2"):
        return AwsError("ValidationError", summary(found), 400)
    if target.service == "s3":
        return AwsError("InvalidArgument", summary(found), 400)
    code = next((name for name in _GENERAL if name in declared), "ValidationException")
    if target.service == "lambda":
        code = "ValidationException"
    return AwsError(code, summary(found), 400)


def _codecommit(model: OperationModel, violation: Violation) -> AwsError:
    member, shape = violation.path[-1], violation.shape
    declared = {str(error.name): error for error in model.error_shapes}
    stems = [
        member[0].upper() + member[1:],
        shape.name,
        shape.name.removesuffix("Enum"),
        shape.name.removesuffix("InputList"),
    ]
    template = "{}RequiredException" if violation.missing else "Invalid{}Exception"
    names = [_CODECOMMIT.get((member, violation.missing), ""), *(template.format(stem) for stem in stems)]
    for name in names:
        if name in declared:
            return AwsError(name, sentence(declared[name].documentation))
    return AwsError("InvalidParameterException", summary([violation]))


def sentence(documentation: str) -> str:
    """A model's HTML documentation as plain text."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", "", documentation or ""))).strip()
