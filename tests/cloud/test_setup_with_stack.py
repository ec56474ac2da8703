"""`mlops setup`, `doctor` and `teardown` in an account with the account stack: the project's four roles."""

import json
import shutil
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from sandbox.server import Sandbox
from tests.cloud.cloud_account import CloudAccount
from tests.setup.account import Account, State, incomplete
from tests.setup.faults import calls_since, end, fault, faults, until_it_hangs
from tests.setup.stage import Clone, Zygote
from tests.sweeps import some_of

pytestmark = pytest.mark.slow
SLUG = "tumor-diagnosis"
ROLES = [f"mlops-{SLUG}-{kind}" for kind in ("nonprod-ci", "nonprod-job", "prod-ci", "prod-job")]
GROUPS = [f"{SLUG}-{name}" for name in ("feature", "dev", "prod")]
STACK = "account stack mlops-account"


class Place:
    """The account, and a clone in it that can be put back to before its setup."""

    def __init__(self, cloud: CloudAccount, clone: Clone) -> None:
        self.cloud, self.clone, self.sandbox, self.account = cloud, clone, cloud.sandbox, clone.account
        self.ssm = cloud.client("ssm")
        self.as_generated = clone.state()

    def put_back(self) -> None:
        """Remove all of the project, with other means than mlops'."""
        self.sandbox.set_faults([])
        for name in self.roles():
            for policy in self.cloud.iam.list_role_policies(RoleName=name)["PolicyNames"]:
                self.cloud.iam.delete_role_policy(RoleName=name, PolicyName=policy)
            self.cloud.iam.delete_role(RoleName=name)
        self.account.remove_new({"repositories": {}, "groups": {}})
        self.clone.restore()

    def roles(self) -> list[str]:
        """The names of the project's roles."""
        pages = self.cloud.iam.get_paginator("list_roles").paginate()
        return sorted(
            role["RoleName"] for page in pages for role in page["Roles"] if role["RoleName"].startswith(f"mlops-{SLUG}")
        )

    def policies(self) -> dict[str, Any]:
        """What each role may do."""
        found = {name: self.cloud.iam.get_role_policy(RoleName=name, PolicyName="mlops") for name in self.roles()}
        return {name: policy["PolicyDocument"] for name, policy in found.items()}

    def nothing_is_there(self) -> bool:
        """Whether AWS and the clone are as before setup; if not, the test fails with what is left."""
        left: State = self.account.state()
        assert (left, self.roles()) == ({"repositories": {}, "groups": {}}, [])
        return self.clone.state() == self.as_generated

    def is_complete(self) -> bool:
        """Whether all is made and right; if not, the test fails saying what."""
        assert incomplete(self.account, self.clone.path, SLUG, self.clone.root_commit, "baseline") == []
        assert self.roles() == ROLES
        return True

    def findings(self) -> list[dict[str, str]]:
        """What doctor finds that is not in order."""
        found: list[dict[str, str]] = json.loads(self.clone.mlops("doctor", "--json").stdout)
        return [finding for finding in found if finding["state"] != "ok"]

    @contextmanager
    def publishing(self, name: str, value: str) -> Iterator[None]:
        """The account stack publishes another value, while the block runs."""
        key = f"/mlops/account/{name}"
        before = self.ssm.get_parameter(Name=key)["Parameter"]["Value"]
        self.ssm.put_parameter(Name=key, Value=value, Type="String", Overwrite=True)
        try:
            yield
        finally:
            self.ssm.put_parameter(Name=key, Value=before, Type="String", Overwrite=True)


@pytest.fixture(scope="module")
def deployed(
    running_sandbox: Sandbox, zygote: Zygote, bake_once: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    cloud = CloudAccount(running_sandbox)
    cloud.deploy()
    folder = tmp_path_factory.mktemp("with-stack")
    path = folder / SLUG
    shutil.copytree(bake_once(owner="vision@hospital.org"), path, symlinks=True)
    yield Place(cloud, Clone(path, Account(running_sandbox), zygote, folder))
    running_sandbox.set_faults([])
    running_sandbox.reset()


@pytest.fixture
def place(deployed: Place) -> Iterator[Place]:
    """The account with the stack and nothing else in it, and the clone as it was generated."""
    yield deployed
    deployed.put_back()


def actions(plan: str) -> list[tuple[str, str]]:
    return [(action["does"], action["name"]) for action in json.loads(plan)["actions"]]


def test_the_four_roles_are_planned_and_made_once(place: Place) -> None:
    plan = actions(place.clone.mlops("setup", "--json").stdout)
    assert plan[-4:] == [("create", role) for role in ROLES]
    assert place.nothing_is_there()
    done = place.clone.mlops("setup")
    assert (done.code, done.stderr) == (0, "")
    assert place.is_complete()
    start = len(place.sandbox.calls)
    done = place.clone.mlops("setup")
    assert (done.code, done.stderr) == (0, "")
    assert "Everything is there already." in done.stdout
    calls = calls_since(place.sandbox, start)
    changing = [call for call in calls if call[0] != "logs" and not call[1].startswith(("Get", "List", "Invoke"))]
    assert changing == []
    assert actions(place.clone.mlops("setup", "--json").stdout)[-4:] == [("exists", role) for role in ROLES]
    assert place.findings() == []


def test_what_somebody_changed_on_a_role_is_found_and_mended(place: Place) -> None:
    place.clone.mlops("setup")
    before = place.policies()
    place.cloud.iam.delete_role_policy(RoleName=ROLES[1], PolicyName="mlops")
    place.cloud.iam.tag_role(RoleName=ROLES[2], Tags=[{"Key": "mlops:environment", "Value": "nonprod"}])
    assert [(found["state"], found["what"], found["fix"]) for found in place.findings()] == [
        ("fail", f"IAM role {ROLES[1]}", "run: mlops setup"),
        ("fail", f"IAM role {ROLES[2]}", "run: mlops setup"),
    ]
    plan = actions(place.clone.mlops("setup", "--json").stdout)
    assert {name for does, name in plan if does == "create"} == {ROLES[1], ROLES[2]}
    done = place.clone.mlops("setup")
    assert (done.code, done.stderr) == (0, "")
    assert place.policies() == before
    assert place.findings() == []


def test_without_the_permission_to_register_the_rest_is_made(place: Place) -> None:
    with faults(place.sandbox, fault(("lambda", "Invoke", 1), "access-denied", None)):
        done = place.clone.mlops("setup")
    assert (done.code, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert any(
        line.startswith("There are no roles to train with on SageMaker: Invoke is not allowed: ") for line in lines
    )
    assert "Please give me the managed policy mlops-data-scientist of the stack mlops-account:" in done.stdout
    assert any(line.startswith("    who      arn:aws:iam::123456789012:user/developer, AWS account") for line in lines)
    assert incomplete(place.account, place.clone.path, SLUG, place.clone.root_commit, "baseline") == []
    assert place.roles() == []
    assert place.clone.mlops("setup").code == 0
    assert place.is_complete()


# Each call that the account stack adds, and those of the registration function's role.
CALLS = [
    ("ssm", "GetParametersByPath", 1),
    ("lambda", "Invoke", 1),
    ("lambda", "Invoke", 2),
    ("iam", "GetRole", 1),
    ("iam", "CreateRole", 1),
    ("iam", "CreateRole", 4),
    ("iam", "PutRolePolicy", 3),
]


@pytest.mark.parametrize("call", CALLS, ids=[f"{operation}-{number}" for _, operation, number in CALLS])
def test_a_call_that_fails_leaves_all_or_nothing(place: Place, call: tuple[str, str, int]) -> None:
    """For ever: nothing is left, or what is left is named. Once, in the next run: everything is made."""
    without_roles = {("ssm", "GetParametersByPath", 1), ("lambda", "Invoke", 1)}  # said to whom, and the rest is made
    with faults(place.sandbox, fault(call, "access-denied", None)):
        done = place.clone.mlops("setup")
    if call in without_roles:
        assert (done.code, place.roles()) == (0, [])
    else:
        (line,) = done.stderr.splitlines()
        assert done.code == 1
        assert "mlops setup" in line or "nothing was changed; call again" in line
        assert "Traceback" not in line
        assert place.nothing_is_there(), line
    for name in some_of(("no-answer", "dropped"), str(call), every=2):
        with faults(place.sandbox, fault(call, name)):
            done = place.clone.mlops("setup")
        assert (done.code, done.stderr) == (0, ""), name
        assert place.is_complete()
        place.put_back()


@pytest.mark.parametrize("number", [1, 2])
def test_a_function_that_is_down_leaves_nothing_untold(place: Place, number: int) -> None:
    with faults(place.sandbox, fault(("lambda", "Invoke", number), "server-error", None)):
        done = place.clone.mlops("setup")
    (line,) = done.stderr.splitlines()
    assert done.code == 1
    assert "Invoke failed: " in line
    if number == 2:  # the roles may have been made: it asks for their removal, and cannot be heard
        assert "could not be removed again: the IAM roles " in line
    assert place.nothing_is_there()
    assert place.clone.mlops("setup").code == 0
    assert place.is_complete()


def test_interrupted_while_the_roles_are_made_nothing_is_left(place: Place) -> None:
    call, start = ("lambda", "Invoke", 2), len(place.sandbox.calls)
    with faults(place.sandbox, fault(call, "hang-after")):
        process = place.clone.start("setup")
        until_it_hangs(place.sandbox, call, "hang-after", start)
        end(process, signal.SIGINT)
        done = place.clone.wait()
    assert (done.code, done.stderr) == (1, "interrupted; nothing was left behind. Next: mlops setup\n")
    assert place.nothing_is_there()


def test_teardown_removes_roles_and_pipelines_and_keeps_versions(place: Place) -> None:
    place.clone.mlops("setup")
    sagemaker = place.account.sagemaker
    for name, root in {f"{SLUG}-feature-x-12345678": place.clone.root_commit, f"{SLUG}-2-dev": "0" * 40}.items():
        make_pipeline(sagemaker, name, place.cloud.iam.get_role(RoleName=ROLES[1])["Role"]["Arn"], root)
    version = place.account.register(GROUPS[1])
    with faults(place.sandbox, fault(("lambda", "Invoke", 1), "access-denied", None)):
        plan = removals(place.clone.mlops("teardown", "--json").stdout)
    assert plan[f"mlops-{SLUG}-*"] == "keep"
    plan = removals(place.clone.mlops("teardown", "--json").stdout)
    assert plan == {
        f"{SLUG}-feature-x-12345678": "remove",
        GROUPS[0]: "remove",
        GROUPS[1]: "keep",
        GROUPS[2]: "remove",
        **dict.fromkeys(ROLES, "remove"),
        SLUG: "remove",
    }
    refused = fault(("lambda", "Invoke", 2), "access-denied")  # its version for administrators; these roles are new
    with faults(place.sandbox, refused):
        done = place.clone.mlops("teardown", "--yes")
    assert (done.code, done.stderr) == (0, "")
    assert place.roles() == []
    left = place.account.state()
    assert (left["repositories"], list(left["groups"])) == ({}, [GROUPS[1]])
    assert left["groups"][GROUPS[1]]["versions"] == [version]
    assert [found["PipelineName"] for found in sagemaker.list_pipelines()["PipelineSummaries"]] == [f"{SLUG}-2-dev"]
    assert "There is nothing to remove." in place.clone.mlops("teardown", "--yes").stdout
    sagemaker.delete_pipeline(PipelineName=f"{SLUG}-2-dev", ClientRequestToken="x" * 32)
    sagemaker.delete_model_package(ModelPackageName=version)


def make_pipeline(sagemaker: Any, name: str, role: str, root: str) -> None:
    step = {"Name": "No", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}
    definition = {"Version": "2020-12-01", "Parameters": [], "Steps": [step]}
    tags = [{"Key": "mlops:root-commit", "Value": root}]
    sagemaker.create_pipeline(
        PipelineName=name,
        PipelineDefinition=json.dumps(definition),
        RoleArn=role,
        Tags=tags,
        ClientRequestToken=name * 2,
    )


def removals(plan: str) -> Mapping[str, str]:
    return {removal["name"]: removal["does"] for removal in json.loads(plan)["removals"]}


def test_doctor_says_which_side_is_older(place: Place) -> None:
    place.clone.mlops("setup")
    release = json.loads((place.clone.path / ".template.json").read_text("utf-8"))["version"]
    for stack, older in {"0.0.1": "the stack", "99.0.0": "this repository"}.items():
        with place.publishing("version", stack):
            assert place.findings() == []
            lines = [line for line in place.clone.mlops("doctor").stdout.splitlines() if STACK in line]
        assert f"{stack}; this repository is of {release}: {older} is older, and both get along" in lines[0]
    with place.publishing("interface", "2"):  # which speaks ours
        assert (place.findings(), place.clone.mlops("setup", "--plan").code) == ([], 0)
    for interface, words in {
        "3": "take the newer template with: mlops update",
        "-1": "an administrator deploys the newer one with: make account",
    }.items():
        with place.publishing("interface", interface):
            (found,) = place.findings()
            said = place.clone.mlops("setup")
        assert (found["state"], found["what"]) == ("fail", STACK)
        assert words in found["detail"]
        assert (said.code, words in said.stdout) == (0, True)
        assert ("Please deploy the account stack" in said.stdout) == (interface == "-1")


def test_an_owner_with_a_hostile_name_is_registered(place: Place) -> None:
    """IAM refuses a tag with a quote: who is called so could not set anything up."""
    settings = place.clone.path / "mlops.yaml"
    text = settings.read_text("utf-8")
    settings.write_text(text.replace("vision@hospital.org", "Dr. O'Neil & Söhne"), "utf-8")
    try:
        done = place.clone.mlops("setup")
    finally:
        settings.write_text(text, "utf-8")
    assert (done.code, place.roles()) == (0, ROLES), done.stderr
