"""Schedule expressions of rules: `rate(5 minutes)` and `cron(0 12 * * ? *)`, always in UTC.

Source: EventBridge User Guide, "Setting a schedule pattern for scheduled rules (legacy)": a rate is singular for 1 and
plural else; cron has six fields, one of day-of-month and day-of-week is `?`, and the shortest interval is a minute.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}


class InvalidSchedule(Exception):
    pass


@dataclass(frozen=True)
class Rate:
    every: timedelta

    def is_due(self, minute: datetime, since: datetime) -> bool:
        """Whether a rule that is in force since then runs in this minute."""
        elapsed = int((minute - since.replace(second=0, microsecond=0)).total_seconds() // 60)
        return elapsed > 0 and elapsed % int(self.every.total_seconds() // 60) == 0


@dataclass(frozen=True)
class Cron:
    """values of a field: None for all. special: L, W and # of the two day fields, as written."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int] | str
    months: frozenset[int]
    weekdays: frozenset[int] | str
    years: frozenset[int]

    def is_due(self, minute: datetime, since: datetime) -> bool:
        return (
            minute.minute in self.minutes
            and minute.hour in self.hours
            and minute.month in self.months
            and minute.year in self.years
            and _is_day(self.days, minute)
            and _is_weekday(self.weekdays, minute)
        )


def read_schedule(text: str) -> Rate | Cron:
    """Raises InvalidSchedule."""
    rate = re.fullmatch(r"rate\(([1-9][0-9]*) (minute|hour|day)(s?)\)", text)
    if rate:
        number, unit, plural = int(rate[1]), rate[2], rate[3]
        if (number == 1) == bool(plural):
            raise InvalidSchedule(text)
        return Rate(number * _UNITS[unit])
    cron = re.fullmatch(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)", text)
    if cron is None:
        raise InvalidSchedule(text)
    minutes, hours, days, months, weekdays, years = cron.groups()
    if (days == "?") == (weekdays == "?"):
        raise InvalidSchedule(text)
    return Cron(
        _numbers(minutes, 0, 59),
        _numbers(hours, 0, 23),
        days if re.fullmatch(r"\?|L|LW|(3[01]|[12][0-9]|[1-9])W", days) else _numbers(days, 1, 31),
        _numbers(months, 1, 12, _MONTHS),
        weekdays if re.fullmatch(r"\?|L|[1-7]L|[1-7]#[1-5]", weekdays) else _numbers(weekdays, 1, 7, _DAYS),
        _numbers(years, 1970, 2199),
    )


def _numbers(field: str, low: int, high: int, names: tuple[str, ...] = ()) -> frozenset[int]:
    found: set[int] = set()
    for part in field.split(","):
        span, slash, step = part.partition("/")
        first, dash, last = span.partition("-")
        if span == "*":
            start, end = low, high
        else:
            start = _number(first, low, high, names)
            end = _number(last, low, high, names) if dash else (high if slash else start)
        if (slash and not re.fullmatch(r"[1-9][0-9]*", step)) or start > end:
            raise InvalidSchedule(field)
        found.update(range(start, end + 1, int(step or 1)))
    return frozenset(found)


def _number(text: str, low: int, high: int, names: tuple[str, ...]) -> int:
    if text.upper() in names:
        return names.index(text.upper()) + 1
    if not re.fullmatch(r"[0-9]+", text) or not low <= int(text) <= high:
        raise InvalidSchedule(text)
    return int(text)


def _is_day(days: frozenset[int] | str, moment: datetime) -> bool:
    last = calendar.monthrange(moment.year, moment.month)[1]
    if isinstance(days, frozenset):
        return moment.day in days
    if days == "?":
        return True
    if days == "L":
        return moment.day == last
    return moment.day == _nearest_weekday(moment, last if days == "LW" else min(int(days[:-1]), last), last)


def _nearest_weekday(moment: datetime, day: int, last: int) -> int:
    """Saturday goes back, Sunday forth, but never into another month."""
    weekday = moment.replace(day=day).weekday()
    if weekday == 5:
        return day - 1 if day > 1 else day + 2
    if weekday == 6:
        return day + 1 if day < last else day - 2
    return day


def _is_weekday(weekdays: frozenset[int] | str, moment: datetime) -> bool:
    """1 is Sunday."""
    today = (moment.weekday() + 1) % 7 + 1
    if isinstance(weekdays, frozenset):
        return today in weekdays
    if weekdays == "?":
        return True
    if weekdays == "L":
        return today == 7
    if weekdays.endswith("L"):
        return today == int(weekdays[0]) and moment.day + 7 > calendar.monthrange(moment.year, moment.month)[1]
    return today == int(weekdays[0]) and (moment.day - 1) // 7 + 1 == int(weekdays[2])
