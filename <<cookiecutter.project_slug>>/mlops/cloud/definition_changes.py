"""How two definitions of a pipeline differ, in words: which step, which part of its request."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlops.cloud.organisation import NESTED, steps_of

LONGEST = 80  # characters of a value that is shown
NOTHING = "-"


@dataclass(frozen=True)
class Change:
    """One difference; `where` is "Train: ResourceConfig.VolumeSizeInGB"."""

    where: str
    before: str
    after: str


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """Return the differences: steps first, then the defaults of parameters."""
    old, new = ({step["Name"]: step for step in steps_of(one)} for one in (before, after))
    found = [Change(f"step {name}", "there", NOTHING) for name in old if name not in new]
    found += [Change(f"step {name}", NOTHING, "there") for name in new if name not in old]
    for name in old.keys() & new.keys():
        found += _between(f"{name}: ", "", _without_branches(old[name]), _without_branches(new[name]))
    defaults = [{p["Name"]: p.get("DefaultValue") for p in one.get("Parameters", [])} for one in (before, after)]
    found += _between("parameter ", "", *defaults)
    return sorted(found, key=lambda change: change.where)


def _without_branches(step: dict[str, Any]) -> dict[str, Any]:
    arguments = step["Arguments"]
    return step | {"Arguments": {key: value for key, value in arguments.items() if key not in NESTED}}


def _between(prefix: str, path: str, before: Any, after: Any) -> Iterator[Change]:
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict) and not _is_expression(before, after):
        for key in dict.fromkeys([*before, *after]):
            yield from _between(prefix, f"{path}.{key}".lstrip("."), before.get(key), after.get(key))
    else:
        yield Change(f"{prefix}{path.removeprefix('Arguments.')}", _shown(before), _shown(after))


def _is_expression(*values: dict[str, Any]) -> bool:
    return any(len(value) == 1 and next(iter(value)).startswith(("Get", "Std:")) for value in values)


def _shown(value: Any) -> str:
    if value is None:
        return NOTHING
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
