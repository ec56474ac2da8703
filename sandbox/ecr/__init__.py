"""ECR: AWS's own registries of SageMaker images; the account's are moto's."""

from sandbox.ecr.service import Ecr

__all__ = ["Ecr"]
