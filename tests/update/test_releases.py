"""Which commits of a template in git are releases, with and without tags, in ours and in a fork."""

from pathlib import Path

import pytest

from mlops.problem import Problem
from mlops.update.git_template import GitTemplate
from mlops.update.release_notes import release_notes
from mlops.update.source import open_template
from mlops.update.template import Release
from tests.update.template_source import TemplateSource

pytestmark = pytest.mark.slow


def test_releases_are_found_without_tags_and_with_them(small: TemplateSource, tmp_path: Path) -> None:
    first = small.git("rev-parse", "HEAD")
    later = small.commit("Between releases")
    second = small.release("1.1.0")
    third = small.commit("After the release")
    template = open_template(str(small.path), tmp_path)
    assert isinstance(template, GitTemplate)
    assert template.find("1.0.0") == Release("1.0.0", first)
    assert template.find("v1.1.0") == Release("1.1.0", second)
    assert template.newest() == Release("1.1.0", third, 1)
    assert template.newest().name == f"1.1.0-1-g{third[:7]}"
    assert template.find(later[:9]) == Release("1.0.0", later, 1)
    assert template.find("main") == template.newest()
    with pytest.raises(Problem, match=r"has no release '2\.0\.0'; there are: 1\.1\.0, 1\.0\.0"):
        template.find("2.0.0")
    with pytest.raises(Problem, match="has no release '--all'"):
        template.find("--all")
    small.git("tag", "v1.1.0", third)
    assert template.newest() == Release("1.1.0", third)


def test_a_release_without_notes_is_not_one_yet(small: TemplateSource, tmp_path: Path) -> None:
    small.questions(_version="2.0.0")
    small.commit("The version alone")
    small.edit("CHANGELOG.md", "# Changelog\n", "# Changelog\n\n## 2.0.0 - 2030-02-02\n\n- Notes.\n")
    noted = small.commit("The notes")
    assert open_template(str(small.path), tmp_path).find("2.0.0") == Release("2.0.0", noted)


def test_a_forks_release_is_where_the_fork_took_it(small: TemplateSource, tmp_path: Path) -> None:
    fork = small.copy(tmp_path / "fork")
    fork.write(fork.in_project("COMPANY.md"), "Ours\n")
    fork.commit("Our company")
    small.release("1.1.0")
    fork.git("fetch", "--quiet", str(small.path), "main")
    fork.git("merge", "--quiet", "--no-edit", "FETCH_HEAD")
    template = open_template(str(fork.path), tmp_path)
    assert template.find("1.1.0").commit == fork.git("rev-parse", "HEAD")
    files = template.unpack(template.find("1.1.0"), tmp_path / "unpacked")
    assert (files / fork.in_project("COMPANY.md")).exists()


def test_a_company_puts_its_version_behind_ours(small: TemplateSource, tmp_path: Path) -> None:
    """Each merge of ours and each release of the company's is found by the files alone, and by a tag."""
    fork = small.copy(tmp_path / "fork")

    def release(number: int, version: str) -> str:
        fork.questions(_company_version=f"+acme.{number}")
        fork.write("CHANGELOG.company.md", f"# Acme\n\n## {version} - 2031-01-01\n\n- Number {number}.\n")
        return fork.commit(f"Release acme.{number}")

    first = release(1, "1.0.0+acme.1")
    fork.git("tag", "acme.1")
    small.edit("cookiecutter.json", '"_version": "1.0.0"', '"_version": "1.1.0"')
    small.edit("CHANGELOG.md", "# Changelog\n", "# Changelog\n\n## 1.1.0 - 2030-02-02\n\n- Ours.\n")
    small.commit("Release 1.1.0")
    fork.git("fetch", "--quiet", str(small.path), "main")
    fork.git("merge", "--quiet", "--no-edit", "FETCH_HEAD")
    merged = fork.git("rev-parse", "HEAD")
    template = open_template(str(fork.path), tmp_path)
    assert template.newest() == Release("1.1.0+acme.1", merged)
    second = release(2, "1.1.0+acme.2")
    third = fork.commit("After the release")
    template = open_template(str(fork.path), tmp_path)
    assert isinstance(template, GitTemplate)
    assert template.find("1.0.0+acme.1") == template.find("acme.1") == Release("1.0.0+acme.1", first)
    assert template.find("1.1.0+acme.2") == Release("1.1.0+acme.2", second)
    assert template.newest() == Release("1.1.0+acme.2", third, 1)
    assert template.versions() == ["1.1.0+acme.2", "1.1.0+acme.1", "1.0.0+acme.1", "1.0.0"]
    notes = release_notes(fork.path, "1.0.0+acme.1", "1.1.0+acme.2")
    assert [line for line in notes.splitlines() if line.startswith("- ")] == ["- Number 2.", "- Ours."]
    with pytest.raises(Problem, match=r"has no release '1\.1\.0\+acme\.3'"):
        template.find("1.1.0+acme.3")
    fork.zip(tmp_path / "zips/acme-mlops-1.0.0+acme.1.zip", first)
    fork.zip(tmp_path / "zips/acme-mlops-1.1.0+acme.2.zip", second)
    assert open_template(str(tmp_path / "zips"), tmp_path).newest() == Release("1.1.0+acme.2")
    open_template(str(tmp_path / "zips"), tmp_path).unpack(Release("1.1.0+acme.2"), tmp_path / "unpacked")


def test_work_on_the_template_that_is_not_committed_is_noticed(small: TemplateSource, tmp_path: Path) -> None:
    template = open_template(str(small.path), tmp_path)
    assert isinstance(template, GitTemplate)
    assert not template.uncommitted()
    small.edit(small.in_project("README.md"), "Read me.", "Read me now.")
    assert template.uncommitted()
