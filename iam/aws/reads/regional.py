"""Read services that exist per Region. Not every Region has each service or is enabled."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final, TypeVar

from iam.aws.errors import AwsError
from iam.aws.parallel_reads import parallel_reads
from iam.aws.session import Aws

T = TypeVar("T")

NO_ENDPOINT: Final = frozenset({"EndpointConnectionError", "ConnectTimeoutError"})
"""The error codes of a call in a Region without the service: its endpoint has no host."""
NOT_ENABLED: Final = frozenset(
    {
        "InvalidClientTokenId",
        "NotSignedUp",
        "OptInRequired",
        "RegionDisabledException",
        "SubscriptionRequiredException",
        "UnrecognizedClientException",
    }
)
"""The error codes of AWS in a Region that the account hasn't enabled, or for a service that it can't use
there. https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html
"""


def read_regions(
    aws: Aws, service: str, *, regions: Iterable[str], read: Callable[[Any], T]
) -> list[tuple[str, T]]:
    """Return (Region, result of `read` for its client) for several Regions, read in parallel.

    Regions without the service and Regions that aren't enabled are left out. AwsError if a Region can't be
    read: if botocore lists the service in the Region, an endpoint that doesn't answer is an outage.
    """
    offered = aws.offered_regions(service)
    clients = {}
    for region in regions:
        # One attempt is enough to find out that the endpoint does not exist.
        clients[region] = aws.client(service, region=region, may_retry=region in offered)
    answers: list[tuple[str, T]] = []
    with parallel_reads(aws) as ask:
        asked = [(region, ask(partial(read, client))) for region, client in clients.items()]
        for region, answer in asked:
            try:
                answers.append((region, answer()))
            except AwsError as error:
                is_missing = region not in offered and error.code in NO_ENDPOINT
                if not is_missing and error.code not in NOT_ENABLED:
                    raise
    return answers
