"""The stack's parameters: where they come from, and what is refused before AWS is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from account import parameters
from account.problem import Problem
from tests.account.resolved import Resolved

DECLARED = Resolved().template["Parameters"]
DEFAULTS = {name: form["Default"] for name, form in DECLARED.items()}


def test_the_command_line_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "org.yaml"
    file.write_text(
        "SubnetIds: [subnet-1, subnet-2]\nMandatoryTags: {Team: ml, Stage: all}\nRolePath: /a/\nKmsKeyArn:\n"
    )
    assert parameters.read(file, ["RolePath=/b/", "PackageIndex=https://x/?a=b"]) == {
        "SubnetIds": "subnet-1,subnet-2",
        "MandatoryTags": "Team=ml,Stage=all",
        "RolePath": "/b/",
        "KmsKeyArn": "",
        "PackageIndex": "https://x/?a=b",
    }


@pytest.mark.parametrize("text", ["- a", "RolePath: 7", "RolePath: yes", "RolePath: [", "RolePath: {a: [b: 1]}", "x"])
def test_a_file_that_cannot_be_used_is_one_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "org.yaml"
    file.write_text(text)
    with pytest.raises(Problem, match=r"org\.yaml") as caught:
        parameters.read(file, [])
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="cannot be read"):
        parameters.read(tmp_path / "none.yaml", [])
    with pytest.raises(Problem, match="write --set Name=Value"):
        parameters.read(None, ["RolePath"])


def test_what_is_not_given_stays_as_it_was() -> None:
    before = {"PackageIndex": "https://pypi.example.com", "MandatoryTags": "A=b", "OfAnOlderRelease": "x"}
    assert parameters.settle(DECLARED, before, {"MandatoryTags": ""}) == DEFAULTS | {
        "PackageIndex": "https://pypi.example.com"
    }


KEY = "arn:aws:kms:us-east-1:123456789012:alias/a"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"Subnets": "x"}, "there is no parameter Subnets; there are SubnetIds, "),
        ({"KmsKeyArn": KEY}, "KmsKeyArn is '.*'; it must be the ARN of a key"),
        ({"RolePath": "mlops"}, "it must be a path such as /mlops/"),
        ({"RolePath": "/" + "a" * 63 + "/"}, "RolePath is"),
        ({"PackageIndex": "https://me:secret@pypi.example.com"}, "holds no password"),
        ({"PackageIndex": "https://" + "a" * 249}, "at most 256 characters"),
        ({"SubnetIds": "subnet-1"}, "go together"),
        ({"SubnetIds": "s," * 16 + "s", "SecurityGroupIds": "g"}, "SubnetIds names 17; SageMaker takes at most 16"),
        ({"SubnetIds": "s", "SecurityGroupIds": "g,g,g,g,g,g"}, "SecurityGroupIds names 6; SageMaker takes at most 5"),
        ({"SecurityGroupIds": "sg-1"}, "go together"),
        ({"MandatoryTags": "Team"}, "write Key=Value"),
        ({"MandatoryTags": "aws:x=y"}, "write Key=Value"),
        ({"MandatoryTags": "AWS:x=y"}, "begin with aws: or mlops: are taken"),
        ({"MandatoryTags": "mlops:project=mine"}, "begin with aws: or mlops: are taken"),
        ({"MandatoryTags": ",".join(f"a{number}=" for number in range(41))}, "41 tags of .*; at most 40 of 2048"),
        ({"MandatoryTags": ",".join(f"a{number}={'x' * 255}" for number in range(8))}, "8 tags of 2.* together"),
        ({"MandatoryTags": 'Team="ml"'}, "write Key=Value"),
    ],
)
def test_what_the_template_does_not_take_is_refused(given: dict[str, str], words: str) -> None:
    with pytest.raises(Problem, match=words):
        parameters.settle(DECLARED, {}, given)


THEIRS = "arn:aws:kms:us-east-1:123456789012:key/theirs"


@pytest.mark.parametrize(
    ("name", "before", "given", "words"),
    [
        ("RolePath", "/mlops/", "/ml/", "RolePath is /mlops/ and cannot become /ml/: the roles of projects"),
        ("KmsKeyArn", "", THEIRS, f"KmsKeyArn is empty and cannot become {THEIRS}: what is in the bucket"),
        ("KmsKeyArn", THEIRS, "", f"KmsKeyArn is {THEIRS} and cannot become empty: what is in the bucket"),
    ],
)
def test_what_everything_that_is_there_depends_on_cannot_change(name: str, before: str, given: str, words: str) -> None:
    """Roles are allowed the stack's key alone, and each object needs the key that it was written with."""
    with pytest.raises(Problem, match=words):
        parameters.settle(DECLARED, {name: before}, {name: given})


def test_tags_may_hold_equals_signs_and_spaces() -> None:
    assert parameters.tags({"MandatoryTags": "Cost Centre=12, Query=a=b"}) == {"Cost Centre": "12", "Query": "a=b"}
