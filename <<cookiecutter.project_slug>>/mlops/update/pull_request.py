"""The pull request of an update, to `dev`, where the repository has a remote."""

import yaml

from mlops.clone import remotes
from mlops.own_repository import SETTINGS
from mlops.problem import Problem
from mlops.pull_request import PullRequest
from mlops.update.outlook import Outlook, committed
from mlops.update.start import BRANCH


def pull_request(outlook: Outlook, branch: str, title: str, text: str) -> PullRequest | None:
    """Return the pull request to open, or None where the repository has no remote, or settings that cannot be read."""
    remote = next(iter(remotes(outlook.root)), None)
    if remote is None or not outlook.start.is_dev:
        return None
    from mlops.settings import check

    try:
        settings = check(yaml.safe_load(committed(outlook.root, outlook.start, SETTINGS) or b""), SETTINGS)
    except (Problem, yaml.YAMLError, ValueError):  # 2024-13-45 is a ValueError
        return None
    place = settings.source_control
    where = (place.host, place.repository, settings.region, remote)
    return PullRequest(outlook.root, *where, branch, BRANCH, title, text)
