"""The last uses of keys and services in the simulated trail, which the simulated IAM reports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final, NamedTuple

from console.demo.organisation.specs import OrganizationSpec, UserSpec
from console.demo.trail.files import records_of_account
from console.demo.trail.permissions import CallPermissions
from console.demo.trail.routine import DAYS, last_calls_of_key, services_allowed
from iam.activity.permissions import service_prefix
from iam.policy.unrecorded_actions import data_actions

ANYONE: Final = "sts"
"""The service that everyone can use."""


class SampleUse(NamedTuple):
    """A last use: time, service (by its CloudTrail name), and Region."""

    at: datetime
    service: str
    region: str


class SampleUses:
    """The last uses in an organization's trail that ends at a moment, in UTC."""

    def __init__(self, organisation: OrganizationSpec, until: datetime) -> None:
        self.until = until
        self._organisation = organisation
        self._accounts = {account.id: account for account in self._organisation.accounts}
        self._permissions: dict[str, CallPermissions] = {}
        self._services: dict[str, Mapping[str, Mapping[str, SampleUse]]] = {}

    @property
    def since(self) -> datetime:
        """The start of the trail."""
        return self.until - timedelta(days=DAYS)

    def of_key(self, account_id: str, user: UserSpec, number: int) -> SampleUse | None:
        """Return the last use of an access key; None if it was never used.

        If the use is older than the trail, its service is one that the user's policies allow.
        """
        account, key = self._accounts[account_id], user.keys[number]
        if key.used is None:
            return None
        if account_id not in self._permissions:
            self._permissions[account_id] = CallPermissions(self._organisation, account, self.until)
        permissions = self._permissions[account_id]
        calls = last_calls_of_key(account, user, number, permissions, self.until)
        if calls:
            return max(map(_use_of, calls))
        allowed = services_allowed(account, user, number, permissions)
        service = key.service if key.service in allowed else next(iter(allowed), ANYONE)
        at = (self.until - timedelta(days=key.used)).replace(second=0, microsecond=0)
        return SampleUse(at, service, key.region)

    def of_principal(self, account_id: str, arn: str) -> Mapping[str, SampleUse]:
        """Return the last use of each service by a user or role, by action prefix; {} if the trail has
        none.
        """
        if account_id not in self._accounts:
            return {}
        if account_id not in self._services:
            account = self._accounts[account_id]
            records = records_of_account(self._organisation, account, self.until)
            self._services[account_id] = _by_principal(records)
        return self._services[account_id].get(arn, {})

    def is_of(self, organisation: OrganizationSpec, until: datetime) -> bool:
        """Return True if these are the last uses of the same trail."""
        return self.until == until and self._organisation == organisation


@cache
def unrecorded_services() -> frozenset[str]:
    """Return the services used only by data events, which this trail doesn’t record."""
    return frozenset(name.partition(":")[0] for name in data_actions())


def _use_of(record: Mapping[str, Any]) -> SampleUse:
    service = str(record["eventSource"]).partition(".")[0]
    return SampleUse(datetime.fromisoformat(record["eventTime"]), service, record["awsRegion"])


def _by_principal(records: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, SampleUse]]:
    uses: dict[str, dict[str, SampleUse]] = {}
    for record in records:
        identity = record["userIdentity"]
        issuer = identity.get("sessionContext", {}).get("sessionIssuer", identity)
        of_principal = uses.setdefault(issuer["arn"], {})
        prefix, use = service_prefix(record["eventSource"]), _use_of(record)
        of_principal[prefix] = max(use, of_principal.get(prefix, use))
    return uses
