"""A model registry as pipelines fill it: versions with metadata, and what these name on S3."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import boto3

from tests.setup.account import GROUPS, Account

BUCKET = "mlops-account-artifacts-123456789012"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"
DIGEST = "sha256:" + "ab" * 32
TREE = "d1" * 16


def lineage(**metrics: float) -> dict[str, Any]:
    """A lineage file as Compare writes it."""
    return {
        "format": 1,
        "hyperparameters": {"learning_rate": "0.05", "max_iter": "200"},
        "metrics": {
            name: {"value": value, "confidence_interval_95": [value - 0.01, value + 0.01]}
            for name, value in metrics.items()
        },
        "packages": {"numpy": "2.3.4", "scikit-learn": "1.9.0"},
        "python": "3.11.9",
        "image": {"uri": IMAGE, "digest": DIGEST},
        "dataset": {"uri": f"s3://{BUCKET}/nonprod/x/content/{TREE}", "version": "e2" * 32},
        "split": {"validation_fraction": 0.2, "test_fraction": 0.2, "seed": 42},
        "main_metric": "auc",
    }


class FilledRegistry:
    """The sandbox's registry, filled with boto3."""

    def __init__(self, account: Account) -> None:
        self.account, self.sagemaker = account, account.sagemaker
        self.s3, self._iam, self._sts = (self._client(name, account.environment) for name in ("s3", "iam", "sts"))
        self._by: dict[str, Any] = {}

    def start(self) -> None:
        """Begin in an empty account."""
        self.s3.create_bucket(Bucket=BUCKET)
        self._by.clear()

    def make_groups(self, slug: str, roles: tuple[str, ...] = GROUPS["champion-challenger"], **tags: str) -> None:
        """Make a project's groups, tagged as setup does."""
        given = {"mlops:project": slug, "mlops:owner": f"{slug}@hospital.org", "mlops:template": "0.4.0"} | tags
        for role in roles:
            self.account.make_group(f"{slug}-{role}", given)

    def store(self, content: object, folder: str, text: bytes | None = None) -> str:
        """Put a JSON file under its hash and return its URI."""
        data = json.dumps(content).encode() if text is None else text
        key = f"prod/tumor-diagnosis/{folder}/{hashlib.sha256(data).hexdigest()}.json"
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=data)
        return f"s3://{BUCKET}/{key}"

    def register(self, group: str, by: str = "", **changes: Any) -> int:
        """Register a version as a pipeline does; `metadata` and all members of the request may be others.

        by: the name of a role, which is made; else the developer registers it.
        """
        metadata = {
            "commit": COMMIT,
            "branch": "main",
            "dataset_uri": f"s3://{BUCKET}/nonprod/x/content/{TREE}",
            "dataset_version": "e2" * 32,
            "template_version": "0.4.0",
            "execution": "abcd1234efgh",
            "metric_auc": "0.991",
        }
        metadata |= changes.pop("metadata", {})
        request: dict[str, Any] = {
            "ModelPackageGroupName": group,
            "ModelPackageDescription": "of a test",
            "ModelApprovalStatus": "PendingManualApproval",
            "InferenceSpecification": {
                "Containers": [
                    {
                        "Image": IMAGE,
                        "ModelDataUrl": f"s3://{BUCKET}/prod/x/executions/abcd1234efgh/Train/model.tar.gz",
                        "Environment": {"SAGEMAKER_PROGRAM": "inference.py"},
                    }
                ],
                "SupportedContentTypes": ["text/csv", "application/json"],
                "SupportedResponseMIMETypes": ["application/json", "text/csv"],
            },
            "CustomerMetadataProperties": {name: value for name, value in metadata.items() if value},
            "Domain": "MACHINE_LEARNING",
            "Task": "CLASSIFICATION",
        }
        made = self._as(by).create_model_package(**(request | changes))
        return int(made["ModelPackageArn"].rpartition("/")[2])

    def describe(self, group: str, number: int) -> dict[str, Any]:
        """What AWS says of a version."""
        arn = f"arn:aws:sagemaker:us-east-1:123456789012:model-package/{group}/{number}"
        described: dict[str, Any] = self.sagemaker.describe_model_package(ModelPackageName=arn)
        return described

    def deploy(self, endpoint: str, configuration: str) -> None:
        """Make an endpoint with a configuration of that name."""
        model = {"ModelName": configuration, "PrimaryContainer": {"Image": IMAGE}}
        self.sagemaker.create_model(**model)
        variant = {"VariantName": "v", "ModelName": configuration, "InitialInstanceCount": 1}
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=configuration, ProductionVariants=[variant | {"InstanceType": "ml.m5.large"}]
        )
        self.sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=configuration)

    def updates(self) -> int:
        """How many times a version was changed so far."""
        return sum(call["operation"] == "UpdateModelPackage" for call in self.account.sandbox.calls)

    def _as(self, role: str) -> Any:
        if not role:
            return self.sagemaker
        if role not in self._by:
            trust = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
            document = json.dumps(trust | {"Version": "2012-10-17"})
            arn = self._iam.create_role(RoleName=role, AssumeRolePolicyDocument=document)["Role"]["Arn"]
            keys = self._sts.assume_role(RoleArn=arn, RoleSessionName="SageMaker")["Credentials"]
            self._by[role] = self._client("sagemaker", {
                "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
                "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
                "AWS_SESSION_TOKEN": keys["SessionToken"],
            })  # fmt: skip
        return self._by[role]

    def _client(self, service: str, keys: Any) -> Any:
        return boto3.Session(
            aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=keys.get("AWS_SESSION_TOKEN"),
            region_name=self.account.sandbox.region,
        ).client(service, endpoint_url=self.account.sandbox.url)
