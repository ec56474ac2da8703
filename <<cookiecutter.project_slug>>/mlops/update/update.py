"""`mlops update`: from where a repository stands to a branch with the newer template in it."""

import functools
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from mlops.git import git
from mlops.problem import Problem
from mlops.pull_request import PullRequest
from mlops.undo import all_or_nothing
from mlops.update import branch
from mlops.update.merge import Scratch
from mlops.update.outlook import Outlook
from mlops.update.pull_request import pull_request
from mlops.update.rendered import Rendered
from mlops.update.result import Result, merge
from mlops.update.start import complete

AGAIN = "mlops update"


@dataclass(frozen=True)
class Prepared:
    """Both renders as trees in a scratch repository, which is gone when the update is over."""

    outlook: Outlook
    rendered: Rendered
    scratch: Scratch
    base: str
    theirs: str

    def template_changes(self, *, colour: bool) -> str:
        """Return what the template changed, as git shows differences."""
        colours = "--color=always" if colour else "--color=never"
        shown = self.scratch.git("diff-tree", "-r", "-p", "--find-renames", colours, self.base, self.theirs)
        return shown.decode("utf-8", "replace").rstrip("\n")


@dataclass(frozen=True)
class Done:
    """An update that is there: its branch, and how it goes on."""

    branch: str
    commit: str
    result: Result
    was_there: bool
    in_the_way: list[str]
    request: PullRequest | None
    opened: str | None = None  # where the pull request is
    refused: str | None = None  # why it could not be opened


def _push(request: PullRequest) -> None:
    if not request.push():
        raise Problem(
            f"{request.remote} has the branch with something else in it; merge its pull request, or remove it with: "
            f"git push {request.remote} :{request.branch}"
        )


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder for everything that an update makes on its way; nothing of it stays."""
    with tempfile.TemporaryDirectory(prefix="mlops-update-") as folder:
        yield Path(folder).resolve()


def prepare(outlook: Outlook, rendered: Rendered, folder: Path) -> Prepared:
    """Make trees of both renders, in a scratch repository."""
    scratch = Scratch(folder / "merge.git", outlook.root)
    return Prepared(outlook, rendered, scratch, scratch.tree_of(rendered.old), scratch.tree_of(rendered.new))


def carry_out(prepared: Prepared, *, with_pull_request: bool = True) -> Done:
    """Merge, make the branch, and open the pull request if nothing is left to decide.

    Raises:
        Problem: the branch cannot be made, or somebody interrupted; then nothing is left of it.
    """
    outlook, scratch = prepared.outlook, prepared.scratch
    ours = git("rev-parse", f"{outlook.start.commit}^{{tree}}", root=outlook.root)
    complete(outlook.root, ours)
    start, theirs = outlook.start.name, f"template-{outlook.new.name}"
    # git tells the sides apart by their labels; where there is no dev, a branch may be called as the template is.
    labels = ("yours" if start.split("/")[0] == theirs else start, theirs)
    result = merge(scratch, prepared.base, ours, prepared.theirs, labels, prepared.rendered.renamed_settings)
    name = branch.name_of(outlook)
    earlier = branch.existing(outlook, result.tree)
    made = earlier or branch.commit(scratch, outlook, result)
    request = pull_request(outlook, name, branch.title(outlook), prepared.rendered.notes)
    opened = refused = None
    with all_or_nothing(AGAIN) as undo:
        if not earlier:
            undo.add(f"the branch {name}", functools.partial(branch.remove, outlook, made))
            branch.bring(scratch, made, outlook)
        if request and with_pull_request and not result.conflicts and request.can_be_opened:
            try:
                # What an earlier run pushed stays, and so does its pull request.
                with nullcontext() if earlier else undo.making(f"the branch {name} at the remote", request.unpush):
                    _push(request)
                opened = request.open()
            except Problem as problem:
                refused = str(problem)
    return Done(name, made, result, bool(earlier), branch.in_the_way(outlook, result), request, opened, refused)
