"""Charts as SVG: scales with readable ticks, axes, and marks that take their colours from the page's style."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mlops.report.page import tag

HUGEST = 1e300  # beyond, differences of two numbers overflow
SAME = 1e-9  # numbers that differ by less, relative to their size, cannot be told apart on an axis
STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Scale:
    """Maps numbers from `low` to `high` to places from `start` to `end`, in pixels."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the place of a number; those outside stay at the edge."""
        part = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.start + part * (self.end - self.start)


def extent(values: Iterable[float], margin: float = 0.05, zero: bool = False) -> tuple[float, float]:
    """Return the range that an axis for these numbers should show; never an empty one.

    Args:
        margin: what is added at both ends, as a share of the range.
        zero: whether 0 has to be within.
    """
    known = [min(max(float(value), -HUGEST), HUGEST) for value in values if not math.isnan(value)]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    width = high - low
    if width <= max(abs(low), abs(high)) * SAME or width < 1 / HUGEST:
        pad = abs(high) * 0.1 if abs(high) > 1 / HUGEST * 1e9 else 1.0
        return low - pad, high + pad
    return (low if zero and low == 0 else low - width * margin), (high if zero and high == 0 else high + width * margin)


def ticks(low: float, high: float, wanted: int = 5, whole: bool = False) -> tuple[list[float], list[str]]:
    """Return round numbers between two, at most one more than wanted, and how to write them.

    Args:
        whole: only whole numbers, as of things that are counted.
    """
    rough = (high - low) / wanted
    magnitude = 10.0 ** math.floor(math.log10(rough))
    step = next(part for part in (factor * magnitude for factor in STEPS) if part >= rough * (1 - SAME))
    step = float(math.ceil(step)) if whole else step
    places = range(math.ceil(low / step - SAME), math.floor(high / step + SAME) + 1)
    values = [min(max(place * step, low), high) for place in places]
    return values, [_label(place * step, step, max(abs(low), abs(high))) for place in places]


def _label(value: float, step: float, largest: float) -> str:
    """Write a tick with the decimals that its step needs, and very large and small ones with an exponent."""
    if value == 0:
        return "0"
    magnitude = math.floor(math.log10(step))
    rest = step / 10.0**magnitude
    decimals = (0 if abs(rest - round(rest)) < 1e-6 else 1) - magnitude  # 2.5 needs one more
    if 1e-4 <= largest < 1e6 and decimals <= 6:
        text = f"{value:,.{max(0, decimals)}f}"
    else:
        digits = max(0, math.floor(math.log10(abs(value))) + decimals)
        mantissa, exponent = f"{value:.{digits}e}".split("e")
        text = f"{mantissa}e{int(exponent)}"
    return text.replace("-", "\u2212")


class Chart:
    """A drawing of a fixed inner size that grows and shrinks with the page.

    Marks are added in the order in which they are to lie on each other. Their looks are the page's classes.
    """

    def __init__(self, label: str, width: float, height: float) -> None:
        """Begin a drawing; `label` says what it shows, to those who cannot see it."""
        self.width, self.height = width, height
        self.svg = tag("svg", viewBox=f"0 0 {_(width)} {_(height)}", role="img", aria_label=label, class_="chart")

    def axes(self, x: Scale, y: Scale, x_title: str, y_title: str, counts: bool = False) -> None:
        """Draw grid lines with numbers at both axes, and what the axes are; `counts`: y has whole numbers only."""
        left, right, bottom, top = x.start, x.end, y.start, y.end
        for value, text in zip(*ticks(x.low, x.high, 5), strict=True):
            self.line([(x(value), bottom), (x(value), top)], "grid")
            self.text(x(value), bottom + 16, text, "tick", anchor="middle")
        for value, text in zip(*ticks(y.low, y.high, 5, counts), strict=True):
            self.line([(left, y(value)), (right, y(value))], "grid")
            self.text(left - 8, y(value) + 4, text, "tick", anchor="end")
        self.text((left + right) / 2, bottom + 36, x_title, "axis", anchor="middle")
        # Upright above the axis, where it is read without turning the head.
        self.text(0, top - 10, y_title, "axis")

    def line(self, points: Sequence[tuple[float, float]], style: str) -> None:
        """Draw a line through places."""
        self._path("M" + "L".join(f"{_(x)} {_(y)}" for x, y in points), style)

    def dots(self, points: Sequence[tuple[float, float]], style: str) -> None:
        """Draw many equal dots: lines without length, whose round ends are what is seen.

        Some of them make one path, which keeps the file small; several paths let a crowd show as darker.
        """
        for start in range(0, len(points), 40):
            self._path("".join(f"M{_(x)} {_(y)}h0" for x, y in points[start : start + 40]), style)

    def dot(self, x: float, y: float, radius: float, style: str, tip: str | None = None) -> None:
        """Draw one dot, with a text that appears over it."""
        self.svg.append(tag("circle", tip and tag("title", tip), cx=_(x), cy=_(y), r=_(radius), class_=style))

    def box(
        self, x: tuple[float, float], y: tuple[float, float], style: str, tip: str | None = None, **more: object
    ) -> None:
        """Draw a rectangle between two places each way: a bar, or a cell."""
        place = {"x": _(min(x)), "y": _(min(y)), "width": _(abs(x[1] - x[0])), "height": _(abs(y[1] - y[0]))}
        self.svg.append(tag("rect", tip and tag("title", tip), **place, class_=style, **more))

    def text(self, x: float, y: float, text: str, style: str, anchor: str = "start", tip: str | None = None) -> None:
        """Write a text; `anchor` says which of its points is at x: start, middle or end."""
        self.svg.append(tag("text", text, tip and tag("title", tip), x=_(x), y=_(y), text_anchor=anchor, class_=style))

    def _path(self, way: str, style: str) -> None:
        self.svg.append(tag("path", d=way, class_=style))


def _(value: float) -> str:
    """Return a place in a tenth of a pixel."""
    return f"{value:.1f}".removesuffix(".0")
