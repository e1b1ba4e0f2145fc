"""Checks where access keys of application accounts are used."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Final

from iam.audit.frameworks.checks.case import (
    SHOWN,
    AccountCase,
    CheckAnswer,
    account_check,
    failed,
    for_person,
    passed,
    unknown,
)
from iam.mirror.pull.sections import CREDENTIAL_REPORT, USERS
from iam.phrases import counted

MOST_NETWORKS: Final = 4
"""An application runs in a few places. A key that is embedded in code or images is used from many."""
IPV4_PREFIX: Final = 24
IPV6_PREFIX: Final = 48


@account_check(
    "key-networks", "Keys of application accounts are used from few networks", USERS, CREDENTIAL_REPORT
)
def _key_networks(case: AccountCase) -> CheckAnswer:
    """Judge the networks of users with keys and no password. All their calls are made with a key."""
    users, unread = [], 0
    for user, credential in case.users():
        if credential.has_password is None:
            unread += 1
        elif credential.active_keys and not credential.has_password:
            users.append(user)
    if unread:
        return unknown(f"Credentials of {counted(unread, 'IAM user')} weren’t synced.")
    if not users:
        return passed("No application account has an active access key.", users=0)
    addresses = case.records.networks
    if addresses is None:
        words = f"Where the keys of {counted(len(users), 'application account')} are used isn’t known."
        return for_person(f"{words} CloudTrail isn’t read for the last 30 days.", users=len(users))
    counts = {user.arn: len(networks_of(addresses.get(user.aws_id, ()))) for user in users}
    many = {arn: number for arn, number in counts.items() if number > MOST_NETWORKS}
    if many:
        words = f"{counted(len(many), 'application account')} called from more than {MOST_NETWORKS} networks"
        shown = dict(sorted(many.items(), key=lambda item: -item[1])[:SHOWN])
        return failed(f"{words} in 30 days.", failing=tuple(many), networks=shown, users=len(users))
    words = f"{counted(len(users), 'application account')} with keys, each used from at most {MOST_NETWORKS}"
    if not case.records.are_networks_complete:
        doubt = "Some of CloudTrail’s events may be missing."
        return for_person(f"{words} networks in 30 days, as far as is known. {doubt}", users=len(users))
    return passed(f"{words} networks in 30 days.", users=len(users), most=max(counts.values()))


def networks_of(addresses: Iterable[str]) -> set[str]:
    """Return the networks of addresses: /24 for IPv4, /48 for IPv6. Values that aren't IP addresses, as in
    calls by AWS services, are left out.
    """
    networks = set()
    for text in addresses:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            continue
        prefix = IPV4_PREFIX if address.version == 4 else IPV6_PREFIX
        networks.add(str(ipaddress.ip_network(f"{address}/{prefix}", strict=False)))
    return networks
