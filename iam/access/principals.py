"""Finds the principal that an ARN or a name refers to: a user, a role, a role session, or a root user."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Q, QuerySet

from iam.access.persons import named_exactly
from iam.directory.models import Identity
from iam.linking.models import UserMatch
from iam.linking.ownership import DOUBTS
from iam.mirror.models import Account, EntityState, Kind, TagSet, valid_at
from iam.policy.request import PrincipalKind
from iam.search_words import folded, matches

KINDS: Final = {Kind.USER.value: PrincipalKind.USER, Kind.ROLE.value: PrincipalKind.ROLE}
MAX_LENGTH: Final = 2048
PREVIEW_LENGTH: Final = 80
NAMED: Final = 3
MAX_CANDIDATES: Final = 500
SESSION_NAME: Final = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
FORMS: Final = (
    "Enter the name, email address or ARN of a user or role, the ARN of a session "
    "(arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION), or that of a root user (arn:aws:iam::ACCOUNT:root)."
)
Scope = Collection[str] | None


class PrincipalError(ValueError):
    """Raised if the text matches no principal or several; the message says why and what to enter."""


@dataclass(frozen=True, slots=True)
class AskingPrincipal:
    """The principal of a question.

    `number` is its number in the index (negative for root users). `arn` is that of the session if it refers
    to one.
    """

    account: str
    number: int
    arn: str
    name: str
    kind: PrincipalKind

    @property
    def is_root(self) -> bool:
        """True for a root user, which has no page."""
        return self.number < 0

    @property
    def session(self) -> str:
        """The session name; "" if it refers to no particular session."""
        return self.arn.rpartition("/")[2] if self.kind is PrincipalKind.SESSION else ""


def find_principal(text: str, *, accounts: Scope, at: datetime | None) -> AskingPrincipal:
    """Find a principal in these accounts (IDs; None: all) at a moment.

    By ARN or user name in at most two queries, else by display name or email address. Raises PrincipalError.
    """
    text = text.strip()
    if not text:
        raise PrincipalError(f"Enter a principal. {FORMS}")
    if len(text) > MAX_LENGTH or not text.isprintable():
        raise PrincipalError(f"“{text[:PREVIEW_LENGTH]}” isn’t a principal. {FORMS}")
    return _by_arn(text, accounts, at) if text.startswith("arn:") else _by_name(text, accounts, at)


def _rows(accounts: Scope, at: datetime | None) -> QuerySet[EntityState, Any]:
    rows = EntityState.objects.filter(valid_at(at), kind__in=tuple(KINDS), account__removed_at__isnull=True)
    return rows if accounts is None else rows.filter(account__account_id__in=accounts)


def _called(name: str, accounts: Scope, at: datetime | None) -> QuerySet[EntityState, Any]:
    """Rows with exactly this name. The lower-case column has an index."""
    return _rows(accounts, at).filter(sort_name=name.lower(), name=name)


def _who(row: tuple[Any, ...]) -> AskingPrincipal:
    account, number, arn, name, kind = row
    return AskingPrincipal(account, number, arn, name, KINDS[kind])


def _columns(rows: QuerySet[EntityState, Any], *, size: int) -> list[tuple[Any, ...]]:
    return list(
        rows.order_by("account__account_id", "kind", "pk").values_list(
            "account__account_id", "entity_id", "arn", "name", "kind"
        )[:size]
    )


def _by_name(name: str, accounts: Scope, at: datetime | None) -> AskingPrincipal:
    rows = _columns(_called(name, accounts, at), size=NAMED + 1)
    rows = rows or _by_other_names(name, accounts, at)
    if len(rows) == 1:
        return _who(rows[0])
    if not rows:
        raise PrincipalError(f"“{name[:PREVIEW_LENGTH]}” matches no user or role. {FORMS}")
    arns = ", ".join(row[2] for row in rows[:NAMED])
    more = " and others" if len(rows) > NAMED else ""
    raise PrincipalError(f"“{name[:PREVIEW_LENGTH]}” matches several: {arns}{more}. Enter the ARN of one.")


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A row in the form that `named_exactly` needs."""

    row: tuple[Any, ...]
    tags: dict[str, str]

    @property
    def id(self) -> int:
        return int(self.row[1])

    @property
    def arn(self) -> str:
        return str(self.row[2])

    @property
    def name(self) -> str:
        return str(self.row[3])

    @property
    def kind(self) -> PrincipalKind:
        return KINDS[self.row[4]]


def _by_other_names(text: str, accounts: Scope, at: datetime | None) -> list[tuple[Any, ...]]:
    """Rows matched by login in another case, display name, email address, or their person's name or address.

    At most six queries.
    """
    rows = _columns(_rows(accounts, at).filter(_may_be_called(text.lower())), size=MAX_CANDIDATES)
    tags = dict(
        TagSet.objects.filter(valid_at(at), entity__in=[row[1] for row in rows]).values_list(
            "entity_id", "tags"
        )
    )
    candidates = [_Candidate(row, tags.get(row[1], {})) for row in rows]
    return [candidate.row for candidate in named_exactly(candidates, text)]


def _may_be_called(lowered: str) -> Q:
    named = matches(lowered, "person__name", "person__email", by="iexact")
    signs = UserMatch.objects.filter(named | Q(address=lowered)).exclude(standing__in=DOUBTS)
    return (
        Q(sort_name=lowered)
        | Q(arn__in=Identity.objects.filter(named).values("user_arn"))
        | Q(entity__in=signs.values("pk"))
        | Q(kind=Kind.USER, entity__search__contains=folded(lowered))
    )


def candidates(text: str, *, accounts: Scope, at: datetime | None) -> list[tuple[int, str, str]]:
    """(primary key, ARN, kind) of users and roles that `named_exactly` needs to check. One query."""
    lowered = text.strip().lower()
    called = (
        Q(sort_name=lowered.rpartition("/")[2]) if lowered.startswith("arn:") else _may_be_called(lowered)
    )
    rows = _rows(accounts, at).filter(called).order_by("account__account_id", "kind", "pk")
    return list(rows.values_list("entity_id", "arn", "kind")[:MAX_CANDIDATES])


def _by_arn(arn: str, accounts: Scope, at: datetime | None) -> AskingPrincipal:
    parts = arn.split(":", 5)
    if len(parts) == 6 and parts[2] == "iam" and parts[5] == "root":
        return _root(arn, parts[4], accounts)
    if len(parts) == 6 and parts[2] == "sts" and parts[5].startswith("assumed-role/"):
        return _session(arn, parts, accounts, at)
    if len(parts) < 6 or parts[2] != "iam" or not parts[5].startswith(("user/", "role/")):
        raise PrincipalError(
            f"“{arn[:PREVIEW_LENGTH]}” isn’t the ARN of a user, role, session or root user. {FORMS}"
        )
    rows = _called(parts[5].rpartition("/")[2], accounts, at)
    entity_columns = _columns(rows.filter(arn=arn, account__account_id=parts[4]), size=1)
    if not entity_columns:
        raise PrincipalError(_absent(arn, at))
    return _who(entity_columns[0])


def _absent(arn: str, at: datetime | None) -> str:
    then = "at that moment" if at else "now"
    return (
        f"No synced user or role has the ARN {arn[:MAX_LENGTH]} {then}. Check the account, the path and the "
        "date."
    )


def _root(arn: str, account: str, accounts: Scope) -> AskingPrincipal:
    known = Account.objects.filter(account_id=account, removed_at__isnull=True)
    is_seen = accounts is None or account in accounts
    if not is_seen or not known.exists():
        raise PrincipalError(f"Account {account[:PREVIEW_LENGTH]} isn’t connected.")
    return AskingPrincipal(account, -int(account), arn, "Root user", PrincipalKind.ROOT)


def _session(arn: str, parts: list[str], accounts: Scope, at: datetime | None) -> AskingPrincipal:
    role, _, session = parts[5].removeprefix("assumed-role/").partition("/")
    if SESSION_NAME.fullmatch(session) is None:
        raise PrincipalError(
            "The ARN of a session ends with the role name and the session name (2 to 64 letters, digits or "
            "_+=,.@-): "
            f"arn:aws:sts::{parts[4][:12]}:assumed-role/{role[:PREVIEW_LENGTH] or 'ROLE'}/SESSION."
        )
    rows = _called(role, accounts, at).filter(kind=Kind.ROLE, account__account_id=parts[4])
    session_columns = _columns(rows, size=1)
    if not session_columns:
        raise PrincipalError(f"Account {parts[4][:PREVIEW_LENGTH]} has no role {role[:PREVIEW_LENGTH]}.")
    return AskingPrincipal(parts[4], session_columns[0][1], arn, role, PrincipalKind.SESSION)
