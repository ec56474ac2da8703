"""What a script imports before it does anything: that much can be imported before it is the script's turn."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

# Whoever changes these means it for what is imported after it.
MATTERS_TO_IMPORTS = {"environ", "putenv", "path", "meta_path", "filterwarnings", "simplefilter"}


class _Enough(Exception):
    """From here on, it matters that the script itself runs."""


def first_imports(script: Path) -> list[str]:
    """Return the modules of packages that a script, and its own modules beside it, import at their top, in that order.

    The list ends where the script does what later imports may depend on: at a change of the environment, for example.
    """
    found: dict[str, None] = {}
    try:
        for name in _imports(script, set()):
            found[name] = None
    except (_Enough, OSError, SyntaxError, ValueError):
        pass  # the script itself will tell
    return list(found)


def _imports(file: Path, seen: set[Path]) -> Iterator[str]:
    seen.add(file)
    for statement in ast.parse(file.read_text("utf-8")).body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if not isinstance(statement, ast.Import | ast.ImportFrom):
            if any(_name(node) in MATTERS_TO_IMPORTS for node in ast.walk(statement)):
                raise _Enough
            continue
        for name in _modules(statement):
            own = file.with_name(name.split(".")[0])
            if own.is_dir():
                raise _Enough  # a package of its own: what it does is not looked into
            if not own.with_suffix(".py").exists():
                if own.name not in sys.stdlib_module_names:
                    yield name
            elif own.with_suffix(".py") not in seen:
                yield from _imports(own.with_suffix(".py"), seen)


def _modules(statement: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(statement, ast.Import):
        return [alias.name for alias in statement.names]
    return [statement.module] if statement.module and not statement.level else []


def _name(node: ast.AST) -> str | None:
    return getattr(node, "attr", getattr(node, "id", None))
