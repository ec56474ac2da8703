"""The digest of a container image: what its tag meant when a model was trained."""

import hashlib
import re

from botocore.exceptions import BotoCoreError, ClientError

from mlops import aws

UNKNOWN = "unknown"
IN_ECR = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/(?P<name>[^:@]+)"
    r"(?::(?P<tag>[^@]+))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)


def digest(image_uri: str) -> str:
    """Return the digest of an image, "sha256:…", or "unknown" where ECR does not tell.

    A digest is good to have, not needed: without the permission, or for an image elsewhere, a model is trained all the
    same, and its lineage holds none.
    """
    found = IN_ECR.fullmatch(image_uri)
    if not found:
        return UNKNOWN
    if found["digest"]:
        return found["digest"]
    try:
        answer = aws.client("ecr", found["region"]).batch_get_image(
            registryId=found["account"], repositoryName=found["name"], imageIds=[{"imageTag": found["tag"] or "latest"}]
        )
    except (ClientError, BotoCoreError):
        return UNKNOWN
    images = answer.get("images", [])
    known = next((image["imageId"].get("imageDigest") for image in images), None)
    # The digest is that of the manifest's bytes (OCI Image Format, "Digests").
    return known or next((f"sha256:{hashlib.sha256(i['imageManifest'].encode()).hexdigest()}" for i in images), UNKNOWN)
