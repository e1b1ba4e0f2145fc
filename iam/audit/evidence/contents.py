"""Determines the content of a pack: title, what its reader sees, and the facts on the first page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet

from iam.audit.evidence.change_sample import ChangeSample, draw
from iam.audit.evidence.models import EvidencePack, PackKind
from iam.audit.frameworks.definitions import all_frameworks
from iam.changes.models import Change
from iam.changes.queries import visible_changes
from iam.guard import Right, Viewer
from iam.mirror.models import Account
from iam.mirror.queries.accounts import visible_accounts
from iam.moments import day_words, moment_words


@dataclass(frozen=True, slots=True)
class PackScope:
    """What the requester of a pack can see of its subject. `journal` are the accounts whose entries they can
    read (None: all).
    """

    viewer: Viewer
    accounts: QuerySet[Account]
    changes: QuerySet[Change]
    journal: frozenset[str] | None
    chosen: frozenset[str] | None


def scope_of(pack: EvidencePack, viewer: Viewer) -> PackScope:
    """The scope of a pack, limited to what the person sees now."""
    accounts = whole_accounts(viewer)
    changes = visible_changes(viewer).filter(created_at__gte=pack.since, created_at__lt=pack.until)
    chosen = frozenset(pack.accounts) if pack.accounts else None
    if chosen is not None:
        accounts = accounts.filter(account_id__in=chosen)
        changes = changes.filter(account__account_id__in=chosen)
    return PackScope(viewer, accounts, changes, _journal_accounts(viewer, chosen), chosen)


def whole_accounts(viewer: Viewer) -> QuerySet[Account]:
    """The accounts that the viewer sees whole."""
    accounts = visible_accounts(viewer)
    if not viewer.scope.sees_everything:
        accounts = accounts.filter(account_id__in=viewer.scope.accounts or ())
    return accounts.order_by("account_id")


def _journal_accounts(viewer: Viewer, chosen: frozenset[str] | None) -> frozenset[str] | None:
    accounts = {account for right, account in viewer.grants if right is Right.SEE_JOURNAL}
    if "" in accounts:
        return chosen
    return frozenset(accounts) if chosen is None else frozenset(accounts) & chosen


def facts_of(pack: EvidencePack, scope: PackScope, sample: ChangeSample) -> list[tuple[str, str]]:
    """The facts at the top of the report."""
    names = [f"{account.name} ({account.account_id})" for account in scope.accounts]
    return [
        ("Pack", pack.reference),
        ("About", pack.title),
        ("Accounts", ", ".join(names) or "None"),
        ("Period", f"{moment_words(pack.since)} to {moment_words(pack.until)}"),
        ("Requested by", pack.requested_name),
        ("Sample", f"{len(sample.ids)} of {sample.population} changes that are done, seed {sample.seed}"),
        ("To verify", "python3 verify_evidence.py PACK.zip --key with the published public key"),
    ]


def title_of(kind: PackKind, subject: str, *, since: datetime, until: datetime) -> str:
    """The title of the pack."""
    if kind is PackKind.PERIOD:
        return f"Changes and journal, {day_words(since)} to {day_words(until - timedelta(seconds=1))}"
    if kind is PackKind.FRAMEWORK:
        return all_frameworks()[subject].title
    return f"{kind.label} {subject}"


def sample_of(pack: EvidencePack, scope: PackScope) -> ChangeSample:
    """The sample of a pack."""
    return draw(scope.changes, seed=pack.seed, size=pack.sample_size)
