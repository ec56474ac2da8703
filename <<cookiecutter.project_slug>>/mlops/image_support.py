"""Until when AWS patches SageMaker's own images for scikit-learn and XGBoost.

An image has a window of a year from its release; after that it still runs, without security patches. Sources, read in
November 2026: "Prebuilt SageMaker image support policy" in the SageMaker Developer Guide, and for the newest two
`docs/src/data/sagemaker-*/` (`eop`) of github.com/aws/deep-learning-containers, which that policy is made from.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta

WARNING = timedelta(days=60)  # before the end

REPOSITORIES = {"sagemaker-scikit-learn": "scikit-learn", "sagemaker-xgboost": "XGBoost"}
# None: the policy says "Not supported" and names no date.
END_OF_PATCH: dict[tuple[str, str], date | None] = {
    ("scikit-learn", "1.9-0"): date(2027, 7, 16),
    ("scikit-learn", "1.4-2-py312"): date(2026, 10, 30),
    ("scikit-learn", "1.4-2"): date(2026, 10, 30),
    ("scikit-learn", "1.2-1"): date(2025, 3, 6),
    ("scikit-learn", "1.0-1"): date(2023, 4, 7),
    ("scikit-learn", "0.23-1"): date(2021, 6, 2),
    ("scikit-learn", "0.20.0"): None,
    ("XGBoost", "3.2-0"): date(2027, 5, 13),
    ("XGBoost", "3.0-5"): date(2026, 11, 17),
    ("XGBoost", "1.7-1"): date(2025, 3, 6),
    ("XGBoost", "1.5-1"): date(2023, 2, 21),
    ("XGBoost", "1.3-1"): date(2022, 5, 21),
    ("XGBoost", "1.2-2"): date(2021, 9, 20),
    ("XGBoost", "1.2-1"): date(2021, 7, 19),
    ("XGBoost", "1.0-1"): None,
}

URI = re.compile(r"(?:^|/)(?P<repository>[^/:@]+)(?::(?P<tag>[^/:@]+))?(?:@sha256:[0-9a-f]+)?$")


@dataclass(frozen=True)
class Support:
    """What AWS says about an image: `listed` tells whether it says anything, `ends` is the last day with patches."""

    image: str  # "scikit-learn 1.9-0", or repository and tag of another image
    listed: bool
    ends: date | None = None

    def state(self, today: date) -> str:
        """Return "supported", "ending" (within 60 days), "ended" or "unknown"."""
        if not self.listed:
            return "unknown"
        if self.ends is None or self.ends < today:
            return "ended"
        return "ending" if self.ends - today <= WARNING else "supported"

    def sentence(self, today: date) -> str:
        """Return the same for people."""
        match self.state(today), self.ends:
            case "unknown", _:
                return "AWS names no date"
            case "ended", None:
                return "no longer patched"
            case "ended", ends:
                return f"patched until {ends}: over"
            case "ending", ends if ends:
                left = (ends - today).days
                return f"patched until {ends}: {left} day{'' if left == 1 else 's'} left"
            case _, ends:
                return f"patched until {ends}"


def support_of_framework(framework: str, version: str | None) -> Support:
    """Return what AWS says about SageMaker's own image of a framework, as mlops.yaml names both; None: the newest."""
    repository = f"sagemaker-{framework}"
    ends = {tag: end for (name, tag), end in END_OF_PATCH.items() if name == REPOSITORIES[repository] and end}
    return support_of(f"{repository}:{version or max(ends, key=lambda tag: ends[tag])}-cpu-py3")


def support_of(image_uri: str | None) -> Support:
    """Return what AWS says about the image of a container, by repository and tag."""
    match = URI.search(image_uri or "")
    if match is None:
        return Support("", listed=False)
    repository, tag = match["repository"], match["tag"] or ""
    framework, version = REPOSITORIES.get(repository), tag.removesuffix("-cpu-py3")
    if framework is None or (framework, version) not in END_OF_PATCH:
        return Support(f"{repository}:{tag}" if tag else repository, listed=False)
    return Support(f"{framework} {version}", listed=True, ends=END_OF_PATCH[framework, version])
