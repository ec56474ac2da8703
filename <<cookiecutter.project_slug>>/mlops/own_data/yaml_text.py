"""YAML as people write it, which PyYAML reads back as the very same values."""

import base64
import io
import re
from typing import Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString, SingleQuotedScalarString

LINE = 1 << 20  # characters: lines are not folded
# Beyond these, ruamel (YAML 1.2) and PyYAML (1.1) may differ in what needs quotes.
PLAIN = re.compile(r"[^\W\d]([\w ;=./+-]*\w)?")
TEXT = "tag:yaml.org,2002:str"
RESOLVER: Any = yaml.SafeLoader("")  # tells that PyYAML takes `no` for a boolean


def tool() -> YAML:
    """Return a reader and writer that keeps comments, order, quotes and anchors."""
    yaml_tool = YAML()
    yaml_tool.preserve_quotes = True
    yaml_tool.width = LINE
    represent = yaml_tool.representer
    represent.add_representer(type(None), lambda to, _: to.represent_scalar("tag:yaml.org,2002:null", "null"))
    represent.add_representer(bytes, _represent_bytes)
    return yaml_tool


def _represent_bytes(to: Any, content: bytes) -> Any:
    return to.represent_scalar("tag:yaml.org,2002:binary", base64.b64encode(content).decode())


def document(sections: dict[str, Any], comment: str) -> str:
    """Return a document: a comment, then each section after an empty line."""
    writer, text = tool(), io.StringIO()
    writer.indent(mapping=2, sequence=4, offset=2)
    text.writelines(f"# {line}".rstrip() + "\n" for line in comment.splitlines())
    content = block(sections)
    for key in content:
        content.yaml_set_comment_before_after_key(key, before="\n")
    writer.dump(content, text)
    return text.getvalue()


def block(content: Any) -> Any:
    """Return mappings, lists and texts as they are written line by line."""
    match content:
        case CommentedMap() | CommentedSeq() | SingleQuotedScalarString() | LiteralScalarString():
            return content
        case dict():
            return CommentedMap({scalar(key): block(value) for key, value in content.items()})
        case list() | tuple():
            return CommentedSeq([block(item) for item in content])
        case str():
            return scalar(content)
        case _:
            return content


def flow(content: Any) -> Any:
    """Return a mapping or list that is written on one line, with all in it."""
    converted = block(content)
    converted.fa.set_flow_style()
    return converted


def anchored(name: str, content: Any) -> Any:
    """Return a mapping or list that is written once, as `&name`, and is `*name` wherever it stands again."""
    converted = block(content)
    converted.yaml_set_anchor(name, always_dump=True)
    return converted


def scalar(text: str) -> Any:
    """Return a text with quotes where it needs some to be read as this text."""
    if PLAIN.fullmatch(text) and RESOLVER.resolve(yaml.ScalarNode, text, (True, False)) == TEXT:
        return text
    return DoubleQuotedScalarString(text)


def literal(text: str) -> Any:
    """Return a text that stands as it is: several lines below `|-`, one line in single quotes."""
    lines = text.split("\n")
    if not all(line.isprintable() and line == line.rstrip() for line in lines) or not lines[0] or not lines[-1]:
        return DoubleQuotedScalarString(text)
    if len(lines) == 1:
        return SingleQuotedScalarString(text)
    # A first line that is indented would say how far all lines are.
    return DoubleQuotedScalarString(text) if text.startswith(" ") else LiteralScalarString(text)
