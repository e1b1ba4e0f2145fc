"""Reads of services that live in Regions, of which not each has every service, nor is each enabled."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final, TypeVar

from iam.aws.errors import AwsError
from iam.aws.parallel_reads import parallel_reads
from iam.aws.session import Aws

T = TypeVar("T")

NO_ENDPOINT: Final = frozenset({"EndpointConnectionError", "ConnectTimeoutError"})
"""How a call ends in a Region that doesn't have the service: no host has the name of its endpoint."""
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
"""How AWS answers in a Region that the account hasn't enabled, or for a service that it can't use there.
https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html
"""


def read_regions(
    aws: Aws, service: str, *, regions: Iterable[str], read: Callable[[Any], T]
) -> list[tuple[str, T]]:
    """(Region, what `read` gives for its client) of several Regions, read beside each other.

    A Region that doesn't have the service, or isn't enabled, is left out. AwsError when one can't be read:
    in a Region that botocore knows to have the service, an endpoint that doesn't answer is an outage.
    """
    offered = aws.offered_regions(service)
    clients = {}
    for region in regions:
        # One try is enough to see that there is no such endpoint.
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
