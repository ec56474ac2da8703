"""Where the account has no stack, or does not show it, the next step is named."""

import pytest

from mlops.cloud import account_stack
from mlops.cloud.account_stack import NotDeployed
from mlops.problem import NotAllowed, Problem


@pytest.mark.parametrize("missing", [NotDeployed("the account stack is not deployed"), NotAllowed("access is denied")])
def test_what_needs_the_stack_says_whom_to_ask(missing: Problem, monkeypatch: pytest.MonkeyPatch) -> None:
    def find(region: str) -> None:
        raise missing

    monkeypatch.setattr(account_stack, "find", find)
    with pytest.raises(Problem, match=f"{missing}; mlops setup tells whom to ask, and for what"):
        account_stack.require("us-east-1")
