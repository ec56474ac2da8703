"""Texts that come from logs, data and libraries, made safe to show on a terminal and in XML."""

import re

# Colours and cursor movements of terminals (ECMA-48); then what XML 1.0 (2.2) does not allow, and other controls.
ESCAPES = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[ -~])")
ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\x7f-\x84\x86-\x9f]")


def plain(text: object, longest: int) -> str:
    """Return a text without control characters; a longer one is cut and says so."""
    legal = ILLEGAL.sub("\ufffd", ESCAPES.sub("", str(text)))
    return legal if len(legal) <= longest else f"{legal[:longest]}… ({len(legal) - longest} more characters)"


def one_line(text: object, longest: int) -> str:
    """Return a text as one line without control characters; a longer one ends with an ellipsis."""
    line = " ".join(ILLEGAL.sub("\ufffd", ESCAPES.sub("", str(text))).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"
