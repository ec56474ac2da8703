"""`mlops.yaml` is the team's own: new keys arrive with their defaults, and values that people set stay.

So it is merged by key, not by line. git's merge of the text is taken where it says the same: comments come along.
"""

import io
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import yaml
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError

from mlops.own_data.yaml_text import block, scalar, tool

Path = tuple[str, ...]
MISSING = object()


class NoSettings(Exception):
    """One of the texts is no YAML mapping, or cannot be changed without losing something."""


def merge_settings(
    base: str, ours: str, theirs: str, by_line: Callable[[str, str, str], str], renames: Mapping[str, str]
) -> str:
    """Return the settings of `ours` with what the template changed from `base` to `theirs`.

    Args:
        by_line: git's merge of base, ours and theirs as texts, in which ours wins where lines are in conflict.
        renames: settings that the template calls otherwise now, such as {"training.rounds": "training.epochs"}.

    Raises:
        NoSettings: as its name says.
    """
    if ours.count("\n") == ours.count("\r\n") > 0:
        base, ours, theirs = (text.replace("\r\n", "\n") for text in (base, ours, theirs))
        return merge_settings(base, ours, theirs, by_line, renames).replace("\n", "\r\n")
    for old, new in renames.items():
        base, ours = (_renamed(text, tuple(old.split(".")), tuple(new.split("."))) for text in (base, ours))
    before, own, template = (_data(text) for text in (base, ours, theirs))
    wanted = merged_values(before, own, template)
    text = by_line(base, ours, theirs)
    if _same(text, wanted):
        return text
    return _edited(ours, own, wanted, theirs)


def merged_values(base: Any, ours: Any, theirs: Any) -> Any:
    """Return the value that a key has after the merge; MISSING where it has none.

    What people set wins over what the template changed; mappings are looked into, all else is one value.
    """
    if all(isinstance(value, dict) for value in (ours, theirs)):
        base = base if isinstance(base, dict) else {}
        keys = list(dict.fromkeys([*ours, *theirs]))
        values = {
            key: merged_values(base.get(key, MISSING), ours.get(key, MISSING), theirs.get(key, MISSING)) for key in keys
        }
        return {key: value for key, value in values.items() if value is not MISSING}
    return theirs if ours == base else ours


def _data(text: str) -> dict[str, Any]:
    try:
        content = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:  # 2024-13-45 is a ValueError
        raise NoSettings(str(error)) from None
    if not isinstance(content, dict):
        raise NoSettings("not a mapping")
    return content


def _same(text: str, wanted: dict[str, Any]) -> bool:
    try:
        return _data(text) == wanted
    except NoSettings:
        return False


def _edited(text: str, own: dict[str, Any], wanted: dict[str, Any], template: str) -> str:
    """Return the text with other values; keys that are new stand where the template has them."""
    editor, result = tool(), io.StringIO()
    try:
        content, model = editor.load(text), editor.load(template)
        _change(content, own, wanted, model)
        editor.dump(content, result)
    except YAMLError as error:
        raise NoSettings(str(error)) from None
    if not _same(result.getvalue(), wanted):
        raise NoSettings("the text cannot carry the change")
    return result.getvalue()


def _change(section: CommentedMap, own: dict[str, Any], wanted: dict[str, Any], model: Any) -> None:
    for key in [key for key in own if key not in wanted]:
        del section[key]
    for key, value in wanted.items():
        if key in own and own[key] == value:
            continue
        part = model.get(key) if isinstance(model, dict) else None
        if key in own and isinstance(own[key], dict) and isinstance(value, dict):
            _change(section[key], own[key], value, part)
        elif key in own:
            section[key] = block(value)
        else:
            # Not last: the empty line and the comment above the next section hang on the last key.
            section.insert(_place(section, key, model), scalar(key), block(value) if part is None else part)


def _place(section: CommentedMap, key: str, model: Any) -> int:
    """Return where a new key goes: behind the nearest key before it in the template's file."""
    present = list(section)
    before = [name for name in _names_before(model, key) if name in section]
    place = present.index(before[-1]) + 1 if before else 0
    return min(place, max(len(present) - 1, 0))


def _names_before(model: Any, key: str) -> Iterator[str]:
    for name in model if isinstance(model, dict) else ():
        if name == key:
            return
        yield name


def _renamed(text: str, old: Path, new: Path) -> str:
    """Return a text in which one setting has another name and the same value."""
    editor, result = tool(), io.StringIO()
    try:
        content = editor.load(text)
        value = _taken(content, old)
        if value is MISSING:
            return text
        place = content
        for key in new[:-1]:
            place = place.setdefault(key, CommentedMap())
        place[new[-1]] = value
        editor.dump(content, result)
    except (YAMLError, AttributeError, TypeError) as error:
        raise NoSettings(str(error)) from None
    return result.getvalue()


def _taken(content: Any, path: Path) -> Any:
    for key in path[:-1]:
        content = content.get(key) if isinstance(content, dict) else None
    return content.pop(path[-1], MISSING) if isinstance(content, dict) else MISSING
