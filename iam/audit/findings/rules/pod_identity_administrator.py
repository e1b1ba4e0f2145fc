"""Pods of an EKS cluster get an administrator role."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from iam.audit.findings.account_fixes import bound_own_role
from iam.audit.findings.effect import reasons_of
from iam.audit.findings.facts import AccountFacts, EntityFact
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import FindingFix, FindingRule, NotRead, RuleProblem
from iam.audit.findings.workload_roles import (
    admits_pods,
    can_assume,
    leaves_administration,
    roles_by_arn,
)
from iam.mirror.models import Kind
from iam.mirror.pull.sections import AUTHORIZATION, POD_IDENTITIES
from iam.policy.escalation.path_builder import PathBuilder
from iam.policy.escalation.states import OutsideFacts


class PodRole(NamedTuple):
    """The role whose credentials pods get. `is_sure` is True if they certainly get it with all of its
    permissions.
    """

    arn: str
    is_sure: bool


class PodIdentityAdministrator(FindingRule):
    """One finding for each role, with the associations that give it. If an association has a target role,
    pods get that one. Associations are left out if their session policy removes administration or a trust
    policy doesn't let the pods in.
    """

    kind = "pod-identity-administrator"
    severity = FindingSeverity.HIGH
    title = "Pods get an administrator role"
    sentence = "A pod identity association gives a service account of an EKS cluster an administrator role."
    risk = "Anyone who can start a pod with the service account, or gets into one, can do everything."
    remedy = "Give the role only the actions that the application uses, or add a session policy."
    fix_request = FixRequest("Set boundary", bound_own_role)
    sections = (*AUTHORIZATION, POD_IDENTITIES)

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        roles = roles_by_arn(facts)
        elsewhere: dict[str, dict[str, bool] | None] = {}
        by_role: dict[str, list[tuple[EntityFact, bool]]] = {}
        for association in facts.of_kind(Kind.POD_IDENTITY):
            pod_role = self._role_of(association, facts, roles)
            if pod_role is None:
                continue
            number = pod_role.arn.split(":")[4]
            if number not in elsewhere:
                elsewhere[number] = self._administrators(number, facts)
            administrators = elsewhere[number]
            if administrators is None:
                yield NotRead(association)
            elif pod_role.arn in administrators:
                is_sure = pod_role.is_sure and administrators[pod_role.arn]
                by_role.setdefault(pod_role.arn, []).append((association, is_sure))
        for arn, pods in by_role.items():
            yield self._problem(arn, pods, roles.get(arn), facts)

    def _role_of(
        self, association: EntityFact, facts: AccountFacts, roles: dict[str, EntityFact]
    ) -> PodRole | None:
        """Return the role that pods get; None if they get none, or if a session policy removes
        administration.
        """
        role = roles.get(association.attrs.get("RoleArn", ""))
        session = leaves_administration(association, facts)
        admitted = admits_pods(role, association, facts) if role else None
        if role is None or session is None or admitted is None:
            return None
        target = association.attrs.get("TargetRoleArn")
        if not target:
            return PodRole(role.arn, session and admitted)
        external_id = association.attrs.get("ExternalId") or ""
        chained = can_assume(role, target, facts, external_id=external_id)
        if chained is None and self._is_synced(target, facts):
            return None
        return PodRole(target, bool(session and admitted and chained))

    def _is_synced(self, arn: str, facts: AccountFacts) -> bool:
        return facts.index is not None and arn.split(":")[4] in facts.index.accounts

    def _administrators(self, number: str, facts: AccountFacts) -> dict[str, bool] | None:
        """Return the administrators of an account by ARN, with True if certain; None if the account is not
        synced.
        """
        shard = facts.index.accounts.get(number) if facts.index else None
        if facts.index is None or shard is None:
            return None
        by_id = facts.administrators or {}
        if number != facts.number:
            by_id = PathBuilder(facts.index, shard, OutsideFacts()).administrators()
        return {shard.members[pk].arn: is_sure for pk, is_sure in by_id.items() if pk in shard.members}

    def _problem(
        self, arn: str, pods: list[tuple[EntityFact, bool]], role: EntityFact | None, facts: AccountFacts
    ) -> RuleProblem:
        """Return the problem of a role. If the role is in another account, its subject is the first
        association.
        """
        places = [self._place(association) for association, _ in pods]
        is_sure = any(sure for _, sure in pods)
        fix = FindingFix(page="role", on=role.id) if role else None
        elsewhere = {} if role else {"target_role": arn}
        return RuleProblem(
            role or pods[0][0],
            {"administrator": True, **elsewhere, "pods": places},
            related=tuple(sorted(association.arn for association, _ in pods)),
            affected=len(pods),
            reasons=reasons_of(facts, is_sure=is_sure),
            fix=fix,
        )

    def _place(self, association: EntityFact) -> dict[str, Any]:
        attrs = association.attrs
        return {
            "cluster": attrs.get("ClusterName"),
            "region": attrs.get("Region"),
            "namespace": attrs.get("Namespace"),
            "service_account": attrs.get("ServiceAccount"),
        }
