"""The four roles of a project, made by the account's registration function: nobody else needs rights on IAM."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from mlops import aws
from mlops.cloud.account_stack import ACCEPTED, INTERFACE, AccountStack
from mlops.problem import NotAllowed, Problem, Refused
from mlops.settings import EnvironmentName, Settings
from mlops.tags import legal
from mlops.template_record import load_template_record

Tier = Literal["nonprod", "prod"]
TIERS: dict[EnvironmentName, Tier] = {"feature": "nonprod", "dev": "nonprod", "prod": "prod"}
ADMINISTRATORS = ":$LATEST"  # behind the function's name: the policy for data scientists does not allow it
KINDS = ("nonprod-ci", "nonprod-job", "prod-ci", "prod-job")
# IAM answers in seconds, and the function makes some thirty calls; Lambda ends it after two minutes (its Timeout). If
# it were asked again before that, two would work at once.
PATIENTLY = aws.CONFIG.merge(Config(read_timeout=130, retries={"total_max_attempts": 2}))


def role_name(slug: str, kind: str) -> str:
    """Return the name of one of a project's roles: at most 50 characters of IAM's 64."""
    return f"mlops-{slug}-{kind}"


def job_role(settings: Settings, stack: AccountStack, account: str, environment: EnvironmentName) -> str:
    """Return the ARN of the role that pipelines and their jobs have in an environment."""
    name = role_name(settings.project.slug, f"{TIERS[environment]}-job")
    return f"arn:{aws.partition(settings.region)}:iam::{account}:role{stack.role_path}{name}"


@dataclass(frozen=True)
class Roles:
    """The project's roles. `arns`: None for one that is not there; `differ`: what a registration would make or mend."""

    arns: Mapping[str, str | None]
    differ: tuple[str, ...]


class Registration:
    """The account's registration function, asked for one project."""

    def __init__(self, settings: Settings, stack: AccountStack, root_commit: str) -> None:
        """Remember whom to ask, for what."""
        self._settings, self._stack, self._root_commit = settings, stack, root_commit

    def describe(self) -> Roles:
        """Return which roles there are, changing nothing.

        Raises:
            NotAllowed: these credentials may not ask.
            Problem: the function refused or failed.
        """
        return self._ask("describe")

    def register(self) -> Roles:
        """Make the roles, or mend them: those that are right stay as they are.

        Raises:
            NotAllowed, Problem: as `describe`.
        """
        return self._ask("register")

    def remove(self) -> Roles:
        """Remove the roles that are this project's: administrators may at any time, others what was just made.

        Raises:
            NotAllowed, Problem: as `describe`.
        """
        try:
            return self._ask("remove", ADMINISTRATORS)
        except NotAllowed:
            return self._ask("remove")

    def _ask(self, action: str, qualifier: str = "") -> Roles:
        settings = self._settings
        question = {
            "action": action,
            "interface": min(INTERFACE, self._stack.interface),  # a stack that is older by one does not know ours
            "project": settings.project.slug,
            "root_commit": self._root_commit,
            "owner": legal(settings.project.owner),
            "template": load_template_record().version,
            "source_control": {"host": settings.source_control.host, "repository": settings.source_control.repository},
        }
        function = self._stack.registration_function
        try:
            response = aws.client("lambda", settings.region, PATIENTLY).invoke(
                FunctionName=function + qualifier, Payload=json.dumps(question).encode("utf-8")
            )
            answer = json.loads(response["Payload"].read())
        except (ClientError, BotoCoreError) as error:
            raise (NotAllowed if aws.code(error) in aws.ACCESS_DENIED else Problem)(aws.explain(error)) from None
        except ValueError:
            raise Problem(f"the function {function} answered with no JSON; see its log in CloudWatch") from None
        if "FunctionError" in response:
            raise Problem(f"the function {function} failed: {_reason(answer)}; see its log in CloudWatch")
        return _roles(function, answer)


def _reason(answer: Any) -> str:
    reason = answer.get("errorMessage") if isinstance(answer, dict) else None
    return " ".join(str(reason or "it gave no reason").split())


def _roles(function: str, answer: Any) -> Roles:
    match answer:
        case {"refused": str(reason)}:
            # Where it could not take all back, nobody knows what is there.
            refusal = Problem if "left half-made" in reason else Refused
            raise refusal(f"the function {function} refuses: {reason}")
        case {"interface": int(interface), "roles": dict(arns), **more} if interface in ACCEPTED:
            differ: Any = more.get("differs", ())
            return Roles({kind: arns.get(kind) for kind in KINDS}, tuple(differ))
    raise Problem(f"the function {function} answered what this repository does not understand; run: mlops doctor")
