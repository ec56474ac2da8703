"""SageMaker: the model registry kept strictly here, everything else moto's."""

from sandbox.sagemaker.service import SageMaker

__all__ = ["SageMaker"]
