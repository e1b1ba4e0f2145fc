"""Explains one path: how a principal becomes administrator or another, and what would close every path.

It reads the results that a worker calculated. A missing result raises BeingCalculatedError and notifies a
worker.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from iam.access.escalation import KINDS, Accounts, findings_in
from iam.access.escalation_calculation.path_records import (
    FindingPath,
    FindingPrincipal,
    from_json,
    statement_from,
)
from iam.access.escalation_calculation.questions import answer_to
from iam.access.escalation_calculation.stored_calculation import BeingCalculatedError, stored_at
from iam.access.persons import shown_names
from iam.mirror.models import EntityState, TagSet, valid_at
from iam.policy.escalation.held_statements import HeldStatement
from iam.policy.index.question import AnswerLimitation
from iam.policy.request import SERVICE_LINKED_PATH


@dataclass(frozen=True, slots=True)
class ClosingStatements:
    """Statements whose removal closes every path; empty if none were found.

    `is_exact` is true if no smaller set does.
    """

    statements: frozenset[HeldStatement]
    is_exact: bool


@dataclass(frozen=True, slots=True)
class ExplainedPath:
    """One path, and what would close all paths to the same goal.

    `path` is None if there is none. `closing` is None if it is not calculated yet or the path has no steps.
    `name` is the name of the person behind a user, or of the role.
    """

    who: FindingPrincipal
    name: str
    path: FindingPath | None
    closing: ClosingStatements | None
    made_at: datetime
    limitations: tuple[AnswerLimitation, ...]
    unread: tuple[str, ...] = ()
    waits: bool = False
    """True while the statements that close every path are being calculated."""


def explained_path(
    account: str,
    pk: int,
    *,
    at: datetime | None,
    to: tuple[str, int] | None = None,
    accounts: Accounts = None,
) -> ExplainedPath | None:
    """The best path of a principal to administrator or to `to`; None if the mirror does not have the
    principal then.

    Limitations cover only `accounts`; the path may pass through all accounts.
    """
    stored = stored_at(at)
    limitations = stored.limitations(accounts)
    who = _principal(account, pk, at)
    if who is None or SERVICE_LINKED_PATH in who.arn:
        return None
    name = shown_names([who])[who.id]
    asks = {"account": account, "pk": pk, "to": None if to is None else list(to)}
    if to is not None:
        answer = answer_to(stored, "path", asks)
        path = None if answer["path"] is None else from_json(answer["path"])
        closing = _closing_from(answer["closing"])
        unread = tuple(answer["unread"])
        return ExplainedPath(who, name, path, closing, stored.calculated_at, limitations, unread)
    finding = findings_in(stored, None).filter(principal=pk, account=account).first()
    if finding is None:
        return ExplainedPath(who, name, None, None, stored.calculated_at, limitations)
    found_closing, waits = None, False
    if finding.steps:
        try:
            found_closing = _closing_from(answer_to(stored, "path", asks)["closing"])
        except BeingCalculatedError:
            waits = True
    path, unread = from_json(finding.path), tuple(finding.unread)
    return ExplainedPath(
        path.who, name, path, found_closing, stored.calculated_at, limitations, unread, waits=waits
    )


def _closing_from(kept: list[object] | None) -> ClosingStatements | None:
    if kept is None:
        return None
    statements, is_exact = kept
    return ClosingStatements(frozenset(statement_from(statement) for statement in statements), bool(is_exact))  # type: ignore[attr-defined]


def _principal(account: str, pk: int, at: datetime | None) -> FindingPrincipal | None:
    rows = EntityState.objects.filter(valid_at(at), entity=pk, kind__in=tuple(KINDS))
    row = (
        rows.filter(account__account_id=account, account__removed_at__isnull=True)
        .values_list("arn", "kind")
        .first()
    )
    if row is None:
        return None
    tags = TagSet.objects.filter(valid_at(at), entity=pk).values_list("tags", flat=True).first()
    return FindingPrincipal(pk, row[0], KINDS[row[1]], tags)
