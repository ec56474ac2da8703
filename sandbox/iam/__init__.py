"""IAM: what AWS refuses and moto lets through, checked before moto answers."""

from sandbox.iam.service import Iam

__all__ = ["Iam"]
