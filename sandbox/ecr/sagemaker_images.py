"""SageMaker's images of scikit-learn and XGBoost: who has them, in which region, with which tags.

Source: SageMaker Python SDK, image_uri_config/sklearn.json and xgboost.json; a test compares these tables with the SDK.
Manifests and digests are made up, but hang together: a digest is the SHA-256 of the manifest, as in every registry.
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache

MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG_TYPE = "application/vnd.docker.container.image.v1+json"
_LAYER_TYPE = "application/vnd.docker.image.rootfs.diff.tar.gzip"
_CONFIG_SIZE = 12_000
_LAYER_SIZES = (30_000_000, 450_000_000)  # a base system, and Python with the framework

# Region -> account; both frameworks' images are in the same one.
ACCOUNTS = {
    "af-south-1": "510948584623",
    "ap-east-1": "651117190479",
    "ap-northeast-1": "354813040037",
    "ap-northeast-2": "366743142698",
    "ap-northeast-3": "867004704886",
    "ap-south-1": "720646828776",
    "ap-south-2": "628508329040",
    "ap-southeast-1": "121021644041",
    "ap-southeast-2": "783357654285",
    "ap-southeast-3": "951798379941",
    "ap-southeast-4": "106583098589",
    "ca-central-1": "341280168497",
    "ca-west-1": "190319476487",
    "cn-north-1": "450853457545",
    "cn-northwest-1": "451049120500",
    "eu-central-1": "492215442770",
    "eu-central-2": "680994064768",
    "eu-north-1": "662702820516",
    "eu-south-1": "978288397137",
    "eu-south-2": "104374241257",
    "eu-west-1": "141502667606",
    "eu-west-2": "764974769150",
    "eu-west-3": "659782779980",
    "il-central-1": "898809789911",
    "me-central-1": "272398656194",
    "me-south-1": "801668240914",
    "sa-east-1": "737474898029",
    "us-east-1": "683313688378",
    "us-east-2": "257758044811",
    "us-gov-east-1": "237065988967",
    "us-gov-west-1": "414596584902",
    "us-west-1": "746614075791",
    "us-west-2": "246618743249",
}
TAGS = {
    "sagemaker-scikit-learn": (
        "0.20.0-cpu-py3",
        "0.23-1-cpu-py3",
        "1.0-1-cpu-py3",
        "1.2-1-cpu-py3",
        "1.4-2-cpu-py3",
        "1.4-2-py312-cpu-py3",
        "1.9-0-cpu-py3",
    ),
    "sagemaker-xgboost": (
        "0.90-1-cpu-py3",
        "0.90-2-cpu-py3",
        "1.0-1-cpu-py3",
        "1.2-1",
        "1.2-2",
        "1.3-1",
        "1.5-1",
        "1.7-1",
        "3.0-5",
        "3.2-0",
    ),
}


@lru_cache(maxsize=64)
def manifest(repository: str, tag: str) -> str:
    """Image Manifest Version 2, Schema 2 (CNCF Distribution), the same in every region."""
    image = f"{repository}:{tag}"
    layers = [
        {"mediaType": _LAYER_TYPE, "size": size, "digest": digest_of(f"{image} layer {number}")}
        for number, size in enumerate(_LAYER_SIZES)
    ]
    config = {"mediaType": CONFIG_TYPE, "size": _CONFIG_SIZE, "digest": digest_of(f"{image} config")}
    return json.dumps({"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": config, "layers": layers}, indent=3)


def digest_of(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def size_of_image() -> int:
    """Compressed bytes of an image's layers."""
    return sum(_LAYER_SIZES)
