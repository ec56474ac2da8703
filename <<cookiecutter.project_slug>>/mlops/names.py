"""What things are called: the names that CI, deployment and people agree on."""

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
