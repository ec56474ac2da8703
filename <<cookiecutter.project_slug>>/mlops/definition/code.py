"""The code that travels to a job: of model/, only what its script needs.

So an edit of train.py does not run preprocess.py again, neither here nor on SageMaker.
"""

import ast
from functools import cache
from pathlib import Path

from mlops.own_repository import ROOT

MODEL = ROOT / "model"
JOBS = ROOT / "mlops" / "jobs"
DYNAMIC = {"import_module", "__import__", "run_path", "run_module", "exec"}
LEFT_OUT = {"__pycache__", "notebooks"}


def everything(folder: Path = MODEL) -> dict[str, Path]:
    """Return the files of a folder of code, by their name from there. What is hidden stays: caches, and secrets."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    named = {path.relative_to(folder).as_posix(): path for path in files}
    return {
        name: path
        for name, path in named.items()
        if not any(part in LEFT_OUT or part.startswith(".") for part in Path(name).parts)
    }


def needed_by(script: str) -> dict[str, Path]:
    """Return what a script of model/ needs: itself, the modules that it imports, and all files that are no Python.

    A module that is imported by a name which only running tells may be any of them: then it is everything.
    """
    files = everything()
    modules = {name: path for name, path in files.items() if name.endswith(".py")}
    needed: set[str] = set()
    todo = [script] if script in modules else []
    while todo:
        name = todo.pop()
        if name in needed:
            continue
        needed.add(name)
        try:
            imported = _imports(modules[name].read_text("utf-8"))
        except (SyntaxError, UnicodeDecodeError, ValueError):
            return files  # running it will tell
        if imported is None:
            return files
        for module in imported:
            if module.endswith(".py"):
                todo += [other for other in modules if Path(other).name == Path(module).name]
                continue
            path = module.replace(".", "/")
            package = [other for other in modules if other.startswith(path.split("/")[0] + "/")]
            todo += [other for other in (f"{path}.py", *package) if other in modules]
    return {name: path for name, path in files.items() if name in needed or name not in modules}


@cache
def _imports(source: str) -> set[str] | None:
    """Return the modules that a source imports or names as files, or None where only running it tells."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" if node.module else alias.name for alias in node.names}
            found |= {node.module} if node.module else set()
        elif isinstance(node, ast.Call) and _name(node.func) in DYNAMIC:
            argument = node.args[0] if node.args else None
            if _name(node.func) == "exec" or not isinstance(argument, ast.Constant):
                return None
            found.add(str(argument.value))
        elif isinstance(node, ast.Constant) and str(node.value).endswith(".py"):  # to be started, or to be read
            found.add(str(node.value))
    return found


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else str(getattr(function, "id", ""))
