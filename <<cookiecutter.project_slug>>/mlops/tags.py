"""The tags that every AWS resource of this repository carries."""

import unicodedata

from mlops.settings import Settings
from mlops.template_record import load_template_record

ROOT_COMMIT = "mlops:root-commit"  # whose resource it is: two repositories may share a name, never a root commit
VALUE_LENGTH = 256
DESCRIPTION_LENGTH = 1000


def tags(settings: Settings, environment: str, root_commit: str) -> dict[str, str]:
    """Return the tags of a resource in `environment` (`all` where it serves several).

    Raises:
        Problem: `.template.json` cannot be read.
    """
    return {
        "mlops:project": settings.project.slug,
        "mlops:environment": environment,
        "mlops:owner": legal(settings.project.owner),
        "mlops:template": load_template_record().version,
        ROOT_COMMIT: root_commit,
    }


def legal(text: str) -> str:
    """Return the nearest value that every AWS service takes as a tag value.

    At most 256 characters out of letters, numbers, separators and `_.:/=+-@` (SageMaker's `TagValue`;
    "Tag naming limits and requirements" of the AWS tagging guide). Each run of others becomes one `-`;
    accents that have no composed form are dropped. May be empty: so may a tag's value.
    """
    characters: list[str] = []
    for character in unicodedata.normalize("NFC", text):
        category = unicodedata.category(character)
        if category[0] in "LN" or category == "Zs" or character in "_.:/=+-@":
            characters.append(character)
        elif category[0] != "M" and characters[-1:] != ["-"]:
            characters.append("-")
    # Lengths are counted in UTF-16 units: a letter beyond the basic plane counts twice.
    units = "".join(characters).encode("utf-16-le")[: 2 * VALUE_LENGTH]
    return units.decode("utf-16-le", errors="ignore").strip()


def description(text: str) -> str:
    """Return `text` as every AWS service takes it for a description.

    SageMaker's `EntityDescription` has 1,024 characters out of letters, marks, separators, symbols, numbers and
    punctuation; CodeCommit's has 1,000. So joiners inside an emoji, marks of writing direction, controls and
    private characters are dropped.
    """
    legal_ones = "".join(
        character if unicodedata.category(character)[0] != "C" else " " * character.isspace() for character in text
    )
    return legal_ones.encode("utf-16-le")[: 2 * DESCRIPTION_LENGTH].decode("utf-16-le", errors="ignore")


def as_list(named: dict[str, str]) -> list[dict[str, str]]:
    """Return tags the way SageMaker's API wants them."""
    return [{"Key": key, "Value": value} for key, value in named.items()]
