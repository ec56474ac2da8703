"""The sandbox's own services, by botocore's name of each; what is not here, and what they leave open, is moto's."""

from __future__ import annotations

from pathlib import Path

from sandbox.call_log import CallLog
from sandbox.calls import Service
from sandbox.cloudformation import CloudFormation
from sandbox.cloudwatch_logs import CloudWatchLogs
from sandbox.codebuild import CodeBuild
from sandbox.codecommit import CodeCommit
from sandbox.ec2 import Ec2
from sandbox.ecr import Ecr
from sandbox.eventbridge import EventBridge
from sandbox.functions import Functions
from sandbox.iam import Iam
from sandbox.inside import Inside
from sandbox.kms import Kms
from sandbox.s3 import S3
from sandbox.sagemaker import SageMaker
from sandbox.service_quotas import ServiceQuotas
from sandbox.ssm import Ssm
from sandbox.sts import Sts
from sandbox.tagging import Tagging


class Services:
    """All of one sandbox. Those that others than the front use have names of their own."""

    def __init__(self, inside: Inside, log: CallLog, folder: Path) -> None:
        self.codecommit = CodeCommit(folder / "codecommit", inside)
        self.events = EventBridge(inside, log)
        self.functions = Functions(inside, folder / "functions")
        self.by_name: dict[str, Service] = {
            "cloudformation": CloudFormation(inside),
            "codebuild": CodeBuild(inside),
            "codecommit": self.codecommit,
            "ec2": Ec2(),
            "ecr": Ecr(),
            "events": self.events,
            "iam": Iam(),
            "kms": Kms(),
            "lambda": self.functions,
            "logs": CloudWatchLogs(),
            "resourcegroupstaggingapi": Tagging(),
            "s3": S3(inside),
            "sagemaker": SageMaker(inside),
            "service-quotas": ServiceQuotas(inside.quotas),
            "ssm": Ssm(),
            "sts": Sts(),
        }
