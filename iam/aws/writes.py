"""Send one write to AWS, check its parameters beforehand without calling AWS, and show the same call for
other tools.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.validate import ParamValidator

from iam.aws.calls import invoke
from iam.aws.equivalents import as_boto3, as_cli, as_curl, as_javascript
from iam.aws.models import breaches, operation_model
from iam.aws.session import Aws

__all__ = [
    "CallResult",
    "as_boto3",
    "as_cli",
    "as_curl",
    "as_javascript",
    "call",
    "operation_model",
    "validate",
]


@dataclass(frozen=True, slots=True)
class CallResult:
    """The response of AWS to a call. `request_id` is the one that CloudTrail records."""

    request_id: str
    response: dict[str, Any]


def call(
    aws: Aws,
    service: str,
    operation: str,
    params: Mapping[str, Any],
    *,
    region: str = "",
    may_retry: bool = True,
) -> CallResult:
    """Call one operation by its AWS name ("iam", "AddUserToGroup") in a Region; the default is the
    partition's global Region.

    botocore retries after throttling, server errors and lost connections, when AWS may already have applied
    the request. Pass `may_retry=False` for a call that is not idempotent: it is sent exactly once. Raises
    AwsError.
    """
    response = invoke(aws.client(service, region=region or None, may_retry=may_retry), operation, params)
    metadata = response.pop("ResponseMetadata", {})
    return CallResult(request_id=str(metadata.get("RequestId", "")), response=response)


def validate(service: str, operation: str, params: Mapping[str, Any]) -> list[str]:
    """Return the errors that botocore's service model finds in the parameters; empty if there are none. Uses
    no network and no credentials.

    Raises ValueError for a service or operation that botocore does not know.
    """
    shape = operation_model(service, operation).input_shape
    if shape is None:
        return [f"{operation} takes no parameters."] if params else []
    report = ParamValidator().validate(dict(params), shape)
    wrong_types = [line for line in report.generate_report().splitlines() if line.strip()]
    return wrong_types or list(breaches(params, shape))
