"""Schedule expressions. Source: User Guide, "Setting a schedule pattern for scheduled rules (legacy)"."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from sandbox.eventbridge.schedule import InvalidSchedule, read_schedule

SINCE = datetime(2026, 1, 1, 0, 0, 30)


def due(text, start, days=1):
    """The minutes at which it runs in the days from `start`."""
    schedule = read_schedule(text)
    minutes = (start + timedelta(minutes=number) for number in range(days * 1440))
    return [minute for minute in minutes if schedule.is_due(minute, SINCE)]


@pytest.mark.parametrize(
    "text",
    [
        "rate(1 minutes)", "rate(5 minute)", "rate(0 minutes)", "rate(-1 minutes)", "rate(1.5 hours)", "rate(5 seconds)",
        "rate(5 minutes) ", "every 5 minutes", "cron(0 12 * * *)", "cron(0 12 * * * *)", "cron(0 12 ? * ? *)",
        "cron(60 12 * * ? *)", "cron(0 24 * * ? *)", "cron(0 0 32 * ? *)", "cron(0 0 0 * ? *)", "cron(0 0 ? 13 1 *)",
        "cron(0 0 ? * 8 *)", "cron(0 0 ? * FOO *)", "cron(0 0 ? * 2#6 *)", "cron(5-1 0 * * ? *)", "cron(*/0 * * * ? *)",
        "cron(0 0 * * ? 1969)", "cron(0 0 ? * 2-6W *)", "at(2026-01-01T00:00:00)",
    ],
)  # fmt: skip
def test_expressions_that_are_refused(text):
    with pytest.raises(InvalidSchedule):
        read_schedule(text)


def test_rates_count_from_the_creation():
    assert due("rate(6 hours)", datetime(2026, 1, 1)) == [datetime(2026, 1, 1, hour) for hour in (6, 12, 18)]
    assert len(due("rate(5 minutes)", datetime(2026, 1, 2))) == 288
    assert due("rate(1 day)", datetime(2026, 1, 2)) == [datetime(2026, 1, 2)]


@pytest.mark.parametrize(
    ("text", "start", "days", "expected"),
    [
        ("cron(0 10 * * ? *)", "2026-01-01", 2, ["2026-01-01 10:00", "2026-01-02 10:00"]),
        ("cron(15 12 * * ? *)", "2026-01-01", 1, ["2026-01-01 12:15"]),
        ("cron(0 18 ? * MON-FRI *)", "2026-01-02", 4, ["2026-01-02 18:00", "2026-01-05 18:00"]),
        ("cron(0 8 1 * ? *)", "2026-01-31", 2, ["2026-02-01 08:00"]),
        ("cron(0/20 8-9 ? * 2 *)", "2026-01-05", 1, ["2026-01-05 08:00", "2026-01-05 08:20", "2026-01-05 08:40", "2026-01-05 09:00", "2026-01-05 09:20", "2026-01-05 09:40"]),
        ("cron(0 0 L * ? *)", "2026-02-01", 28, ["2026-02-28 00:00"]),
        ("cron(0 0 3W * ? *)", "2026-01-01", 10, ["2026-01-02 00:00"]),
        ("cron(0 0 1W * ? *)", "2026-02-01", 5, ["2026-02-02 00:00"]),
        ("cron(0 9 ? * 2#1 *)", "2026-01-01", 31, ["2026-01-05 09:00"]),
        ("cron(0 9 ? * 6L *)", "2026-01-01", 31, ["2026-01-30 09:00"]),
        ("cron(0 0 1 JAN,MAR ? 2026-2027)", "2026-02-28", 2, ["2026-03-01 00:00"]),
        ("cron(0 0 1 1 ? 2027)", "2026-01-01", 2, []),
    ],
)  # fmt: skip
def test_cron(text, start, days, expected):
    found = due(text, datetime.fromisoformat(start), days)
    assert [f"{minute:%Y-%m-%d %H:%M}" for minute in found] == expected
