"""AWS Lambda: functions that really run, in a process of their own, with the role that they have."""

from sandbox.functions.service import Functions

__all__ = ["Functions"]
