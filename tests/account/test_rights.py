"""Whoever knows a root commit can call for its project: what that is not enough for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from account.functions import register
from tests.account.conftest import Registration, state

pytestmark = pytest.mark.slow

ROLE = "mlops-tumor-diagnosis-nonprod-ci"


@pytest.fixture
def registered(registration: Registration, iam: Any) -> dict[str, dict[str, Any]]:
    """The project's roles, as its first registration made them."""
    assert len(registration()["changed"]) == 4
    return state(iam)


@pytest.fixture
def a_day_later(monkeypatch: pytest.MonkeyPatch) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return datetime.now(UTC) + timedelta(days=1)

    monkeypatch.setattr(register, "datetime", Clock)


def test_what_was_just_made_can_be_taken_back(registration: Registration, iam: Any, registered: Any) -> None:
    registration(action="remove")
    assert state(iam) == {}


@pytest.mark.usefixtures("a_day_later")
def test_roles_in_use_are_removed_by_administrators_alone(
    registration: Registration, iam: Any, registered: dict[str, dict[str, Any]]
) -> None:
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    refused = registration(action="remove")["refused"]
    assert refused == f"the role {ROLE} is in use since {today}; an administrator removes it"
    assert state(iam) == registered
    assert registration(action="describe")["differs"] == []
    registration(action="remove", version="$LATEST")
    assert state(iam) == {}


def test_a_project_cannot_get_at_the_code_of_another(registration: Registration, iam: Any) -> None:
    """The ci roles may pull the repository that the call names."""
    others = {"host": "codecommit", "repository": "house-prices"}
    refused = registration(source_control=others)["refused"]
    assert refused == "repository must be tumor-diagnosis, as the project; it is 'house-prices'"
    assert state(iam) == {}
