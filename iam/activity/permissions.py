"""Maps CloudTrail's names of calls to the permissions that they need, where the names differ.

Sources: https://docs.aws.amazon.com/service-authorization/latest/reference/ and
https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

SOURCE_SUFFIX: Final = ".amazonaws.com"
PREFIXES: Final = {
    "monitoring": "cloudwatch",
    "email": "ses",
    "tagging": "tag",
    "elasticloadbalancingv2": "elasticloadbalancing",
    "streams.dynamodb": "dynamodb",
    "bedrock-runtime": "bedrock",
    "models.lex": "lex",
    "runtime.lex": "lex",
    "runtime.sagemaker": "sagemaker",
    "api.pricing": "pricing",
    "entitlement.marketplace": "aws-marketplace",
    "marketplace": "aws-marketplace",
}
ACTIONS: Final = {
    ("s3", "ListObjects"): "ListBucket",
    ("s3", "ListObjectsV2"): "ListBucket",
    ("s3", "HeadBucket"): "ListBucket",
    ("s3", "ListObjectVersions"): "ListBucketVersions",
    ("s3", "HeadObject"): "GetObject",
    ("s3", "CopyObject"): "PutObject",
    ("s3", "CreateMultipartUpload"): "PutObject",
    ("s3", "UploadPart"): "PutObject",
    ("s3", "UploadPartCopy"): "PutObject",
    ("s3", "CompleteMultipartUpload"): "PutObject",
    ("s3", "DeleteObjects"): "DeleteObject",
    ("s3", "ListBuckets"): "ListAllMyBuckets",
    ("s3", "ListMultipartUploads"): "ListBucketMultipartUploads",
    ("s3", "ListParts"): "ListMultipartUploadParts",
    ("s3", "GetBucketEncryption"): "GetEncryptionConfiguration",
    ("s3", "PutBucketEncryption"): "PutEncryptionConfiguration",
    ("s3", "DeleteBucketEncryption"): "PutEncryptionConfiguration",
    ("s3", "GetBucketLifecycle"): "GetLifecycleConfiguration",
    ("s3", "GetBucketLifecycleConfiguration"): "GetLifecycleConfiguration",
    ("s3", "PutBucketLifecycle"): "PutLifecycleConfiguration",
    ("s3", "PutBucketLifecycleConfiguration"): "PutLifecycleConfiguration",
    ("s3", "DeleteBucketLifecycle"): "PutLifecycleConfiguration",
    ("s3", "GetBucketReplication"): "GetReplicationConfiguration",
    ("s3", "PutBucketReplication"): "PutReplicationConfiguration",
    ("s3", "DeleteBucketReplication"): "PutReplicationConfiguration",
    ("s3", "GetBucketAccelerateConfiguration"): "GetAccelerateConfiguration",
    ("s3", "PutBucketAccelerateConfiguration"): "PutAccelerateConfiguration",
    ("s3", "GetBucketCors"): "GetBucketCORS",
    ("s3", "PutBucketCors"): "PutBucketCORS",
    ("s3", "DeleteBucketCors"): "PutBucketCORS",
    ("s3", "GetPublicAccessBlock"): "GetBucketPublicAccessBlock",
    ("s3", "PutPublicAccessBlock"): "PutBucketPublicAccessBlock",
    ("s3", "DeletePublicAccessBlock"): "PutBucketPublicAccessBlock",
    ("s3", "DeleteBucketTagging"): "PutBucketTagging",
    ("s3", "GetObjectLockConfiguration"): "GetBucketObjectLockConfiguration",
    ("s3", "PutObjectLockConfiguration"): "PutBucketObjectLockConfiguration",
    ("lambda", "Invoke"): "InvokeFunction",
    ("lambda", "InvokeAsync"): "InvokeFunction",
    ("sts", "AssumeRoleWithSaml"): "AssumeRoleWithSAML",
}
VERSIONED: Final = re.compile(r"20\d{2}_?\d{2}_?\d{2}(v\d)?$")
"""Lambda and CloudFront append the version of their API to the name: `CreateFunction20150331`."""
WITHOUT_PERMISSION: Final = frozenset(
    {
        ("signin", "ConsoleLogin"),
        ("signin", "SwitchRole"),
        ("signin", "ExitRole"),
        ("signin", "RenewRole"),
        ("signin", "CheckMfa"),
        ("signin", "UserAuthentication"),
        ("sts", "GetCallerIdentity"),
        ("sts", "GetSessionToken"),
        ("sts", "AssumeRoleWithSAML"),
        ("sts", "AssumeRoleWithWebIdentity"),
    }
)
"""Calls that need no permission in identity-based policies: sign-ins, and calls that depend on a trust policy
only.
"""


def service_prefix(event_source: str) -> str:
    """Return IAM's service prefix for an `eventSource`: `cloudwatch` for `monitoring.amazonaws.com`."""
    name = event_source.removesuffix(SOURCE_SUFFIX)
    return PREFIXES.get(name, name)


@lru_cache(maxsize=2_000)
def permission_name(prefix: str, event_name: str) -> str:
    """Return the action, without its service, that a call needs: `ListBucket` for `ListObjects` of S3."""
    name = VERSIONED.sub("", event_name) or event_name
    return ACTIONS.get((prefix, name), name)
