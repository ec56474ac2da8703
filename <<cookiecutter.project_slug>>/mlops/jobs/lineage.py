"""What a model was made of, and what came out: a JSON file that is named by the SHA-256 of its bytes.

Nothing in it depends on the execution or the clock, so equal models have equal lineage. It is canonical: sorted keys,
no spaces. Beside it lies baseline.json, taken out of the model's archive: what later data are compared with.
"""

import argparse
import hashlib
import json
import tarfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dataset_version import check_unchanged  # type: ignore[import-not-found]

FORMAT = 1
ARCHIVE = "model.tar.gz"
BASELINE, ENVIRONMENT = "baseline.json", "environment.json"  # what train.py leaves beside the model
NO_IMAGE = "no-image"  # the digest, where training ran in none

Json = dict[str, Any]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare what the pipeline knows of the model's origin. `--lineage-dir` asks for the file; it needs all others."""
    parser.add_argument("--lineage-dir", type=Path, help="where to write the lineage; without: it is not written")
    parser.add_argument("--model-dir", type=Path, help=f"where {ARCHIVE} lies")
    parser.add_argument("--dataset-uri")
    parser.add_argument("--dataset-version", help="as dataset_version.py computed it before the data were read")
    parser.add_argument("--validation-fraction", type=json.loads)
    parser.add_argument("--test-fraction", type=json.loads)
    parser.add_argument("--seed", type=json.loads)
    parser.add_argument("--image", help="the image that trained")
    parser.add_argument("--image-digest", default="unknown", help=f"sha256:…, or unknown, or {NO_IMAGE}")
    # One word each: a name may begin with a dash, and a value may be empty.
    parser.add_argument("--hyperparameter", action="append", default=[], metavar="NAME=VALUE")


def write_lineage(args: argparse.Namespace, metrics: dict[str, Json]) -> str:
    """Write the lineage of a model with these metrics, and its baseline; return the name of the lineage's file.

    Raises:
        ValueError: the data are not what they were before training, or the archive cannot be read.
    """
    check_unchanged(args.dataset_uri, args.dataset_version)
    left = read_archive(args.model_dir / ARCHIVE, (BASELINE, ENVIRONMENT))
    args.lineage_dir.mkdir(parents=True, exist_ok=True)
    (args.lineage_dir / BASELINE).write_bytes(left.get(BASELINE) or missing(BASELINE))
    text = canonical(content(args, metrics, left.get(ENVIRONMENT)))
    name = f"{hashlib.sha256(text).hexdigest()}.json"
    (args.lineage_dir / name).write_bytes(text)
    return name


def content(args: argparse.Namespace, metrics: dict[str, Json], environment: bytes | None) -> Json:
    """Return what the lineage says."""
    in_image = args.image_digest != NO_IMAGE
    digest = args.image_digest if args.image_digest.startswith("sha256:") else None
    pairs = (pair.partition("=") for pair in args.hyperparameter)
    return {
        "format": FORMAT,
        "dataset": {"uri": args.dataset_uri, "version": args.dataset_version},
        "split": {
            "validation_fraction": args.validation_fraction,
            "test_fraction": args.test_fraction,
            "seed": args.seed,
        },
        "hyperparameters": {name: value for name, _, value in pairs},
        "main_metric": args.metric,
        "metrics": metrics,
        "image": {"uri": args.image if in_image else None, "digest": digest},
        **trained_with(environment),
    }


def trained_with(environment: bytes | None) -> Json:
    """Return Python and the packages of training; where it did not leave them, the reason.

    Those of this very job would be a guess: it is another job, perhaps in another image.
    """
    try:
        known = json.loads(environment or missing(ENVIRONMENT))
        python, packages = known["python"], known["packages"]
        if isinstance(python, str) and all(isinstance(number, str) for number in packages.values()):
            return {"python": python, "packages": packages}
    except (ValueError, LookupError, TypeError, AttributeError):
        pass
    problem = f"{ENVIRONMENT} beside the model is not understood" if environment else _not_left(ENVIRONMENT)
    return {"python": None, "packages": None, "environment_problem": problem}


def canonical(value: Json) -> bytes:
    """Return the one JSON text for a value."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8")


def missing(name: str) -> bytes:
    """Return what lies in the place of a file that training did not leave."""
    return canonical({"problem": _not_left(name)})


def _not_left(name: str) -> str:
    return f"train.py left no {name} beside the model"


def read_archive(archive: Path, names: Iterable[str]) -> dict[str, bytes]:
    """Return the content of some files of a model, reading its archive no further than to the last of them.

    Raises:
        ValueError: it cannot be read.
    """
    wanted, found = set(names), dict[str, bytes]()
    try:
        with tarfile.open(archive, "r|gz") as tar:
            for member in tar:
                name = member.name.removeprefix("./")
                if name in wanted and (file := tar.extractfile(member)):
                    found[name] = file.read()
                if found.keys() == wanted:
                    break
    except (OSError, tarfile.TarError, EOFError, zlib.error) as error:
        raise ValueError(f"{ARCHIVE} cannot be read: {' '.join(str(error).split())}") from None
    return found
