"""Counts who can use which AWS service, by account, after writes. For workers."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Final

from iam.access.escalation_calculation.code_version import code_version
from iam.access.escalation_calculation.coverage import unsynced_accounts
from iam.access.escalation_calculation.models import ServiceUse
from iam.access.escalation_calculation.path_records import FORMAT
from iam.access.service_usage import uses_in
from iam.mirror.models import Account
from iam.mirror.snapshot import snapshot
from iam.mirror.snapshot.organizations import OrganizationStandings

LASTS: Final = timedelta(hours=1)
"""Accounts are counted again after this time even without writes, because dates in policies pass."""


def due_accounts() -> dict[str, tuple[int, str]]:
    """The synced accounts to count, with their revision and a digest of their place in the organization and
    of the code.
    """
    now = datetime.now(tz=UTC)
    known = {row.account: row for row in ServiceUse.objects.defer("services")}
    organizations = OrganizationStandings(None)
    due = {}
    accounts = Account.objects.filter(removed_at__isnull=True).order_by("account_id")
    accounts = accounts.exclude(account_id__in=unsynced_accounts())
    for number, revision in accounts.values_list("account_id", "revision"):
        standing = _digest(organizations.position_of(number))
        row = known.get(number)
        is_known = row is not None and (row.revision, row.standing, row.format) == (
            revision,
            standing,
            FORMAT,
        )
        if row is None or not is_known or row.calculated_at < now - LASTS:
            due[number] = (revision, standing)
    return due


def count_services() -> int:
    """Count due accounts. Returns their number.

    Each account is stored separately, so that a killed worker can be resumed.
    """
    ServiceUse.objects.exclude(
        account__in=Account.objects.filter(removed_at__isnull=True).values("account_id")
    ).delete()
    due = due_accounts()
    for number, (revision, standing) in due.items():
        began = datetime.now(tz=UTC)
        with snapshot(accounts=[number]) as index:
            uses = uses_in(index, frozenset({number}))
        services = {
            use.prefix: [
                use.users,
                use.roles,
                {level.value: many for level, many in use.levels.items() if many},
            ]
            for use in uses.services
        }
        kept = {
            "revision": revision,
            "standing": standing,
            "format": FORMAT,
            "users": uses.users,
            "roles": uses.roles,
            "services": services,
            "calculated_at": began,
        }
        ServiceUse.objects.update_or_create(account=number, defaults=kept)
    return len(due)


def _digest(standing: object) -> str:
    return hashlib.blake2b(f"{code_version()} {standing!r}".encode(), digest_size=16).hexdigest()
