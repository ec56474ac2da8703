"""What things are called: the names that CI, deployment and people agree on."""

import hashlib
import re

from mlops.settings import EnvironmentName, Settings

BRANCHES: dict[str, EnvironmentName] = {"dev": "dev", "main": "prod"}
CHAMPION_CHALLENGER = ("champion", "challenger")


def model_package_groups(settings: Settings) -> dict[str, EnvironmentName]:
    """Return the model package groups of the scenario, each with the environment that it belongs to.

    A name has at most 32 + 11 characters; SageMaker takes 63 (CreateModelPackageGroup).
    """
    slug = settings.project.slug
    groups: dict[str, EnvironmentName] = {
        f"{slug}-feature": "feature",
        f"{slug}-dev": "dev",
        f"{slug}-prod": "prod",
    }
    if settings.scenario == "champion-challenger":
        groups |= {f"{slug}-{role}": "prod" for role in CHAMPION_CHALLENGER}
    return groups


def environment_of(branch: str | None) -> EnvironmentName | None:
    """Return the environment that a branch belongs to, or None for branches that only get checks."""
    if branch and branch.startswith(("feature-", "feature/")):
        return "feature"
    return BRANCHES.get(branch or "")


LONGEST_BRANCH = 32  # characters of a branch in a pipeline's name


def pipeline_name(slug: str, environment: EnvironmentName, branch: str | None) -> str:
    """Return the name of the pipeline of an environment; each feature branch has its own.

    At most 32 + 9 + 32 + 9 characters out of letters, digits and single hyphens: SageMaker takes 256 (CreatePipeline).
    A branch's name is cut, so its hash tells two of them apart.
    """
    if environment != "feature":
        return f"{slug}-{environment}"
    name = branch or "detached"
    short = re.sub(r"^feature[-/]", "", name)
    readable = re.sub(r"[^a-z0-9]+", "-", short.lower())[:LONGEST_BRANCH].strip("-") or "branch"
    return f"{slug}-feature-{readable}-{hashlib.sha256(name.encode('utf-8')).hexdigest()[:8]}"
