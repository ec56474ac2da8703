"""Numbers, times and sizes as people read them."""

import math
from datetime import UTC, datetime

MINUS = "\u2212"
LARGE = 9  # digits before the point, from which a measure has an exponent: nobody counts them


def number(value: object, digits: int = 4) -> str:
    """Return a number with so many significant digits, its thousands apart; anything else as text."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "–" if value is None else str(value)
    if not math.isfinite(value):
        return str(value)
    if isinstance(value, int) and abs(value) < 10**15:
        return f"{value:,}".replace("-", MINUS)
    size = math.floor(math.log10(abs(value))) if value else 0
    if not -5 < size < LARGE:
        return f"{value:.{digits - 1}e}".replace("-", MINUS)
    return f"{value:,.{max(0, min(digits - 1 - size, digits))}f}".replace("-", MINUS)


def fixed(value: float, like: float, sign: str = "") -> str:
    """Return a number in as many decimals as show 4 digits of another one, so that a column of them lines up."""
    size = math.floor(math.log10(abs(like))) if like and math.isfinite(like) else 0
    if not -5 < size < LARGE:
        return number(value, 2)
    text = f"{value:{sign},.{max(0, min(3 - size, 4))}f}".replace("-", MINUS)
    return text if any(digit in "123456789" for digit in text) else "0"


def difference(value: float, like: float) -> str:
    """Return a difference with its sign, in the decimals of the value that it belongs to."""
    return fixed(value, like, "+")


def share(value: object) -> str:
    """Return a share as a percentage."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "–"
    percent = value * 100
    digits = 0 if percent in {0, 100} or percent >= 10 else 1
    return f"{percent:.{digits}f}\u00a0%"  # not torn apart at the end of a line


def seconds(value: object) -> str:
    """Return a duration."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return "–"
    if value < 60:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"


def size(value: object) -> str:
    """Return a number of bytes."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "–"
    for unit, bytes_ in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if value >= bytes_:
            return f"{value / bytes_:.1f} {unit}"
    return f"{value} bytes"


def moment(text: object) -> str:
    """Return an ISO time as a date and a time in UTC; what is none, as it came."""
    try:
        return f"{datetime.fromisoformat(str(text)).astimezone(UTC):%-d %B %Y, %H:%M} UTC"
    except ValueError:
        return "–" if text is None else str(text)
