"""What a version says about itself is held against AWS's rules before the run that would end in it."""

import unicodedata
from collections.abc import Mapping

from mlops.definition.parameters import METADATA
from mlops.problem import Problem

# CreateModelPackage, CustomerMetadataProperties: keys of 1 to 128 characters, values of 1 to 256, all out of
# [\p{L}\p{Z}\p{N}_.:/=+\-@]. Lengths are counted in UTF-16 units.
MARKS = "_.:/=+-@"
LONGEST_KEY, LONGEST_VALUE = 128, 256
NAMED_BY_SAGEMAKER = "0" * 12  # an execution of a pipeline (ExecutionVariables.PIPELINE_EXECUTION_ID)

REMEDIES = {
    "commit": "it comes from git status",
    "branch": "rename the branch",
    "dataset_uri": "move the data to a place that can be named so",
    "template_version": "correct `version` in .template.json",
}


def known_metadata(parameters: Mapping[str, str], metric: str) -> dict[str, str]:
    """Return the metadata of the version that a run with these parameters registers, as far as they are known.

    What only the run knows has a stand-in of the same length.
    """
    folder = f"{parameters['ArtifactsUri']}/{NAMED_BY_SAGEMAKER}/Compare/lineage"
    return {key: parameters[name] for key, name in METADATA.items()} | {
        "lineage_uri": f"{folder}/{'0' * 64}.json",
        "execution": NAMED_BY_SAGEMAKER,
        f"metric_{metric}": "-1.7976931348623157e+308",  # as JSON writes numbers: always legal
    }


def check_metadata(values: Mapping[str, str]) -> None:
    """See to it that AWS takes the metadata of a version: it would refuse them after training.

    Raises:
        Problem: it would not; names key, value, and what to do.
    """
    for key, value in values.items():
        remedy = REMEDIES.get(key, "choose a shorter name, out of such characters")
        for what, text, longest in (("key", key, LONGEST_KEY), ("value", value, LONGEST_VALUE)):
            if wrong := _mistake(text, longest):
                raise Problem(f"a version of the model cannot say {key}: {value!r}: the {what} {wrong}; {remedy}")


def _mistake(text: str, longest: int) -> str | None:
    illegal = next((character for character in text if not _is_legal(character)), None)
    if illegal:
        return f"holds {illegal!r}, and AWS allows letters, numbers, spaces and {MARKS}"
    length = len(text.encode("utf-16-le", "surrogatepass")) // 2
    if not 1 <= length <= longest:
        return f"has {length} characters, and AWS allows 1 to {longest}"
    return None


def _is_legal(character: str) -> bool:
    return unicodedata.category(character)[0] in "LZN" or character in MARKS
