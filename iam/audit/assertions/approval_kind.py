"""Assertion requests (create, change, retire) as a kind of audit request."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from iam.audit.approval_requests.kinds import (
    RequestKind,
    accounts_in,
    decided_rows,
    in_own_interest,
    waiting_rows,
    within_terms,
)
from iam.audit.assertions.models import AssertionAct, AssertionProposal
from iam.audit.assertions.terms import AllowedPrincipal, AssertionTerms
from iam.mirror.models import Edge, EdgeKind, Entity, valid_at
from iam.notify.pages import MessagePage, path_of


def _title(proposal: AssertionProposal) -> str:
    return f"{proposal.get_act_display()} assertion: {proposal.name}"


def _own_interest(proposal: AssertionProposal, own: Sequence[Entity]) -> str:
    """Return why the viewer can't approve: the assertion would allow their own user or role, or they break
    the assertion to be retired. "" if they can.
    """
    if proposal.act == AssertionAct.RETIRE:
        broken: set[str] = set()
        for breaches in proposal.assertion.results.values_list("breaches", flat=True):
            broken.update(breach["arn"] for breach in breaches)
        breakers = [entity for entity in own if entity.arn in broken]
        return in_own_interest(breakers[0], "it breaks this assertion") if breakers else ""
    before: set[AllowedPrincipal] = set()
    if proposal.act == AssertionAct.CHANGE:
        before.update(AssertionTerms.from_json(proposal.assertion.terms).allowed)
    added = set(AssertionTerms.from_json(proposal.terms).allowed) - before
    groups = _groups_of(own)
    for entity in own:
        for each in added:
            if each.names(entity.kind, entity.name, entity.arn) or each.names_group(groups[entity.pk]):
                return in_own_interest(entity, "this allows it")
    return ""


def _groups_of(users: Sequence[Entity]) -> Mapping[int, list[str]]:
    """The group names of users, by the user's primary key."""
    edges = Edge.objects.filter(valid_at(None), source__in=users, kind=EdgeKind.MEMBER)
    groups: dict[int, list[str]] = defaultdict(list)
    for user, name in edges.values_list("source_id", "target__name"):
        groups[user].append(name)
    return groups


ASSERTION_REQUEST: Final[RequestKind[AssertionProposal]] = RequestKind(
    name="assertion",
    label="Assertion",
    waiting=waiting_rows(AssertionProposal, "assertion"),
    within=within_terms(("after", "terms"), ("before", "assertion__terms")),
    accounts_of=lambda proposal: accounts_in(proposal.terms, proposal.assertion.terms),
    title=_title,
    path=lambda proposal: path_of(MessagePage.ASSERTION, proposal.assertion_id),
    decided=decided_rows(AssertionProposal, "assertion"),
    own_interest=_own_interest,
)
