"""The few permissions that `make verify-aws` puts to AWS's engine, put to the one here: they must be asked rightly."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox import Sandbox
from tests.permissions.account import ACCOUNT, BUCKET, OWN, PATH, REGION, Stack, deploy
from tests.permissions.engine import Engine, Request
from tests.permissions.trial import Deployed
from verify_aws.refusals import CASES, Case, asked

NAMES = {"slug": OWN, "account": ACCOUNT, "region": REGION, "partition": "aws", "path": PATH, "bucket": BUCKET}


@pytest.fixture(scope="module")
def stack(running_sandbox: Sandbox) -> Iterator[tuple[Stack, Deployed]]:
    running_sandbox.set_faults([])
    running_sandbox.reset()
    yield deploy(running_sandbox), Deployed(running_sandbox)
    running_sandbox.reset()


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.who} {case.action} {case.resource} {case.allowed}")
def test_each_is_decided_as_it_says(case: Case, stack: tuple[Stack, Deployed], engine: Engine) -> None:
    roles, deployed = stack
    arn = roles.people["scientist"] if case.who == "scientist" else roles.roles[case.who]
    question = asked(case, NAMES)
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{arn.rpartition('/')[2]}/session"
    request = Request(session, question.action, question.resource, question.context, ACCOUNT)
    assert engine.decide(deployed.of_principal(arn), request).allowed is case.allowed
