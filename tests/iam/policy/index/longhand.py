"""The long way to an answer: every principal by itself, from the rows and the texts, with nothing of the
index but patterns.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from iam.policy.compiled import PolicyKind, PolicySet, compile_set
from iam.policy.document import PolicyDocument, read
from iam.policy.evaluate import ASSUMING, EvaluationDecision, RequestPolicies, decide, needs_resource_policy
from iam.policy.index.areas import area_of, pattern_fits
from iam.policy.index.question import AccessQuestion
from iam.policy.index.resources import unknown_policy
from iam.policy.index.rows import NOTHING, AccountRows, Level, PolicyHoldings, PrincipalRow
from iam.policy.request import Principal, Request, account_of
from tests.iam.policy.index.organisations import Organisation

Named = list[tuple[str, str]]


def who_can(organisation: Organisation, question: AccessQuestion) -> dict[int, EvaluationDecision]:
    """The decision about everybody who is asked about, by number; a root user's number is its account's,
    negative.
    """
    who_can = {}
    place = question.resource_account or account_of(question.resource)
    for rows in organisation.accounts:
        if question.accounts is not None and rows.number not in question.accounts:
            continue
        root = PrincipalRow(-int(rows.number), f"arn:aws:iam::{rows.number}:root")
        for row in (root, *rows.principals):
            asking = _Asking(organisation, question, rows, row, place)
            if not asking.is_left_out():
                who_can[row.id] = asking.decision()
    return who_can


class _Asking:
    def __init__(
        self,
        organisation: Organisation,
        question: AccessQuestion,
        rows: AccountRows,
        row: PrincipalRow,
        place: str,
    ) -> None:
        self.organisation, self.question, self.rows, self.row, self.place = (
            organisation,
            question,
            rows,
            row,
            place,
        )
        self.policies = {policy.id: policy for policy in rows.policies}
        self.groups = {group.id: group for group in rows.groups}
        self.owner = next((r for r in organisation.accounts if r.number == (place or rows.number)), None)

    def is_left_out(self) -> bool:
        if self.question.action == "sts:GetCallerIdentity":
            return False
        return bool(self.place) and self.place != self.rows.number and self.resource_text() is None

    def resource_text(self) -> str | None:
        if self.question.resource_policy is not None:
            return str(self.question.resource_policy)
        if self.question.action.lower() in ASSUMING and self.owner is not None and self.place:
            for row in self.owner.principals:
                if row.arn == self.question.resource and row.trust:
                    return self.organisation.texts[row.trust]
        return None

    def request(self) -> Request:
        standing = self.rows.standing
        context: dict[str, Any] = {}
        if standing.organization_id:
            context["aws:PrincipalOrgID"] = standing.organization_id
        if standing.paths:
            context["aws:PrincipalOrgPaths"] = list(standing.paths)
        if self.owner is not None and self.owner.standing.organization_id:
            context["aws:ResourceOrgID"] = self.owner.standing.organization_id
        if self.owner is not None and self.owner.standing.paths:
            context["aws:ResourceOrgPaths"] = list(self.owner.standing.paths)
        who = Principal(
            self.row.arn,
            tags=self.row.tags,
            unique_id=self.row.unique_id,
            is_management_account=standing.is_management,
        )
        return Request(
            self.question.action,
            self.question.resource,
            who,
            resource_account=self.place,
            context=context | dict(self.question.context),
            strict=self.question.strict,
        )

    def decision(self) -> EvaluationDecision:
        request, row, standing = self.request(), self.row, self.rows.standing
        boundary = row.grants.boundary
        text = self.resource_text()
        resource = None if text is None else self.compiled([("resource", text)], PolicyKind.RESOURCE)
        if resource is None and needs_resource_policy(request):
            resource = unknown_policy()
        rcps: tuple[Level, ...] = ()
        if self.owner is not None and not self.owner.standing.is_management:
            rcps = self.owner.standing.rcps
        return decide(
            request,
            RequestPolicies(
                identity=self.compiled(self.identity(row.grants), PolicyKind.IDENTITY),
                boundary=None
                if boundary is None
                else self.compiled(self.managed(boundary), PolicyKind.BOUNDARY),
                resource=resource,
                scps=() if standing.is_management else self.levels(standing.scps, PolicyKind.SCP),
                rcps=self.levels(rcps, PolicyKind.RCP),
            ),
        )

    def identity(self, grants: PolicyHoldings) -> Named:
        page: Named = [(name, self.organisation.texts[digest]) for name, digest in grants.inline]
        for number in grants.attached:
            page += self.managed(number)
        for number in grants.groups:
            page += self.identity(self.groups[number].grants if number in self.groups else NOTHING)
        return page

    def managed(self, number: int) -> Named:
        policy = self.policies.get(number)
        if policy is None or policy.digest is None:
            return []
        return [(policy.name, self.organisation.texts[policy.digest])]

    def levels(self, levels: tuple[Level, ...], kind: PolicyKind) -> tuple[PolicySet, ...]:
        return tuple(
            self.compiled([(p.name, self.organisation.texts[p.digest or ""]) for p in level], kind)
            for level in levels
        )

    def compiled(self, named: Named, kind: PolicyKind) -> PolicySet:
        documents: list[tuple[str, PolicyDocument]] = [(name, read(text)) for name, text in named]
        policy_set = compile_set(documents, kind=kind)
        if not self.question.asks_for_pattern:
            return policy_set
        versions = [d.has_variables for _, d in documents for _ in d.statements]
        statements = tuple(
            replace(compiled, fits=pattern_fits(area_of(compiled.source, has_variables=has_variables)))
            for compiled, has_variables in zip(policy_set.statements, versions, strict=True)
        )
        return PolicySet(kind, statements, policy_set.problems)
