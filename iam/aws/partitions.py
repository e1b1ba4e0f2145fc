"""The three AWS partitions that Gatehouse supports, and the signing region of the global IAM endpoint of
each.
"""

from __future__ import annotations

GLOBAL_REGION = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
DNS_SUFFIX = {"aws": "amazonaws.com", "aws-cn": "amazonaws.com.cn", "aws-us-gov": "amazonaws.com"}


def global_region(partition: str) -> str:
    """Return the region that signs the partition's IAM calls. ValueError for an unknown partition."""
    try:
        return GLOBAL_REGION[partition]
    except KeyError:
        known = ", ".join(sorted(GLOBAL_REGION))
        raise ValueError(f"The partition {partition!r} is not known; choose one of {known}.") from None
