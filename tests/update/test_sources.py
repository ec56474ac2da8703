"""The template may lie in git, here or elsewhere, in zips, on a web server or on S3; what is not there is one line."""

import http.server
import json
import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import boto3
import pytest

from mlops.problem import Problem
from mlops.update.git_template import url_of
from mlops.update.source import open_template
from mlops.update.template import lasting
from sandbox.server import Sandbox
from tests.conftest import Repository
from tests.update import in_process
from tests.update.conftest import Update
from tests.update.template_source import TemplateSource, content, git

pytestmark = pytest.mark.slow

README = "# House Prices\n\nRead me.\n"
NEWER = README.replace("Read me", "Read me first")


@pytest.fixture
def newer(small: TemplateSource, repository: Repository) -> TemplateSource:
    """The smallest template with a release that the repository does not have yet."""
    small.edit(small.in_project("README.md"), "Read me.", "Read me first.")
    small.release("1.1.0")
    return small


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where the copies of templates lie."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/mlops/templates"


def readme(repository: Repository) -> str:
    return content(repository, "template-update/1.1.0", "README.md").decode()


def test_a_folder_with_a_git_repository(newer: TemplateSource, repository: Repository, update: Update) -> None:
    assert update(repository, newer).branch == "template-update/1.1.0"
    assert readme(repository) == NEWER


def test_a_clone_is_recorded_as_what_it_is_a_clone_of(
    newer: TemplateSource, repository: Repository, update: Update, tmp_path: Path
) -> None:
    """A colleague has no use for a folder of this machine, and no business with a password."""
    newer.git("remote", "add", "origin", "https://me:secret@example.org/template.git")
    done = update(repository, newer)
    record = json.loads(content(repository, done.branch, ".template.json"))
    assert record["source"] == "https://example.org/template.git"


def test_a_temporary_folder_does_not_replace_the_recorded_place(
    newer: TemplateSource, repository: Repository, update: Update
) -> None:
    before = json.loads((repository.path / ".template.json").read_text())["source"]
    record = json.loads(content(repository, update(repository, newer).branch, ".template.json"))
    assert record["source"] == before


@pytest.mark.parametrize(
    ("address", "recorded"),
    [
        ("https://me:secret@example.org/t.git", "https://example.org/t.git"),
        ("git@example.org:t.git", "git@example.org:t.git"),
        ("s3://bucket/t-1.0.0.zip", "s3://bucket/t-1.0.0.zip"),
        ("/srv/templates/t", "/srv/templates/t"),
        (f"{tempfile.gettempdir()}/t", None),
    ],
)
def test_what_a_record_may_name(address: str, recorded: str | None) -> None:
    assert lasting(address) == recorded


def test_a_worktree_and_a_bare_repository(
    newer: TemplateSource, repository: Repository, update: Update, tmp_path: Path
) -> None:
    newer.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "worktree"))
    update(repository, str(tmp_path / "worktree"))
    assert readme(repository) == NEWER
    repository.git("branch", "--quiet", "-D", "template-update/1.1.0")
    newer.git("clone", "--quiet", "--bare", str(newer.path), str(tmp_path / "bare"))
    update(repository, str(tmp_path / "bare"))
    assert readme(repository) == NEWER


def test_a_url_is_fetched_into_one_copy_and_again_when_it_has_moved_on(
    newer: TemplateSource, repository: Repository, update: Update, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    url = newer.path.as_uri()
    assert update(repository, url).branch == "template-update/1.1.0"
    assert readme(repository) == NEWER
    newer.write(newer.in_project("README.md"), "# Another\n")
    newer.release("1.2.0")
    assert update(repository, url).branch == "template-update/1.2.0"
    assert len(list((tmp_path / "cache/mlops/templates").glob("*.git"))) == 1
    record = content(repository, "template-update/1.2.0", ".template.json").decode()
    assert f'"source": "{url}"' in record  # where it is now


def test_a_password_in_an_address_is_shown_to_nobody(
    web: str, newer: TemplateSource, repository: Repository, update: Update, cache: Path, tmp_path: Path
) -> None:
    """Neither in messages and JSON, which end in logs, nor in the commit, which is pushed."""
    newer.git("clone", "--quiet", "--bare", str(newer.path), str(tmp_path / "web/tags/bare.git"))
    git(tmp_path / "web/tags/bare.git", "update-server-info")
    place = web.rpartition("/")[0].replace("http://", "http://me:secret@")
    done = update(repository, f"{place}/bare.git")
    assert f"Template: {place.replace('me:secret@', '')}/bare.git" in repository.git(
        "log", "-1", "--format=%B", done.branch
    )
    assert "secret" not in open_template(f"{place}/bare.git", repository.path).address
    with pytest.raises(Problem, match="cannot be fetched") as caught:
        update(repository, f"{place}/gone.git")
    assert "secret" not in str(caught.value)


SIGNING = r"""#!/bin/sh
cat >/dev/null  # or git, which has not written it all yet, would take the signing for failed
case "$*" in
  *--verify*) echo "gpg: it is me" >&2; echo "[GNUPG:] GOODSIG me me";;
  *) echo "[GNUPG:] SIG_CREATED me" >&2; printf -- '-----BEGIN PGP SIGNATURE-----\n\nme\n-----END PGP SIGNATURE-----\n';;
esac
"""


def test_a_release_is_what_was_committed_whatever_a_person_has_configured(
    newer: TemplateSource, repository: Repository, update: Update, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gpg, config = tmp_path / "gpg", tmp_path / "gitconfig"
    gpg.write_text(SIGNING)
    gpg.chmod(0o755)
    newer.git("-c", f"gpg.program={gpg}", "commit", "--quiet", "--amend", "--no-edit", "--gpg-sign=me")
    config.write_text(f"[core]\n\tautocrlf = true\n[log]\n\tshowSignature = true\n[gpg]\n\tprogram = {gpg}\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    assert update(repository, newer).result.changed == [".template.json", "README.md"]


def test_links_of_a_template_are_followed_as_when_it_was_rendered_first(
    newer: TemplateSource, repository: Repository, update: Update
) -> None:
    for name, target in (("AGENTS.md", "README.md"), ("OUT.md", "/etc/hostname")):
        (newer.path / newer.in_project(name)).symlink_to(target)
    newer.commit()
    done = update(repository, newer)
    assert content(repository, done.branch, "AGENTS.md").decode() == NEWER
    assert content(repository, done.branch, "OUT.md") == b"/etc/hostname"  # what lies outside is not read


def test_the_newest_is_what_the_source_has_checked_out_whatever_its_branch_is_called(
    newer: TemplateSource, repository: Repository, update: Update, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    newer.git("switch", "--quiet", "--create", "trunk")
    newer.release("1.3.0")
    newer.git("branch", "--quiet", "-D", "main")
    assert update(repository, newer.path.as_uri()).branch == "template-update/1.3.0"


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("gh:org/template", "https://github.com/org/template.git"),
        ("gl:org/template", "https://gitlab.com/org/template.git"),
        ("git@example.org:org/template.git", "git@example.org:org/template.git"),
        ("git+https://example.org/template", "https://example.org/template"),
        ("https://example.org/template.git", "https://example.org/template.git"),
    ],
)
def test_cookiecutters_abbreviations_are_known(address: str, url: str) -> None:
    assert url_of(address) == url


def test_zips_beside_each_other(newer: TemplateSource, repository: Repository, update: Update, tmp_path: Path) -> None:
    newer.zip(tmp_path / "zips/template-1.0.0.zip", "HEAD~1")
    newer.zip(tmp_path / "zips/template-1.1.0.zip")
    newer.zip(tmp_path / "zips/another-9.0.0.zip")
    assert update(repository, str(tmp_path / "zips/template-1.0.0.zip")).branch == "template-update/1.1.0"
    assert readme(repository) == NEWER
    repository.git("branch", "--quiet", "-D", "template-update/1.1.0")
    (tmp_path / "zips/another-9.0.0.zip").unlink()
    assert update(repository, str(tmp_path / "zips")).branch == "template-update/1.1.0"


def test_zips_keep_the_modes_of_files(
    newer: TemplateSource, repository: Repository, update: Update, tmp_path: Path
) -> None:
    newer.write(newer.in_project("run.sh"), "#!/bin/sh\n")
    (newer.path / newer.in_project("run.sh")).chmod(0o755)
    newer.release("1.2.0")
    newer.zip(tmp_path / "zips/t-1.0.0.zip", "HEAD~2")
    newer.zip(tmp_path / "zips/t-1.2.0.zip")
    update(repository, str(tmp_path / "zips"))
    assert repository.git("ls-tree", "template-update/1.2.0", "run.sh").startswith("100755")


def test_a_zip_alone_cannot_tell_what_it_was_before(
    newer: TemplateSource, repository: Repository, update: Update, tmp_path: Path
) -> None:
    with pytest.raises(Problem, match=r"the release 1\.0\.0 is not at .*one zip for each release .* template-0\.3\.0"):
        update(repository, str(newer.zip(tmp_path / "template.zip")))
    assert not repository.git("branch", "--list", "template-update/*")


def test_a_zip_that_is_called_another_release_than_it_holds(
    newer: TemplateSource, repository: Repository, update: Update, tmp_path: Path
) -> None:
    newer.zip(tmp_path / "zips/t-1.0.0.zip", "HEAD~1")
    newer.zip(tmp_path / "zips/t-2.0.0.zip")
    with pytest.raises(Problem, match=r"t-2\.0\.0\.zip holds the release 1\.1\.0, not 2\.0\.0"):
        update(repository, str(tmp_path / "zips"))


@pytest.fixture
def web(newer: TemplateSource, tmp_path: Path) -> Iterator[str]:
    """A web server with a zip for each release."""
    newer.zip(tmp_path / "web/tags/1.0.0.zip", "HEAD~1")
    newer.zip(tmp_path / "web/tags/1.1.0.zip")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(tmp_path / "web"))  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/tags/1.0.0.zip"
        server.shutdown()


def test_zips_on_a_web_server_which_lists_nothing(web: str, repository: Repository, update: Update) -> None:
    assert update(repository, web, to="1.1.0").branch == "template-update/1.1.0"
    assert readme(repository) == NEWER
    with pytest.raises(Problem, match="cannot be fetched: nonnumeric port"):
        update(repository, "http://me:secret@localhost/template-1.0.0.zip", to="1.1.0")
    with pytest.raises(Problem, match=r"tags/3\.0\.0\.zip cannot be fetched: the server answered 404"):
        update(repository, web, to="3.0.0")


def test_a_place_that_is_gone_or_is_no_template(
    newer: TemplateSource, repository: Repository, update: Update, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "folder").mkdir()
    git(tmp_path / "folder", "init", "--quiet", "empty")
    (tmp_path / "broken-1.0.0.zip").write_bytes(b"PK no zip")
    for address, reason in (
        (str(tmp_path / "nowhere"), "there is no template at"),
        ((tmp_path / "nowhere").as_uri(), "cannot be fetched"),
        (str(tmp_path / "nowhere.zip"), "there is no template at"),
        (str(tmp_path / "folder"), "is neither a git repository nor a folder of zips"),
        (str(tmp_path / "folder/empty"), "has no commit"),
        (str(tmp_path / "broken-1.0.0.zip"), "cannot be unpacked"),
        (str(repository.path), "has no release '1.0.0'; there are: none"),
    ):
        with pytest.raises(Problem, match=reason) as problem:
            update(repository, address)
        assert "\n" not in str(problem.value)
        assert not repository.git("branch", "--list", "template-update/*")


def test_zips_on_s3(aws: Sandbox, newer: TemplateSource, repository: Repository, tmp_path: Path) -> None:
    live = Repository(repository.path, aws.environment())
    with patch.dict(os.environ, live.environment):
        s3 = boto3.Session().client("s3")
    s3.create_bucket(Bucket="acme-templates")
    for version, commit in (("1.0.0", "HEAD~1"), ("1.1.0", "HEAD")):
        file = newer.zip(tmp_path / f"zips/mlops-{version}.zip", commit)
        s3.upload_file(str(file), "acme-templates", f"ml/{file.name}")
    before = len(aws.calls)
    done = in_process.update(live, "s3://acme-templates/ml/mlops-1.0.0.zip")
    assert "The branch template-update/1.1.0 is made" in done.stdout
    assert [call["operation"] for call in aws.calls[before:]] == ["ListObjectsV2", "GetObject", "GetObject"]
    assert readme(repository) == NEWER
    assert in_process.update(live, "s3://acme-templates/ml", "--check").returncode == 1
    for address, reason in (
        ("s3://acme-templates/nowhere/", "there is no template at s3://acme-templates/nowhere/"),
        ("s3://acme-nowhere/ml/", "s3://acme-nowhere/ml/ cannot be listed: "),
    ):
        failed = in_process.update(live, address, "--check")
        assert failed.returncode == 1
        assert len(failed.stderr.splitlines()) == 1
        assert failed.stderr.startswith(reason)
