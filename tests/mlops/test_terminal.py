"""Tables on narrow terminals."""

import sys

import pytest
from rich.console import Console

from mlops import terminal


def test_long_names_are_not_cut_at_80_columns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """People copy them; prose beside them is wrapped instead."""
    monkeypatch.setattr(terminal, "console", lambda: Console(width=80, file=sys.stdout))
    name = "mlops-tumor-diagnosis-nonprod-job"
    prose = "free for 5 active users a month, then 1 USD for each"
    terminal.table(["", "what", "name", "cost"], [["create", "CodeCommit repository", name, prose]])
    shown = capsys.readouterr().out
    assert name in shown
    assert max(map(len, shown.splitlines())) <= 80
    assert "month" in shown
