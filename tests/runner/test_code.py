"""Which code travels to which job."""

from pathlib import Path

import pytest

from mlops.definition import code


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(code, "MODEL", tmp_path)
    monkeypatch.setattr(code.everything, "__defaults__", (tmp_path,))
    return tmp_path


def needed(model: Path, files: dict[str, str], script: str = "main.py") -> set[str]:
    for name, text in files.items():
        (model / name).parent.mkdir(parents=True, exist_ok=True)
        (model / name).write_text(text, "utf-8")
    return set(code.needed_by(script))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("", set()),
        ("import os, pandas", set()),
        ("import a", {"a.py"}),
        ("import a as x, b", {"a.py", "b.py"}),
        ("from a import thing", {"a.py"}),
        ("def f():\n    import a", {"a.py"}),
        ("try:\n    import a\nexcept ImportError:\n    a = None", {"a.py"}),
        ("import p", {"p/__init__.py", "p/q.py", "p/deep/r.py"}),
        ("import p.q", {"p/__init__.py", "p/q.py", "p/deep/r.py"}),
        ("from p.deep import r", {"p/__init__.py", "p/q.py", "p/deep/r.py"}),
        ("from p import q as z", {"p/__init__.py", "p/q.py", "p/deep/r.py"}),
        ("import chain", {"chain.py", "a.py"}),
        ("import importlib\nimportlib.import_module('a')", {"a.py"}),
        ("__import__('a')", {"a.py"}),
        ("import runpy\nrunpy.run_path('a.py')", {"a.py"}),
        ("import subprocess, sys\nsubprocess.run([sys.executable, 'a.py'])", {"a.py"}),
        ("from pathlib import Path\nprint(Path(__file__).with_name('r.py'))", {"p/deep/r.py"}),
        ("'''About a.py and others'''\nprint('see a.py for more')", set()),
    ],
)
def test_a_script_gets_what_it_imports_and_all_that_is_no_python(model: Path, source: str, expected: set[str]) -> None:
    files = {"main.py": source, "a.py": "", "b.py": "", "chain.py": "import a\nimport main", "p/__init__.py": "",
             "p/q.py": "from . import deep", "p/deep/r.py": "", "requirements.txt": "", "data/table.csv": ""}  # fmt: skip
    assert needed(model, files) == expected | {"main.py", "requirements.txt", "data/table.csv"}


@pytest.mark.parametrize(
    "source",
    ["import importlib\nimportlib.import_module(name)", "__import__(f'{x}')", "exec('import a')", "exec(open('x').read())",
     "import runpy\nrunpy.run_module(mod_name=x)", "this is no Python", "import a\x00"],
)  # fmt: skip
def test_what_only_running_tells_takes_everything(model: Path, source: str) -> None:
    assert needed(model, {"main.py": source, "a.py": "", "b.py": ""}) == {"main.py", "a.py", "b.py"}


def test_a_helper_that_cannot_be_read_takes_everything(model: Path) -> None:
    (model / "a.py").write_bytes(b"# -*- coding: latin-1 -*-\nx = '\xfc'\n")
    assert needed(model, {"main.py": "import a", "b.py": ""}) == {"main.py", "a.py", "b.py"}


def test_caches_notebooks_and_what_is_hidden_stay_at_home(model: Path) -> None:
    files = ["main.py", ".env", ".git/config", "__pycache__/main.cpython-311.pyc", ".ipynb_checkpoints/x.ipynb",
             "notebooks/look.ipynb", ".ruff_cache/a", "p/.DS_Store", "p/__pycache__/x.pyc", "notes.md"]  # fmt: skip
    assert needed(model, dict.fromkeys(files, "")) == {"main.py", "notes.md"}
    assert set(code.everything(model)) == {"main.py", "notes.md"}


def test_an_edit_of_one_script_is_no_edit_of_another(model: Path) -> None:
    files = {"train.py": "import schema", "preprocess.py": "import schema", "schema.py": "", "inference.py": ""}
    assert needed(model, files, "train.py") == {"train.py", "schema.py"}
    assert needed(model, files, "preprocess.py") == {"preprocess.py", "schema.py"}


def test_a_script_that_is_not_there_needs_no_python(model: Path) -> None:
    assert needed(model, {"a.py": "", "x.txt": ""}, "nowhere.py") == {"x.txt"}
