"""Acceptance requests as a kind of audit request."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from django.db.models import QuerySet

from iam.audit.approval_requests.kinds import RequestKind, decided_rows, in_own_interest, waiting_rows
from iam.audit.findings.models import FindingAcceptance
from iam.audit.findings.rules import title_of
from iam.mirror.models import Entity
from iam.moments import moment_words
from iam.notify.pages import MessagePage, path_of


def _within(rows: QuerySet[FindingAcceptance], numbers: Collection[str]) -> QuerySet[FindingAcceptance]:
    return rows.filter(finding__account__account_id__in=numbers)


def _title(acceptance: FindingAcceptance) -> str:
    words = title_of(acceptance.finding.kind)
    return f"Accept finding until {moment_words(acceptance.until)}: {words}, {acceptance.finding.name}"


def _own_interest(acceptance: FindingAcceptance, own: Sequence[Entity]) -> str:
    """Return why the viewer can't approve: the finding concerns only their own user or role. "" if they
    can.
    """
    finding = acceptance.finding
    arns = {entity.arn: entity for entity in own}
    if finding.subject in arns:
        return in_own_interest(arns[finding.subject], "the finding is about it")
    affected = set(finding.related)
    if affected and affected <= arns.keys() and finding.affected <= len(affected):
        return in_own_interest(arns[min(affected)], "the finding is about nothing else")
    return ""


ACCEPTANCE_REQUEST: Final[RequestKind[FindingAcceptance]] = RequestKind(
    name="acceptance",
    label="Finding",
    waiting=waiting_rows(FindingAcceptance, "finding__account"),
    within=_within,
    accounts_of=lambda acceptance: [acceptance.finding.account.account_id],
    title=_title,
    path=lambda acceptance: path_of(MessagePage.FINDING, acceptance.finding_id),
    decided=decided_rows(FindingAcceptance, "finding__account"),
    own_interest=_own_interest,
)
