"""Explains a decision as a tree: every policy type that counts, in AWS's evaluation order, down to each
condition.

Source: "Policy evaluation logic",
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain
from typing import Final

from iam.access.explanation import HeldPolicy
from iam.access.verdict import (
    BranchVoice,
    OrganizationLevels,
    StatementCheck,
    VerdictBranch,
    VerdictStatement,
)
from iam.phrases import joined
from iam.policy.aws_owned import owner_reason
from iam.policy.compiled import CompiledStatement, PolicyKind, PolicySet
from iam.policy.evaluate import (
    FREE,
    EvaluationDecision,
    RequestPolicies,
    decide,
    evaluate_each_kind,
    has_rcps,
    has_scps,
    is_never_locked_out,
    needs_resource_policy,
)
from iam.policy.letter_case import fold
from iam.policy.logic import NO, OPEN, YES
from iam.policy.principals import OUTSIDERS
from iam.policy.request import PrincipalKind, Request
from iam.policy.sentences.conditions import phrase

MORE_VALUES: Final = 5
BY_MARK: Final = (BranchVoice.SILENT, BranchVoice.DEPENDS, BranchVoice.ALLOWS)

WORDS: Final = {
    BranchVoice.ALLOWS: "allows it",
    BranchVoice.DENIES: "denies it",
    BranchVoice.DEPENDS: "allows it conditionally",
    BranchVoice.SILENT: "doesn’t allow it",
}
STOPPING: Final = {
    PolicyKind.BOUNDARY: "The permissions boundary doesn’t allow it, so identity policies can’t grant it.",
    PolicyKind.SESSION: "The session policy doesn’t allow it, so the session can’t do it.",
    PolicyKind.ENDPOINT: "The VPC endpoint policy doesn’t allow it.",
}
ROOT_CANNOT: Final = "A root user can’t assume roles."
GATEWAY: Final = (
    "At a gateway endpoint, an account in this policy means only its root user. Gatehouse doesn’t know the "
    "type of the endpoint."
)
NAMES: Final = {
    PolicyKind.BOUNDARY: "Permissions boundary",
    PolicyKind.SESSION: "Session policy",
    PolicyKind.ENDPOINT: "VPC endpoint policy",
    PolicyKind.SCP: "Service control policies",
    PolicyKind.RCP: "Resource control policies",
}


class DecisionTree:
    """Explains one decision.

    `held_policies` maps names of identity policies to how they are held. `is_resource_known` is False if the
    resource-based policy is a placeholder for one that is not synced.
    """

    def __init__(
        self,
        request: Request,
        policies: RequestPolicies,
        *,
        held_policies: Mapping[str, HeldPolicy],
        levels: OrganizationLevels,
        is_resource_known: bool = True,
    ) -> None:
        self._request, self._policies = request, policies
        self._held, self._levels = held_policies, levels
        self._is_resource_known = is_resource_known
        self._is_bounded = policies.boundary is not None

    def branches(self) -> tuple[VerdictBranch, ...]:
        """The branches in the order of "Policy evaluation logic": denies first, then everything that must
        allow.
        """
        if self._request.lowered in FREE:
            text = f"{self._request.action} needs no permission, and no policy can deny it."
            return (VerdictBranch("rule", "AWS rule", BranchVoice.ALLOWS, text),)
        owned = owner_reason(self._request.lowered, self._request.resource)
        if owned:
            return (VerdictBranch("rule", "AWS rule", BranchVoice.DENIES, owned),)
        rest = (
            self._control(PolicyKind.RCP, self._policies.rcps),
            self._control(PolicyKind.SCP, self._policies.scps),
            self._bounding(PolicyKind.ENDPOINT, self._policies.endpoint),
            self._resource(),
            self._identity(),
            self._bounding(PolicyKind.BOUNDARY, self._policies.boundary),
            self._bounding(PolicyKind.SESSION, self._policies.session),
        )
        return (self._denies(rest), *rest)

    def _denies(self, rest: Iterable[VerdictBranch]) -> VerdictBranch:
        leaves = chain.from_iterable(branch.every_leaf for branch in rest)
        deny_leaves = tuple(leaf for leaf in leaves if not leaf.allows)
        sure = [leaf for leaf in deny_leaves if leaf.mark == YES]
        perhaps = tuple(leaf for leaf in deny_leaves if leaf.mark == OPEN)
        if sure:
            is_void = decide(self._request, self._policies) is not EvaluationDecision.EXPLICITLY_DENIED
            if is_void:
                text = (
                    "The root user of the bucket’s account can always change the bucket policy, even if the "
                    "policy denies it."
                )
                return VerdictBranch("deny", "Explicit denies", BranchVoice.ASIDE, text, tuple(sure))
            count = "A statement denies" if len(sure) == 1 else f"{len(sure)} statements deny"
            return VerdictBranch(
                "deny",
                "Explicit denies",
                BranchVoice.DENIES,
                f"{count} it, regardless of what allows it.",
                tuple(sure),
            )
        if perhaps:
            text = "A statement denies it, depending on values that the request doesn’t give."
            return VerdictBranch("deny", "Explicit denies", BranchVoice.DEPENDS, text, perhaps)
        text = "No statement denies it."
        if deny_leaves:
            verb = "doesn’t" if len(deny_leaves) == 1 else "don’t"
            text = f"{text} {len(deny_leaves)} would, but {verb} match."
        return VerdictBranch("deny", "Explicit denies", BranchVoice.ALLOWS, text, deny_leaves)

    def _control(self, kind: PolicyKind, levels: tuple[PolicySet, ...]) -> VerdictBranch:
        """The branch for SCPs or RCPs, of which each level must allow."""
        title = NAMES[kind]
        if reason := self._exempt(kind, levels):
            return VerdictBranch(str(kind), title, BranchVoice.ASIDE, reason)
        names = self._levels.scps if kind is PolicyKind.SCP else self._levels.rcps
        parts = []
        for place, policies in enumerate(levels):
            name = names[place] if place < len(names) else f"Level {place + 1}"
            voice = self._voice(policies)
            parts.append(self._branch(str(kind), name, voice, f"{WORDS[voice].capitalize()}.", policies))
        denying = [part.title for part in parts if part.voice is BranchVoice.DENIES]
        if denying:
            text = f"A policy attached to {joined(denying)} denies it."
            return VerdictBranch(str(kind), title, BranchVoice.DENIES, text, parts=tuple(parts))
        stopping = [part.title for part in parts if part.voice is BranchVoice.SILENT]
        if stopping:
            text = (
                f"Every level must allow it, and {joined(stopping)} {'does' if len(stopping) == 1 else 'do'} "
                "not."
            )
            return VerdictBranch(str(kind), title, BranchVoice.SILENT, text, parts=tuple(parts))
        is_open = any(part.voice is BranchVoice.DEPENDS for part in parts)
        text = "Every synced level allows it." if is_open else "Every level allows it."
        voice = BranchVoice.DEPENDS if is_open else BranchVoice.ALLOWS
        return VerdictBranch(str(kind), title, voice, text, parts=tuple(parts))

    def _exempt(self, kind: PolicyKind, levels: tuple[PolicySet, ...]) -> str:
        """Why the organization's policies of this kind don't apply; "" if they do."""
        who = self._request.principal
        if who.skips_organization_policies:
            return "They don’t restrict service-linked roles."
        if kind is PolicyKind.SCP:
            if who.is_management_account:
                return "They don’t restrict the management account."
            return "" if levels and has_scps(self._request) else self._levels.no_scps
        if not levels:
            return self._levels.no_rcps
        is_asked = has_rcps(self._request, self._policies)
        return "" if is_asked else "They don’t restrict this service, this action or this account."

    def _bounding(self, kind: PolicyKind, policies: PolicySet | None) -> VerdictBranch:
        title = NAMES[kind]
        if policies is None:
            if kind is PolicyKind.SESSION and self._request.principal.kind is PrincipalKind.FEDERATED_USER:
                return VerdictBranch(
                    str(kind), title, BranchVoice.SILENT, "Without one, the session has no permissions."
                )
            text = "None." if kind is PolicyKind.BOUNDARY else "Not specified."
            return VerdictBranch(str(kind), title, BranchVoice.ASIDE, text)
        voice = self._voice(policies)
        if kind is PolicyKind.ENDPOINT and voice is not BranchVoice.DENIES:
            through = BY_MARK[evaluate_each_kind(self._request, self._policies).endpoint]
            if voice is BranchVoice.ALLOWS and through is BranchVoice.DEPENDS:
                return self._branch(str(kind), title, through, GATEWAY, policies)
            voice = through
        text = STOPPING[kind] if voice is BranchVoice.SILENT else f"It {WORDS[voice]}."
        return self._branch(str(kind), title, voice, text, policies)

    def _identity(self) -> VerdictBranch:
        title, who = "Identity policies", self._request.principal
        if who.kind is PrincipalKind.ROOT:
            if self._is_barred:
                return VerdictBranch("identity", title, BranchVoice.SILENT, ROOT_CANNOT)
            return VerdictBranch(
                "identity", title, BranchVoice.ALLOWS, "A root user has every permission in its own account."
            )
        policies = self._policies.identity
        voice = self._voice(policies)
        parts = tuple(self._holders(policies))
        return VerdictBranch("identity", title, voice, self._identity_text(voice), parts=parts)

    def _identity_text(self, voice: BranchVoice) -> str:
        if voice is not BranchVoice.SILENT:
            return f"At least one of them {WORDS[voice]}."
        return "None of them allows it." if self._policies.identity.statements else "None."

    def _holders(self, policies: PolicySet) -> Iterator[VerdictBranch]:
        """The principal's own policies, and those of each of its groups."""
        groups: dict[str, list[CompiledStatement]] = {}
        for statement in policies.statements:
            holding = self._held.get(statement.policy)
            group = holding.group.name if holding and holding.group else ""
            groups.setdefault(group, []).append(statement)
        for name, statements in sorted(groups.items()):
            part = PolicySet(policies.kind, tuple(statements))
            voice = self._voice(part)
            title = f"Group {name}" if name else "Its own policies"
            yield self._branch("identity", title, voice, f"{WORDS[voice].capitalize()}.", part)
        if policies.problems:
            problems = tuple(f"{policy}: {problem}" for policy, problem in policies.problems)
            yield VerdictBranch(
                "identity",
                "Not readable",
                BranchVoice.ASIDE,
                "What these allow or deny isn’t part of the answer.",
                problems=problems,
            )

    def _resource(self) -> VerdictBranch:
        title, policies, request = "Resource-based policy", self._policies.resource, self._request
        is_needed = self._is_resource_needed
        if not self._is_resource_known:
            return VerdictBranch(
                "resource", title, BranchVoice.DEPENDS, "Not synced. It must allow the caller."
            )
        if policies is None:
            if is_needed:
                return VerdictBranch(
                    "resource", title, BranchVoice.SILENT, "It must allow the caller, but there is none."
                )
            return VerdictBranch(
                "resource",
                title,
                BranchVoice.ASIDE,
                "Not specified. In the same account it doesn’t need to allow anything.",
            )
        denied, account, role, direct = policies.judge_grades(request, is_bounded=self._is_bounded)
        mark = max(account, role, direct)
        if denied == YES and not is_never_locked_out(request):
            return self._branch("resource", title, BranchVoice.DENIES, "It denies it.", policies)
        text = self._grade_text(account, role, direct)
        if mark == NO:
            voice = BranchVoice.SILENT if is_needed else BranchVoice.ASIDE
            text = (
                "It must allow the caller, but doesn’t."
                if is_needed
                else "It doesn’t allow the request, and doesn’t need to."
            )
            return self._branch("resource", title, voice, text, policies)
        voice = BranchVoice.ALLOWS if mark == YES else BranchVoice.DEPENDS
        is_enough = direct == YES and not request.is_cross_account and not self._is_barred
        return replace(
            self._branch("resource", title, voice, text, policies), is_enough=is_enough, is_needed=is_needed
        )

    @property
    def _is_resource_needed(self) -> bool:
        request = self._request
        return (
            request.is_cross_account or request.principal.kind in OUTSIDERS or needs_resource_policy(request)
        )

    @property
    def _is_barred(self) -> bool:
        """True if no policy can allow the request, because a root user can't assume roles."""
        return (
            self._request.principal.kind is PrincipalKind.ROOT and self._request.lowered == "sts:assumerole"
        )

    def _grade_text(self, account: int, role: int, direct: int) -> str:
        perhaps = "" if max(account, role, direct) == YES else "perhaps "
        if direct >= max(account, role) and direct:
            if self._request.is_cross_account:
                return f"It {perhaps}allows the caller. The caller’s own policies must allow it too."
            return f"It {perhaps}allows the caller on its own, regardless of identity policies."
        if role >= account and role:
            return (
                f"It {perhaps}allows the role. Its permissions boundary and session policies still limit it."
            )
        return f"It {perhaps}allows the account, so identity policies decide."

    def _voice(self, policies: PolicySet) -> BranchVoice:
        denied, allowed = policies.judge(self._request)
        if denied == YES:
            return BranchVoice.DENIES
        return BY_MARK[min(allowed, YES - denied)]

    def _branch(
        self, kind: str, title: str, voice: BranchVoice, text: str, policies: PolicySet
    ) -> VerdictBranch:
        if voice is BranchVoice.DENIES:
            text = "It denies it."
        speaking = policies.speaking_of(self._request.lowered)
        return VerdictBranch(
            kind,
            title,
            voice,
            text,
            tuple(self._leaf(statement) for statement in speaking),
            others=len(policies.statements) - len(speaking),
            problems=tuple(f"{policy}: {problem}" for policy, problem in policies.problems),
        )

    def _leaf(self, statement: CompiledStatement) -> VerdictStatement:
        mark, means = statement.applies_to(self._request, is_bounded=self._is_bounded)
        return VerdictStatement(
            statement.policy,
            statement.source,
            min(mark, max(means)),
            tuple(self._checks(statement)),
            self._held.get(statement.policy),
            tuple(str(problem) for problem in statement.unknown),
        )

    def _checks(self, statement: CompiledStatement) -> Iterator[StatementCheck]:
        request, source = self._request, statement.source
        if statement.means is not None:
            element = "NotPrincipal" if source.is_not_principal else "Principal"
            names = ", ".join(chain.from_iterable((source.principals or {}).values()))
            yield StatementCheck(element, names, self._means(statement), request.principal.arn)
        if statement.fits is not None:
            element = "NotResource" if source.is_not_resource else "Resource"
            yield StatementCheck(
                element, ", ".join(source.resources or ()), statement.fits(request), request.resource
            )
        for condition in statement.conditions:
            yield StatementCheck(
                "Condition",
                str(condition),
                condition.test(request),
                _values(request, fold(condition.key)),
                phrase(condition.operator, condition.key, condition.values),
            )

    def _means(self, statement: CompiledStatement) -> int:
        """How the Principal element matches. A Deny with NotPrincipal matches everyone with a permissions
        boundary.
        """
        if self._is_bounded and statement.source.is_not_principal and not statement.allows:
            return YES
        return (
            YES
            if statement.means is None
            else max(statement.means(self._request.principal, self._request.strict))
        )


def _values(request: Request, key: str) -> str:
    """The values of a request key, in words."""
    request_values = request.values(key)
    if request_values is None:
        return "not said"
    if not request_values:
        return "absent"
    shown = ", ".join(request_values[:MORE_VALUES])
    return (
        shown
        if len(request_values) <= MORE_VALUES
        else f"{shown} and {len(request_values) - MORE_VALUES} more"
    )
