"""Requests to create, change or retire an assertion, as approvers meet them."""

from __future__ import annotations

from typing import Final

from django.db.models import QuerySet

from iam.audit.approval_requests.kinds import RequestKind, accounts_in, outcome_of, within_terms
from iam.audit.assertions.models import AssertionProposal, ProposalState
from iam.notify.pages import MessagePage, path_of


def _waiting() -> QuerySet[AssertionProposal]:
    rows = AssertionProposal.objects.filter(state=ProposalState.REQUESTED)
    return rows.select_related("assertion").order_by("requested_at", "pk")


def _title(proposal: AssertionProposal) -> str:
    return f"{proposal.get_act_display()} assertion: {proposal.name}"


def _decided() -> QuerySet[AssertionProposal]:
    states = (ProposalState.APPROVED, ProposalState.DECLINED)
    return AssertionProposal.objects.filter(state__in=states).select_related("assertion")


ASSERTION_REQUEST: Final[RequestKind[AssertionProposal]] = RequestKind(
    name="assertion",
    label="Assertion",
    waiting=_waiting,
    within=within_terms(("after", "terms"), ("before", "assertion__terms")),
    accounts_of=lambda proposal: accounts_in(proposal.terms, proposal.assertion.terms),
    title=_title,
    reason=lambda proposal: proposal.reason,
    path=lambda proposal: path_of(MessagePage.ASSERTION, proposal.assertion_id),
    asked=lambda proposal: (proposal.requested_name, proposal.requested_at),
    decided=_decided,
    outcome=outcome_of,
)
