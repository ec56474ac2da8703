"""Changes in mlops.yaml that leave the rest as people wrote it: comments, order, quotes."""

import io
import json
from typing import Any

import yaml
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import CommentMark, YAMLError
from ruamel.yaml.tokens import CommentToken

from mlops.own_data.yaml_text import block, flow, tool
from mlops.problem import Problem
from mlops.settings import merged

# Where a new key goes: behind the first of these that is there.
BEHIND = {
    "source": ["path"],
    "rows_without_target": ["id_columns", "target"],
    "columns": ["rows_without_target", "id_columns", "target"],
}
BEHIND_THE_VALUE = 2  # where ruamel keeps the comment of a key, and all lines up to the next one


def changed(text: str, changes: dict[str, Any]) -> str:
    """Return the text of mlops.yaml with other values.

    Args:
        changes: the new values, in sections as in the file. `data.columns` are written one a line.

    Raises:
        Problem: the file is written in a way that cannot be changed without losing something.
    """
    editor = tool()
    try:
        content = editor.load(text)
    except YAMLError as error:
        raise Problem(f"mlops.yaml cannot be changed: {' '.join(str(error).split())}") from None
    columns = changes.get("data", {}).get("columns")
    _change(content, changes)
    result = io.StringIO()
    editor.dump(content, result)
    expected = merged(yaml.safe_load(text), changes)
    if columns is not None:
        expected["data"]["columns"] = columns  # as a whole: those of before are gone
    if yaml.safe_load(result.getvalue()) != expected:
        raise Problem(f"mlops.yaml cannot be changed as it is written; set {', '.join(changes)} by hand")
    return result.getvalue()


def _change(section: CommentedMap, changes: dict[str, Any]) -> None:
    for key, value in changes.items():
        old = section.get(key)
        if json.dumps(old) == json.dumps(value) and key in section:  # the order counts
            continue  # its line stays as it is
        if key == "columns":
            _set_columns(section, value)
        elif isinstance(old, CommentedMap) and isinstance(value, dict):
            _change(old, value)
        else:
            _set(section, key, flow(value) if isinstance(value, list) else block(value))


def _set(section: CommentedMap, key: str, value: Any) -> None:
    if key in section:
        section[key] = value
        if comment := _comment(section, key):
            _move_up(comment)
        return
    before = next((name for name in BEHIND.get(key, []) if name in section), None)
    place = list(section).index(before) + 1 if before else len(section)
    # The empty line and the comment above the next section hang on the last key: it stays the last.
    section.insert(min(place, len(section) - 1), key, value)


def _set_columns(section: CommentedMap, columns: dict[str, dict[str, Any]]) -> None:
    """Write the columns, one a line, with the comments of those that were there before."""
    old, new = section.get("columns"), block({name: flow(column) for name, column in columns.items()})
    below = ""  # what follows the last column is not about it: an empty line, the next section's comment
    if comment := _comment(section, "columns"):  # behind `columns: {}`
        below = _cut(comment)
    for name in old or {}:
        if comment := _comment(old, name):
            below = _cut(comment) if name == list(old)[-1] else ""
            if name in new and comment.value.strip():
                new.ca.items[name] = old.ca.items[name]
                _move_up(comment)
    _set(section, "columns", new)
    if below:
        last = list(new)[-1]
        if comment := _comment(new, last):
            comment.value += below
        else:
            new.ca.items[last] = [None, None, CommentToken(f"\n{below}", CommentMark(0), None), None]


def _comment(section: CommentedMap, key: str) -> Any:
    return section.ca.items[key][BEHIND_THE_VALUE] if key in section.ca.items else None


def _cut(comment: Any) -> str:
    """Keep of a comment what stands in the line of its value, and return the lines below."""
    own, line_break, below = comment.value.partition("\n")
    comment.value = own + line_break
    return str(below)


def _move_up(comment: Any) -> None:
    """Put a comment two blanks behind the value, wherever it stood behind the earlier value."""
    if comment.value.startswith("#"):
        comment.value = f" {comment.value}"
        comment.start_mark = CommentMark(0)  # ruamel puts one blank where the value reaches further
