"""Explains an AWS error in one sentence to the person who added the source, with the field concerned."""

from __future__ import annotations

from typing import NamedTuple

from iam.activity.sources.models import TrailSource
from iam.aws.errors import AwsError, ErrorKind


class SourceProblem(NamedTuple):
    """Why a source can't be read. `field` is the form field, or empty."""

    text: str
    field: str


def problem_of(error: AwsError, source: TrailSource) -> SourceProblem:
    """Return what went wrong, where, and how to fix it."""
    name = source.account.name
    if error.is_role_refused:
        return SourceProblem(
            f"AWS doesn’t let Gatehouse assume the role of {name}. Check the account’s permissions.",
            "account",
        )
    if error.code in ("NoSuchBucket", "InvalidBucketName"):
        return SourceProblem(f"AWS knows no bucket {source.bucket}. Check its name.", "bucket")
    if error.code in ("PermanentRedirect", "AuthorizationHeaderMalformed", "301"):
        return SourceProblem(
            f"The bucket {source.bucket} isn’t in {source.region}. Choose its Region.", "region"
        )
    if error.code.startswith("KMS") or "kms:" in error.message:
        return SourceProblem(
            f"The role of {name} may not decrypt the log files. Allow it kms:Decrypt with the trail’s key, "
            "in the key policy too.",
            "account",
        )
    if error.action.startswith("sqs:"):
        return _of_queue(error, source)
    if error.kind is ErrorKind.DENIED:
        return _denied(error, source)
    if error.kind in (ErrorKind.UNAVAILABLE, ErrorKind.TIMEOUT, ErrorKind.THROTTLED):
        return SourceProblem(
            f"AWS didn’t answer {error.action}: {error.message.rstrip('.')}. It is tried again.", ""
        )
    return SourceProblem(f"{error.action} failed: {error.message}", "")


def _of_queue(error: AwsError, source: TrailSource) -> SourceProblem:
    if error.kind is ErrorKind.DENIED:
        return SourceProblem(
            f"The role of {source.account.name} may not use the queue. Allow it sqs:ReceiveMessage and "
            "sqs:DeleteMessage.",
            "queue_url",
        )
    return SourceProblem(f"The queue can’t be read: {error.message.rstrip('.')}. Check its URL.", "queue_url")


def _denied(error: AwsError, source: TrailSource) -> SourceProblem:
    action = error.permission or error.action
    if error.action == "s3:ListObjectsV2":
        action = "s3:ListBucket"
    if action.startswith("s3:"):
        return SourceProblem(
            f"The role of {source.account.name} lacks {action} on {source.bucket}, or the bucket policy "
            "denies it. The statement to add is on this page.",
            "bucket",
        )
    return SourceProblem(f"The role of {source.account.name} lacks {action}.", "account")
