"""Lists the IAM users of the accounts with their credentials, as of a moment."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from django.db.models import F, FilteredRelation, QuerySet

from iam.audit.evidence.tables import PackColumn, PackTable, Row
from iam.mirror.models import NEVER, Account, EntityState, Kind, valid_at

CHUNK: Final = 2_000
KEYS: Final = (
    "account",
    "user",
    "arn",
    "created_at",
    "console_password",
    "mfa",
    "active_keys",
    "oldest_active_key_at",
    "seen_from",
)
COLUMNS: Final = (
    PackColumn("account", "Account", 1, "mono"),
    PackColumn("arn", "IAM user", 3.4, "mono"),
    PackColumn("created_at", "Created", 1.3),
    PackColumn("console_password", "Console password", 0.9),
    PackColumn("mfa", "MFA", 1),
    PackColumn("active_keys", "Active keys", 0.7),
    PackColumn("oldest_active_key_at", "Oldest active key", 1.3),
)
UNKNOWN: Final = "unknown"
MFA: Final = {"unread": UNKNOWN, "none": "none"}


def users_table(accounts: QuerySet[Account], *, at: datetime) -> PackTable:
    """Every user that existed at the moment."""
    return PackTable(
        name="users",
        title="IAM users and their credentials",
        note="Every IAM user of the accounts at that moment. “unknown” means that it wasn’t synced.",
        keys=KEYS,
        columns=COLUMNS,
        rows=lambda: _rows(accounts, at),
    )


def _rows(accounts: QuerySet[Account], at: datetime) -> Iterator[Row]:
    numbers = dict(accounts.values_list("pk", "account_id"))
    states = (
        EntityState.objects.filter(valid_at(at), account__in=numbers, kind=Kind.USER)
        .annotate(
            state_then=FilteredRelation(
                "entity__credential_states", condition=valid_at(at, prefix="entity__credential_states__")
            )
        )
        .annotate(
            has_password=F("state_then__has_password"),
            mfa=F("state_then__mfa"),
            active_keys=F("state_then__active_keys"),
            oldest_key_at=F("state_then__oldest_key_at"),
        )
        .order_by("account_id", "sort_name", "entity_id")
    )
    for state in states.values(
        "account_id",
        "name",
        "arn",
        "created_at",
        "valid_from",
        "has_password",
        "mfa",
        "active_keys",
        "oldest_key_at",
    ).iterator(chunk_size=CHUNK):
        yield _row(dict(state), numbers[state["account_id"]])


def _row(state: Row, account_id: str) -> Row:
    oldest = state["oldest_key_at"]
    mfa = state["mfa"] or UNKNOWN
    return {
        "account": account_id,
        "user": state["name"],
        "arn": state["arn"],
        "created_at": state["created_at"],
        "console_password": UNKNOWN if state["has_password"] is None else state["has_password"],
        "mfa": MFA.get(mfa, mfa),
        "active_keys": UNKNOWN if state["active_keys"] is None else state["active_keys"],
        "oldest_active_key_at": None if oldest in (None, NEVER) else oldest,
        "seen_from": state["valid_from"],
    }
