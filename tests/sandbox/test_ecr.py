"""ECR: AWS's own registries of SageMaker images. Source: ECR API Reference, the operation that a docstring names."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sandbox.ecr.sagemaker_images import ACCOUNTS, TAGS

SKLEARN = {"registryId": "683313688378", "repositoryName": "sagemaker-scikit-learn"}
NEWEST = "1.9-0-cpu-py3"
FRAMEWORKS = {"sagemaker-scikit-learn": "sklearn", "sagemaker-xgboost": "xgboost"}


@pytest.fixture
def ecr(shared_client):
    return shared_client("ecr")


def test_an_image_of_awss_has_the_digest_of_its_manifest(ecr):
    """BatchGetImage; a digest is the SHA-256 of the manifest's bytes (OCI Image Format, "Digests")."""
    (image,) = ecr.batch_get_image(**SKLEARN, imageIds=[{"imageTag": NEWEST}])["images"]
    digest = f"sha256:{hashlib.sha256(image['imageManifest'].encode()).hexdigest()}"
    assert image["imageId"] == {"imageDigest": digest, "imageTag": NEWEST}
    assert json.loads(image["imageManifest"])["mediaType"] == image["imageManifestMediaType"]
    (again,) = ecr.batch_get_image(**SKLEARN, imageIds=[{"imageDigest": digest}])["images"]
    assert (again["imageManifest"], again["imageId"]) == (image["imageManifest"], {"imageDigest": digest})
    (details,) = ecr.describe_images(**SKLEARN, imageIds=[{"imageTag": NEWEST}])["imageDetails"]
    assert (details["imageDigest"], details["imageTags"]) == (digest, [NEWEST])


def test_an_image_that_is_not_there(ecr, refused):
    """BatchGetImage: failures; DescribeImages: ImageNotFoundException."""
    wanted = [
        {"imageTag": "latest"},
        {"imageTag": NEWEST},
        {"imageTag": NEWEST, "imageDigest": "sha256:" + "0" * 64},
        {},
    ]
    got = ecr.batch_get_image(**SKLEARN, imageIds=wanted)
    assert [failure["failureCode"] for failure in got["failures"]] == [
        "ImageNotFound",
        "ImageTagDoesNotMatchDigest",
        "MissingDigestAndTag",
    ]
    assert len(got["images"]) == 1
    code, message = refused(ecr.describe_images, **SKLEARN, imageIds=[{"imageTag": "latest"}])
    assert (code, "imageTag:'latest'" in message) == ("ImageNotFoundException", True)


@pytest.mark.parametrize(
    "where",
    [
        {"registryId": "683313688378", "repositoryName": "sagemaker-tensorflow"},
        {"registryId": "257758044811", "repositoryName": "sagemaker-scikit-learn"},
        {"registryId": "210987654321", "repositoryName": "mine"},
        {"repositoryName": "none"},
    ],
)
def test_a_repository_that_is_not_there_for_us(ecr, refused, where):
    """RepositoryNotFoundException: another repository, another region's registry, somebody else's, none. moto looks
    into the caller's own registry whatever registryId says."""
    ecr.create_repository(repositoryName="mine")
    for operation in (ecr.batch_get_image, ecr.describe_images):
        assert refused(operation, **where, imageIds=[{"imageTag": NEWEST}])[0] == "RepositoryNotFoundException"


def test_a_registry_is_of_one_region(shared_client):
    ohio = shared_client("ecr", region="us-east-2")
    where = {"registryId": ACCOUNTS["us-east-2"], "repositoryName": "sagemaker-xgboost"}
    assert len(ohio.describe_images(**where)["imageDetails"]) == len(TAGS["sagemaker-xgboost"])
    assert {"imageTag": "3.2-0"}.items() <= ohio.list_images(**where)["imageIds"][-1].items()


def test_a_token_is_good_for_twelve_hours(ecr):
    """GetAuthorizationToken: "valid for 12 hours"."""
    (got,) = ecr.get_authorization_token()["authorizationData"]
    assert timedelta(hours=11, minutes=59) < got["expiresAt"] - datetime.now(UTC) <= timedelta(hours=12)
    assert base64.b64decode(got["authorizationToken"]).startswith(b"AWS:")
    assert got["proxyEndpoint"] == "https://123456789012.dkr.ecr.us-east-1.amazonaws.com"


def test_what_is_not_here_is_refused(ecr, refused):
    index = {"acceptedMediaTypes": ["application/vnd.oci.image.index.v1+json"]}
    assert (
        refused(ecr.batch_get_image, **SKLEARN, **index, imageIds=[{"imageTag": NEWEST}])[0]
        == "NotImplementedInSandbox"
    )
    layer = {"layerDigest": "sha256:" + "0" * 64}
    assert refused(ecr.get_download_url_for_layer, **SKLEARN, **layer)[0] == "NotImplementedInSandbox"


def test_the_call_log_names_the_repository_of_its_account(ecr, sandbox):
    ecr.batch_get_image(**SKLEARN, imageIds=[{"imageTag": NEWEST}])
    assert sandbox.calls[-1]["resource"] == "arn:aws:ecr:us-east-1:683313688378:repository/sagemaker-scikit-learn"


@pytest.mark.parametrize("repository", FRAMEWORKS)
def test_the_tables_are_those_of_the_sagemaker_sdk(repository):
    """image_uri_config of the installed SDK: accounts and versions; `-cpu-py3` where the SDK adds it."""
    found = importlib.util.find_spec("sagemaker")
    assert found is not None
    path = Path(
        next(iter(found.submodule_search_locations or ())), "core", "image_uri_config", f"{FRAMEWORKS[repository]}.json"
    )
    tags, accounts = set(), {}
    for scope in ("training", "inference"):
        for version, image in json.loads(path.read_text())[scope]["versions"].items():
            if image["repository"] == repository:
                tags.add(version + ("-cpu-py3" if image.get("py_versions") else ""))
                accounts.update(image["registries"])
    assert set(TAGS[repository]) == tags
    assert {region: account for region, account in accounts.items() if "-iso" not in region} == ACCOUNTS
