"""Whether what came out now agrees with what is recorded, and what was other."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mlops.laptop.plain_text import one_line
from mlops.report.numbers import difference, number
from mlops.reproduce.again import Outcome
from mlops.reproduce.original import Original

ROUNDING = 1e-6  # relative: other processors and libraries add numbers up in another order
ABSENT = "–"
LONGEST = 60  # characters of a name
VERDICTS = {"same": "", "rounding": "agrees to rounding", "differs": "DIFFERS", "absent": "ABSENT"}


@dataclass(frozen=True)
class Agreement:
    """A version, and the same made again."""

    original: Original
    outcome: Outcome

    @property
    def verdicts(self) -> dict[str, str]:
        """For each metric on record "same", "rounding", "differs" or "absent", the main one first."""
        main = self.original.main_metric
        names = sorted(self.original.metrics, key=lambda name: (name != main, name))
        return {name: verdict(self.original.metrics[name], self.outcome.metrics.get(name)) for name in names}

    @property
    def agrees(self) -> bool:
        """Whether all metrics agree."""
        return {"differs", "absent"}.isdisjoint(self.verdicts.values())

    @property
    def packages(self) -> dict[str, tuple[str, str]]:
        """Packages of another version here: then and now."""
        then, now = self.original.packages, self.outcome.packages
        return {name: (then[name], now[name]) for name in sorted(then) if name in now and then[name] != now[name]}

    @property
    def absent_packages(self) -> list[str]:
        """Packages that are not installed here."""
        return sorted(name for name in self.original.packages if name not in self.outcome.packages)

    def sentence(self) -> str:
        """Return what came of it."""
        verdicts = self.verdicts
        if self.agrees:
            how = "to the last digit" if set(verdicts.values()) == {"same"} else "to rounding"
            count = f"{len(verdicts)} metrics agree" if len(verdicts) > 1 else "the metric agrees"
            return f"{self.original.what} is reproduced: {count} {how}."
        name = next(name for name, word in verdicts.items() if word in {"differs", "absent"})
        now = self.outcome.metrics.get(name)
        others = sum(word in {"differs", "absent"} for word in verdicts.values()) - 1
        more = f", and {others} more differ{'s' if others == 1 else ''}" if others else ""
        then = _digits(self.original.metrics[name])
        return f"{self.original.what} is not reproduced: {name} was {then} and is {_digits(now)}{more}"

    def metric_lines(self) -> tuple[list[list[str]], list[str]]:
        """Return the metrics as rows (name, recorded, now, difference, verdict), and a style for each."""
        rows = []
        for name, word in self.verdicts.items():
            then, now = self.original.metrics[name], self.outcome.metrics.get(name)
            other = "" if word == "same" else ABSENT if now is None else _difference(now - then, then)
            rows.append([one_line(name, LONGEST), number(then), number(now), other, VERDICTS[word]])
        return rows, ["red" if row[-1] in {"DIFFERS", "ABSENT"} else "" for row in rows]

    def difference_lines(self) -> list[list[str]]:
        """Return what else is other here, as rows (what, recorded, here)."""
        rows = [[name, then, now] for name, (then, now) in self.packages.items()]
        if self.original.python not in {None, self.outcome.python}:
            rows.insert(0, ["Python", str(self.original.python), self.outcome.python])
        return [[one_line(cell, LONGEST) for cell in row] for row in rows]

    def notes(self) -> Iterator[str]:
        """Yield what is to know beside the tables."""
        if self.absent_packages:
            names = ", ".join(self.absent_packages)
            yield one_line(f"Not installed here, of {len(self.original.packages)} packages: {names}", 300)
        for missing in self.original.missing:
            yield f"Not compared: {missing}"
        if self.original.model_uri:
            yield "model/ was not committed then; it was taken from the store of this machine."
        if self.outcome.reason:
            yield one_line(f"It would not be registered now: {self.outcome.reason}", 300)

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        original, outcome = self.original, self.outcome
        return {
            "version": original.what,
            "commit": original.commit,
            "agrees": self.agrees,
            "metrics": [
                {"metric": name, "recorded": original.metrics[name], "now": outcome.metrics.get(name), "verdict": word}
                for name, word in self.verdicts.items()
            ],
            "python": {"recorded": original.python, "here": outcome.python},
            "packages": {name: {"recorded": then, "here": now} for name, (then, now) in self.packages.items()},
            "packages_absent": self.absent_packages,
            "notes": list(self.notes()),
        }


def verdict(then: float, now: float | None) -> str:
    """Return how well two values agree: "same", "rounding", "differs", or "absent" where there is none now."""
    if now is None:
        return "absent"
    if then == now or (math.isnan(then) and math.isnan(now)):
        return "same"
    return "rounding" if math.isclose(then, now, rel_tol=ROUNDING) else "differs"


def _difference(value: float, like: float) -> str:
    text = difference(value, like)
    return f"{value:+.1e}" if text == "0" else text


def _digits(value: float | None) -> str:
    return "absent" if value is None else f"{value:.10g}"
