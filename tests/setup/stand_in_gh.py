"""GitHub behind its command line, for the calls that mlops makes: repositories are bare ones in $GH_STANDS_IN.

Whatever mlops does not do is refused. Texts and codes are gh's: an error of the REST interface is `gh: MESSAGE (HTTP
STATUS)` after the body on standard output (`gh api`), one of GraphQL `GraphQL: MESSAGE (MUTATION)` (`gh repo create`).
Each call is a line of calls.log; fail.json names one that fails: {"call": 3, "effect": true, "text": "HTTP 502: …"}.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

HERE = Path(os.environ["GH_STANDS_IN"])
BRANCHES = '.[] | .commit.sha + " " + .name'
NOT_LOGGED_IN = (
    "To get started with GitHub CLI, please run:  gh auth login\n"
    "Alternatively, populate the GH_TOKEN environment variable with a GitHub API authentication token."
)


def fail(text: str, code: int = 1) -> NoReturn:
    print(text, file=sys.stderr)
    sys.exit(code)


def api_error(status: int, message: str) -> NoReturn:
    print(json.dumps({"message": message, "status": str(status)}))
    fail(f"gh: {message} (HTTP {status})")


def git(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", "-C", str(HERE / f"{name}.git"), *arguments], capture_output=True, text=True)


def facts(name: str) -> dict[str, Any]:
    file = HERE / f"{name}.json"
    if not file.is_file():
        api_error(404, "Not Found")
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def branches(name: str) -> dict[str, str]:
    lines = git(name, "for-each-ref", "--format=%(refname:lstrip=2) %(objectname)", "refs/heads").stdout.splitlines()
    return dict(line.split(" ", 1) for line in lines)


def create(name: str, description: str) -> None:
    if len(description) > 350 or not description.isprintable():
        fail("GraphQL: Description is too long (maximum is 350 characters) (createRepository)")
    if (HERE / f"{name}.json").is_file():
        fail("GraphQL: Name already exists on this account (createRepository)")
    folder = HERE / f"{name}.git"
    folder.mkdir(parents=True)
    git(name, "init", "--quiet", "--bare", "--initial-branch=main")
    write(name, {"clone_url": folder.as_uri(), "default_branch": "main", "description": description, "private": True})
    print(f"https://github.com/{name}")


def write(name: str, found: dict[str, Any]) -> None:
    (HERE / f"{name}.json").write_text(json.dumps(found))


def patch(name: str, fields: list[str]) -> None:
    found = facts(name)
    assert fields[::2] == ["-f"] * (len(fields) // 2)
    changes = dict(field.split("=", 1) for field in fields[1::2])
    if not changes.keys() <= {"default_branch", "description"}:
        api_error(422, "Invalid request.")
    if changes.get("default_branch", "main") not in branches(name) and branches(name):
        api_error(422, "Validation Failed")
    if "default_branch" in changes and not branches(name):
        api_error(
            422, "Cannot update default branch for an empty repository. Please init the repository and push first."
        )
    write(name, {**found, **changes})
    print(json.dumps({**found, **changes}))


def delete(name: str) -> None:
    if (HERE / "no-delete-scope").is_file():
        fail(
            f"HTTP 403: Must have admin rights to Repository. (https://api.github.com/repos/{name})\n"
            'This API operation needs the "delete_repo" scope. To request it, run:  '
            "gh auth refresh -h github.com -s delete_repo"
        )
    facts(name)
    (HERE / f"{name}.json").unlink()
    subprocess.run(["rm", "-rf", str(HERE / f"{name}.git")], check=True)


def pull_request(name: str, base: str, head: str) -> None:
    found, known = facts(name), branches(name)
    opened: dict[str, int] = found.setdefault("pull_requests", {})
    if base not in known or head not in known:
        fail(
            "pull request create failed: GraphQL: Head sha can't be blank, Base sha can't be blank (createPullRequest)"
        )
    if head in opened:
        fail(
            f'a pull request for branch "{head}" into branch "{base}" already exists:\n'
            f"https://github.com/{name}/pull/{opened[head]}"
        )
    opened[head] = len(opened) + 1
    write(name, found)
    print(f"https://github.com/{name}/pull/{opened[head]}")


def do(arguments: list[str]) -> None:
    match arguments:
        case ["pr", "list", "--repo", name, "--base", _, "--head", head, "--state", "open", *shown]:
            assert shown == ["--json", "url", "--jq", ".[].url"]
            if number := facts(name).get("pull_requests", {}).get(head):
                print(f"https://github.com/{name}/pull/{number}")
        case ["pr", "create", "--repo", name, "--base", base, "--head", head, "--title", _, "--body" | "--fill", *_]:
            pull_request(name, base, head)
        case ["auth", "git-credential", _]:
            print("username=x\npassword=y")
        case ["repo", "create", name, "--private", "--description", description]:
            create(name, description)
        case ["repo", "delete", name, "--yes"]:
            delete(name)
        case ["api", "--method", "PATCH", path, *fields]:
            patch(path.removeprefix("repos/"), fields)
        case ["api", "--paginate", path, "--jq", filter_] if filter_ == BRANCHES:
            found = re.fullmatch(r"repos/([^/]+/[^/]+)/branches\?per_page=100", path)
            assert found
            facts(found[1])
            for branch, commit in branches(found[1]).items():
                print(commit, branch)
        case ["api", path] if found := re.fullmatch(r"repos/([^/]+/[^/]+)/git/commits/([0-9a-f]{40})", path):
            facts(found[1])
            if not branches(found[1]):
                api_error(409, "Git Repository is empty.")
            if git(found[1], "cat-file", "-e", f"{found[2]}^{{commit}}").returncode:
                api_error(404, "Not Found")
            print(json.dumps({"sha": found[2]}))
        case ["api", path] if found := re.fullmatch(r"repos/([^/]+/[^/]+)", path):
            print(json.dumps(facts(found[1])))
        case _:
            fail(f"unknown command {arguments} for the stand-in of gh")


def main() -> None:
    arguments = sys.argv[1:]
    if (HERE / "not-logged-in").is_file():
        fail(NOT_LOGGED_IN, 4)
    with (HERE / "calls.log").open("a") as log:
        log.write(json.dumps(arguments) + "\n")
    number = len((HERE / "calls.log").read_text().splitlines())
    wanted = HERE / "fail.json"
    failure: dict[str, Any] = json.loads(wanted.read_text()) if wanted.is_file() else {"call": 0}
    if failure["call"] == number:
        if failure["effect"]:
            do(arguments)
        fail(str(failure["text"]))
    do(arguments)


main()
