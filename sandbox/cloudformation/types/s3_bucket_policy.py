"""AWS::S3::BucketPolicy: the one policy of a bucket."""

from __future__ import annotations

from botocore.exceptions import ClientError

from sandbox.cloudformation.types.handler import Handler, Properties
from sandbox.cloudformation.types.policies import document
from sandbox.cloudformation.work import Work, already_exists


class BucketPolicy(Handler):
    type = "AWS::S3::BucketPolicy"
    handled = {"Bucket": None, "PolicyDocument": None}  # noqa: RUF012

    def create(self, work: Work, wanted: Properties) -> None:
        try:
            work.client("s3").get_bucket_policy(Bucket=wanted["Bucket"])
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchBucketPolicy":
                raise
        else:
            raise already_exists(self.type, wanted["Bucket"])
        self._put(work, wanted)
        work.made(wanted["Bucket"])

    def update(self, work: Work, old: Properties, new: Properties) -> None:
        self._put(work, new)

    def delete(self, work: Work, held: Properties) -> None:
        work.client("s3").delete_bucket_policy(Bucket=held["Bucket"])

    def _put(self, work: Work, wanted: Properties) -> None:
        work.client("s3").put_bucket_policy(Bucket=wanted["Bucket"], Policy=document(wanted["PolicyDocument"]))
