"""Finds which users called AWS lately, from CloudTrail or else from IAM's own reports, and which access keys
are used on EC2 instances.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db.models import F, Max

from iam.activity.callers import USER
from iam.activity.key_addresses import calling_instances, key_addresses
from iam.activity.models import CallerDay
from iam.activity.sources.covered_accounts import covered_accounts
from iam.activity.sources.models import ServicesReport
from iam.audit.findings.facts import PUBLIC_ADDRESS, AccountFacts, KeyPlace, RecordedCalls, ServicesFact
from iam.mirror.models import Account, Kind

DAYS: Final = 90
FRESH: Final = timedelta(days=14)
"""Older reports are ignored. Reports are read weekly."""


def last_calls(account_id: str, *, now: datetime) -> RecordedCalls | None:
    """The recorded calls of an account's users; None if events of the period are missing. Four queries."""
    since = now - timedelta(days=DAYS)
    coverage = covered_accounts([account_id], since=since, now=now).get(account_id)
    if coverage is None:
        return None
    days = CallerDay.objects.filter(
        caller__account_id=account_id, caller__kind=USER, day__gte=since.date(), calls__gt=F("errors")
    )
    rows = days.values("caller__unique_id").annotate(last=Max("last_at"))
    return RecordedCalls(dict(rows.values_list("caller__unique_id", "last")), coverage)


def services_used(account: Account, *, now: datetime) -> dict[int, ServicesFact]:
    """IAM's last-used services of users, if the reports are recent enough. One query."""
    reports = ServicesReport.objects.filter(account=account, read_at__gt=now - FRESH, entity__kind=Kind.USER)
    facts = {}
    for user, read_at, services in reports.values_list("entity", "read_at", "services"):
        moments = [datetime.fromisoformat(row["at"]) for row in services if row["at"]]
        if read_at is not None:
            facts[user] = ServicesFact(read_at, max(moments, default=None))
    return facts


def key_places(facts: AccountFacts) -> tuple[KeyPlace, ...]:
    """Return the addresses of EC2 instances from which access keys were used in the last 90 days.

    These are addresses that an instance of the account has, or from which an instance of the organization
    called with its role on the same day. Three queries; none without an active key.
    """
    if not any(credential.keys for _, credential in facts.users):
        return ()
    since = facts.days_ago(DAYS)
    own = {instance.attrs.get(PUBLIC_ADDRESS) for instance in facts.of_kind(Kind.INSTANCE)}
    places = key_addresses(facts.number, {address for address in own if address}, since=since)
    if not places:
        return ()
    instances = calling_instances({place.address for place in places}, since=since)
    known = facts.known_accounts | {facts.number}
    kept = []
    for place in places:
        callers = instances.get(place.address, frozenset())
        inside = frozenset(each for each in callers if each.account_id in known)
        if inside or place.address in own:
            kept.append(KeyPlace(*place, inside))
    return tuple(kept)
