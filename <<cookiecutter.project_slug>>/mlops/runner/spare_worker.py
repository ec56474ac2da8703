"""A spare interpreter: import the modules named, and wait; then be the script that standard input names.

    python -P spare_worker.py FOLDER pandas sklearn.ensemble

The script finds all as if it had been started itself: arguments, folder, variables, log, `__main__`. FOLDER holds a
copy of it, and of its own modules. Without a line on standard input the interpreter was not needed, and ends.
"""

import contextlib
import importlib
import json
import os
import sys
from pathlib import Path
from types import ModuleType, TracebackType


def main() -> None:
    """Import, wait, and turn into the script."""
    folder, *names = sys.argv[1:]
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    sys.path.insert(0, folder)
    for name in names:
        with contextlib.suppress(Exception):  # the script will meet the same
            importlib.import_module(name)
    sys.path.remove(folder)
    sys.dont_write_bytecode = before
    line = sys.stdin.buffer.readline()
    if line:
        _become(**json.loads(line), own_folder=folder)


def _become(words: list[str], folder: str, environment: dict[str, str], log: str, own_folder: str) -> None:
    mixed_up = any(str(getattr(module, "__file__", "")).startswith(own_folder) for module in list(sys.modules.values()))
    _print_into(log, printed=b"" if mixed_up else _printed())
    os.chdir(folder)
    if mixed_up:  # a package imported a module of the script's by its name: it must be the one that lies beside it
        os.execve(sys.executable, [sys.executable, *words], environment)  # noqa: S606
    os.environ.clear()
    os.environ.update(environment)
    script = os.path.abspath(words[0])
    sys.argv = words
    if not environment.get("PYTHONSAFEPATH"):
        sys.path.insert(0, os.path.dirname(os.path.realpath(script)))
    importlib.invalidate_caches()
    main = ModuleType("__main__")
    main.__dict__.update(__file__=script, __builtins__=__builtins__, __cached__=None)
    sys.modules["__main__"] = main
    sys.excepthook = _without_this_file
    exec(compile(Path(script).read_bytes(), script, "exec", dont_inherit=True), main.__dict__)  # noqa: S102


def _printed() -> bytes:
    """Return what the imports printed."""
    sys.stdout.flush()
    sys.stderr.flush()
    return os.pread(1, os.fstat(1).st_size, 0)


def _print_into(log: str, printed: bytes) -> None:
    """Send all output to the log from now on, and what was printed before."""
    with open(log, "ab", buffering=0) as file:
        file.write(printed)
        for number in (1, 2):
            os.dup2(file.fileno(), number)
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)


def _without_this_file(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Show an error of the script as it is shown where the script is started itself."""
    while trace and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    sys.__excepthook__(kind, error.with_traceback(trace), trace)


if __name__ == "__main__":
    main()
