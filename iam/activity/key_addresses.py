"""The addresses from which access keys of IAM users call, and the EC2 instances that call from the same
addresses.

An EC2 instance is recognized by the sessions of its role: they are named after the instance ID, and the event
says that EC2 delivered the credentials. Source:
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple

from iam.activity.callers import ROLE, USER
from iam.activity.models import AddressDay, CallerAddress
from iam.activity.records import EventRecord

LONG_LIVED: Final = "AKIA"
"""Prefix of the IDs of users' access keys. Those of sessions begin with ASIA."""
INSTANCE: Final = "i-"
"""Prefix of instance IDs."""
ADDRESSES_KEPT: Final = 10_000


class KeyAddress(NamedTuple):
    """An address from which a user's access key called. `user` is AWS's unique ID."""

    user: str
    key: str
    address: str
    calls: int
    first_at: datetime
    last_at: datetime

    def joined(self, other: KeyAddress) -> KeyAddress:
        """Return the sum with the calls of another day."""
        first_at, last_at = min(self.first_at, other.first_at), max(self.last_at, other.last_at)
        return self._replace(calls=self.calls + other.calls, first_at=first_at, last_at=last_at)


class CallingInstance(NamedTuple):
    """An EC2 instance, and the account of the role whose credentials it used."""

    instance: str
    account_id: str


def credential_of(event: EventRecord) -> str:
    """Return the access key or the EC2 instance that made a call from an IP address, or an empty string for
    other calls, including those that an AWS service made for a principal.
    """
    session = event.session
    credential = ""
    if event.caller.kind == ROLE:
        credential = session.instance_id
    elif event.caller.kind == USER and session.access_key.startswith(LONG_LIVED):
        credential = session.access_key
    return credential if credential and is_ip(event.source_address) else ""


@lru_cache(maxsize=ADDRESSES_KEPT)
def is_ip(address: str) -> bool:
    """Return True if a source address is an IP address. It can also be the name of an AWS service."""
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return False
    return True


def is_outside_private_networks(address: str) -> bool:
    """Return True if an IP address is in none of the private networks, whose addresses exist in many places,
    for example behind VPC endpoints.
    """
    parsed = ipaddress.ip_address(address)
    networks = PRIVATE_IPV4 if parsed.version == 4 else PRIVATE_IPV6
    return not any(parsed in network for network in networks)


PRIVATE_IPV4: Final = tuple(
    map(ipaddress.ip_network, ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16"))
)
PRIVATE_IPV6: Final = (ipaddress.ip_network("fc00::/7"),)


def key_addresses(account_id: str, own: Collection[str], *, since: datetime) -> list[KeyAddress]:
    """Return the addresses from which keys of an account's users called since `since`, if an EC2 instance
    called from the same address on the same day or the address is one of `own`. Two queries.
    """
    users = CallerAddress.objects.filter(caller__account_id=account_id, caller__kind=USER, last_at__gte=since)
    by_instances = AddressDay.objects.filter(
        address__in=users.values("address"), credential__startswith=INSTANCE, day__gte=since.date()
    )
    shared = set(by_instances.values_list("address", "day").distinct())
    addresses = set(own).union(address for address, _ in shared)
    if not addresses:
        return []
    rows = AddressDay.objects.filter(
        address__in=sorted(addresses), caller__account_id=account_id, caller__kind=USER, day__gte=since.date()
    )
    columns = ("day", "caller__unique_id", "credential", "address", "calls", "first_at", "last_at")
    places: dict[tuple[str, ...], KeyAddress] = {}
    for day, *of_day in rows.order_by(*columns[1:4], "day").values_list(*columns):
        place = KeyAddress(*of_day)
        if place.address in own or (place.address, day) in shared:
            known = places.get(place[:3])
            places[place[:3]] = place if known is None else known.joined(place)
    return list(places.values())


def calling_instances(
    addresses: Collection[str], *, since: datetime
) -> Mapping[str, frozenset[CallingInstance]]:
    """Return the EC2 instances that called from each of these addresses since `since`, with one query."""
    rows = AddressDay.objects.filter(
        address__in=sorted(addresses), credential__startswith=INSTANCE, day__gte=since.date()
    )
    by_address: dict[str, set[CallingInstance]] = {}
    for address, *instance in rows.values_list("address", "credential", "caller__account_id").distinct():
        by_address.setdefault(address, set()).add(CallingInstance(*instance))
    return {address: frozenset(instances) for address, instances in by_address.items()}
