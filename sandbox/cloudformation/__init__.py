"""CloudFormation: stacks and change sets that really make each resource, by calls to this sandbox."""

from sandbox.cloudformation.service import CloudFormation

__all__ = ["CloudFormation"]
