"""KMS: the states of keys, their policies and aliases, before moto."""

from sandbox.kms.keys import find_key, require_usable
from sandbox.kms.service import Kms

__all__ = ["Kms", "find_key", "require_usable"]
