"""Java regular expressions, as AWS writes them in its models, matched as AWS matches them.

AWS's models are generated from Smithy, whose patterns the services run with Java's `Pattern.matches`: the WHOLE
value must
match, and `\\w`, `\\d`, `\\s` mean ASCII (java.util.regex.Pattern, "Predefined character classes"). Python's `re` knows
neither `\\p{L}` nor nested classes; the `regex` package does.
"""

from __future__ import annotations

from functools import lru_cache

import regex  # type: ignore[import-untyped, unused-ignore]

_ASCII_CLASSES = {
    "w": "[a-zA-Z0-9_]",
    "W": "[^a-zA-Z0-9_]",
    "d": "[0-9]",
    "D": "[^0-9]",
    "s": r"[ \t\n\x0b\f\r]",
    "S": r"[^ \t\n\x0b\f\r]",
}
# UTF-16 surrogate pairs: Java reads the pair as one code point, Python has the code point only.
_SURROGATES = r"\uD800\uDC00-\uDBFF\uDFFF"


class UnreadablePattern(ValueError):
    """A pattern of AWS's model that this sandbox cannot run. Nothing is let through silently because of it."""


@lru_cache(maxsize=4096)
def java_pattern(pattern: str) -> regex.Pattern[str]:
    """Compile a pattern of a botocore model.

    Raises UnreadablePattern for a pattern that even the `regex` package cannot read.
    """
    try:
        return regex.compile(_translate(pattern), regex.V1)
    except regex.error as error:
        raise UnreadablePattern(f"{pattern!r}: {error}") from error


def matches(pattern: str, value: str) -> bool:
    """Whether the whole value matches, as Java's `Pattern.matches` has it."""
    return java_pattern(pattern).fullmatch(value) is not None


def _translate(pattern: str) -> str:
    pattern = pattern.replace(_SURROGATES, r"\U00010000-\U0010FFFF")
    out: list[str] = []
    position = 0
    while position < len(pattern):
        character = pattern[position]
        if character == "\\" and position + 1 < len(pattern):
            escaped = pattern[position + 1]
            out.append(_ASCII_CLASSES.get(escaped, "\\" + escaped))
            position += 2
            continue
        # `--`, `~~` and `||` are set operations in regex.V1 but plain characters in Java.
        if character in "-~|" and pattern[position + 1 : position + 2] == character:
            out.append("\\" + character if character != "|" else "|")
            position += 1
            continue
        out.append(character)
        position += 1
    return "".join(out)
