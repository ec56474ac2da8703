"""Packaging: the same sources, the same bytes; CloudFormation's limits; one release for template and stack."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from account import package as packaging
from account.functions import register
from account.package import package
from account.problem import Problem
from tests.account.resolved import Resolved

ROOT = Path(__file__).resolve().parents[2]


def test_the_same_sources_give_the_same_bytes(tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere"
    shutil.copytree(ROOT / "account", copy, ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "account.package"]
    seeds = ({"PYTHONHASHSEED": seed, "PYTHONDONTWRITEBYTECODE": "1"} for seed in ("1", "2"))
    texts = {
        subprocess.run(command, cwd=ROOT, env=seed, capture_output=True, check=True, text=True).stdout for seed in seeds
    }
    assert texts == {package() + "\n"} == {package(copy) + "\n"}


def test_the_function_is_in_it_as_it_is() -> None:
    code = json.loads(package())["Resources"]["Register"]["Properties"]["Code"]
    assert code == {"ZipFile": (ROOT / "account/functions/register.py").read_text("utf-8")}


def test_the_short_forms_are_the_long_ones(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(
        "Resources:\n  A:\n    Type: T\n    Properties:\n      B: [!Ref X, !GetAtt A.B.C, !Sub '${X}', !If [C, !Ref Y, 2026-01-01]]\n"
        "      D: !Transform {Name: N}\n"
    )
    properties = json.loads(package(tmp_path).replace("2026-01-01", "date"))["Resources"]["A"]["Properties"]
    assert properties["B"] == [
        {"Ref": "X"},
        {"Fn::GetAtt": ["A", "B.C"]},
        {"Fn::Sub": "${X}"},
        {"Fn::If": ["C", {"Ref": "Y"}, "date"]},
    ]
    assert properties["D"] == {"Fn::Transform": {"Name": "N"}}


@pytest.mark.parametrize(
    ("limit", "words"), [("TEMPLATE_BYTES", "the packaged template has"), ("ZIP_FILE_BYTES", "register.py has")]
)
def test_what_is_too_large_is_refused_before_it_is_sent(
    monkeypatch: pytest.MonkeyPatch, limit: str, words: str
) -> None:
    monkeypatch.setattr(packaging, limit, 1000)
    with pytest.raises(Problem, match=rf"{words} [\d,]+ bytes, and CloudFormation takes 1,000"):
        package()


def test_code_that_is_not_there_is_named(tmp_path: Path) -> None:
    shutil.copy(ROOT / "account/template.yaml", tmp_path)
    with pytest.raises(Problem, match="the code of Register is not there"):
        package(tmp_path)


def test_the_stack_is_of_the_templates_release() -> None:
    release = Resolved().template["Mappings"]["Release"]["This"]
    assert release["Version"] == json.loads((ROOT / "cookiecutter.json").read_text("utf-8"))["_version"]
    assert release["Interface"] == str(register.INTERFACE)


def test_what_is_not_set_has_no_parameter() -> None:
    """SSM cannot hold an empty value (API Reference, PutParameter: Value has at least one character)."""

    def published(**parameters: str) -> dict[str, tuple[str, str]]:
        found = [r["Properties"] for r in Resolved(parameters).resources.values() if r["Type"] == "AWS::SSM::Parameter"]
        return {each["Name"].removeprefix("/mlops/account/"): (each["Type"], each["Value"]) for each in found}

    always = {"version", "interface", "bucket", "kms-key", "registration-function", "role-path"}
    assert published().keys() == always
    assert all(value for _, value in published().values())
    assert published(SubnetIds="subnet-1").keys() == always  # one without the other is of no use
    everything = published(
        SubnetIds="subnet-1,subnet-2",
        SecurityGroupIds="sg-1",
        MandatoryTags="A=b,C=d",
        PackageIndex="https://pypi.example.com",
    )
    assert everything.keys() == always | {"subnets", "security-groups", "tags", "package-index"}
    assert everything["subnets"] == ("StringList", "subnet-1,subnet-2")
    assert everything["tags"] == ("StringList", "A=b,C=d")


def test_an_organisations_key_takes_the_place_of_the_stacks() -> None:
    theirs = "arn:aws:kms:us-east-1:123456789012:key/theirs"
    stack = Resolved({"KmsKeyArn": theirs})
    assert not {"Key", "KeyAlias"} & stack.resources.keys()
    assert str(stack.resources).count(theirs) >= 6  # bucket, its policy, log group, function, parameter, policies
    assert "'Fn::" not in str(stack.resources)
