"""S3: what a bucket of today refuses, before moto keeps the objects."""

from sandbox.s3.service import S3

__all__ = ["S3"]
