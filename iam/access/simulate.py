"""Evaluates one request against the policies of the mirror and additional input, and explains the result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from iam.access.evaluation import ROOT_CANNOT, DecisionTree
from iam.access.explanation import holdings
from iam.access.principals import AskingPrincipal
from iam.access.verdict import BranchVoice, OrganizationLevels, VerdictBranch, VerdictStatement
from iam.mirror.models import EntityState, Kind, valid_at
from iam.mirror.snapshot import snapshot
from iam.policy.compiled import PolicyKind, PolicySet
from iam.policy.evaluate import FREE, EvaluationDecision, RequestPolicies, decide
from iam.policy.index.classes import IndexedPrincipal
from iam.policy.index.documents import SharedDocuments
from iam.policy.index.index import PolicyIndex
from iam.policy.index.question import AccessQuestion
from iam.policy.index.resources import unknown_policy
from iam.policy.index.shard import AccountShard
from iam.policy.kms_grants import GRANTABLE, NOT_READ
from iam.policy.logic import OPEN, YES
from iam.policy.request import SERVICE_LINKED_PATH, Principal, PrincipalKind, Request, account_of

OWN: Final = frozenset({"identity", "boundary", "session"})
RESOURCE_FACTS: Final = ("aws:ResourceOrgID", "aws:ResourceOrgPaths")


@dataclass(frozen=True, slots=True)
class SimulationInquiry:
    """A request to simulate.

    `owner` is the resource's account if the ARN has none. Policies are JSON, "" for none. `besides` is an
    additional identity policy, for example of a planned grant. With `is_hidden`, nothing about the resource's
    account may be revealed. `is_any_time` leaves the time of the request open.
    """

    who: AskingPrincipal
    action: str
    resource: str
    at: datetime | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    strict: bool = False
    owner: str = ""
    resource_policy: str = ""
    session_policy: str = ""
    endpoint_policy: str = ""
    besides: str = ""
    is_hidden: bool = False
    is_any_time: bool = False

    @property
    def resource_account(self) -> str:
        """The account of the resource; the principal's own account if unknown."""
        return self.owner or account_of(self.resource) or self.who.account


@dataclass(frozen=True, slots=True)
class SimulationResult:
    """The simulated answer of AWS.

    `summary` is one sentence, `missing` says what would have to allow it, `open_conditions` what it depends
    on, `limits` what is unknown; `branches` are the full explanation.
    """

    decision: EvaluationDecision
    summary: str
    branches: tuple[VerdictBranch, ...]
    missing: tuple[str, ...] = ()
    open_conditions: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()


def simulate(inquiry: SimulationInquiry) -> SimulationResult | None:
    """Simulate the request; None if the principal did not exist. Loads the policies of at most two
    accounts.
    """
    accounts = {inquiry.who.account} | (set() if inquiry.is_hidden else {inquiry.resource_account})
    with snapshot(inquiry.at, accounts=accounts, may_lag=True) as index:
        member = index.member(inquiry.who.account, inquiry.who.number)
        return None if member is None else judge(index, member, inquiry)


def judge(index: PolicyIndex, member: IndexedPrincipal, inquiry: SimulationInquiry) -> SimulationResult:
    """Simulate the request for an indexed principal. The caller must hold the index."""
    request, policies, is_known = _question(index, member, inquiry)
    shard = index.accounts[member.account]
    owner = index.accounts.get(request.resource_account)
    tree = DecisionTree(
        request,
        policies,
        held_policies=dict(holdings(shard, member.grants)),
        levels=_levels(shard, owner, policies, inquiry),
        is_resource_known=is_known,
    )
    decision, branches = decide(request, policies), tree.branches()
    open_conditions = _open_conditions(decision, branches)
    is_standing_known = shard.standing.is_known
    limits = tuple(
        _limits(
            inquiry, request, policies, is_owner_read=owner is not None, is_standing_known=is_standing_known
        )
    )
    return SimulationResult(
        decision,
        _summary(decision, branches, open_conditions),
        branches,
        missing=_missing(decision, branches),
        open_conditions=open_conditions,
        limits=limits,
    )


def _question(
    index: PolicyIndex, member: IndexedPrincipal, inquiry: SimulationInquiry
) -> tuple[Request, RequestPolicies, bool]:
    """The request and policies for the engine, and whether the resource-based policy is known."""
    question = AccessQuestion(
        inquiry.action,
        inquiry.resource,
        inquiry.context,
        resource_account=inquiry.owner,
        strict=inquiry.strict,
        is_any_time=inquiry.is_any_time,
    )
    request, policies = index.request_and_policies(member, question)
    if inquiry.who.kind is PrincipalKind.SESSION:
        request = replace(request, principal=_session(member, inquiry))
    policies = _with_given(policies, inquiry, of_pattern=question.asks_for_pattern)
    if inquiry.is_hidden:
        known = {key: value for key, value in request.context.items() if key not in RESOURCE_FACTS}
        request = replace(request, context=known | dict(inquiry.context))
        policies = replace(policies, rcps=())
    is_open = _is_open(request, policies, inquiry)
    if is_open and request.lowered not in FREE:
        policies = replace(policies, resource=unknown_policy())
    return request, policies, not is_open


def _session(member: IndexedPrincipal, inquiry: SimulationInquiry) -> Principal:
    role = member.principal
    return Principal(
        inquiry.who.arn,
        tags=role.tags,
        unique_id=role.unique_id,
        is_service_linked=SERVICE_LINKED_PATH in member.arn,
        is_management_account=role.is_management_account,
    )


def _with_given(
    policies: RequestPolicies, inquiry: SimulationInquiry, *, of_pattern: bool
) -> RequestPolicies:
    """The policies with the entered texts added.

    These are compiled separately, because the index keeps every name it meets forever.
    """

    def given(text: str, name: str, kind: PolicyKind) -> PolicySet | None:
        if not text.strip():
            return None
        doc = SharedDocuments().add("", text)
        problems = tuple((name, problem) for problem in doc.problems)
        return PolicySet(kind, doc.statements_of(name, kind, of_pattern=of_pattern), problems)

    besides = given(inquiry.besides, "the request", PolicyKind.IDENTITY)
    identity = policies.identity
    if besides:
        statements = (*identity.statements, *besides.statements)
        identity = PolicySet(identity.kind, statements, identity.problems)
    return replace(
        policies,
        identity=identity,
        resource=given(inquiry.resource_policy, "resource policy", PolicyKind.RESOURCE) or policies.resource,
        session=given(inquiry.session_policy, "session policy", PolicyKind.SESSION),
        endpoint=given(inquiry.endpoint_policy, "endpoint policy", PolicyKind.ENDPOINT),
    )


def _is_open(request: Request, policies: RequestPolicies, inquiry: SimulationInquiry) -> bool:
    """True if a resource-based policy is required and unknown."""
    if inquiry.resource_policy:
        return False
    if inquiry.is_hidden or (request.is_cross_account and policies.resource is None):
        return True
    resource_policies = policies.resource
    return resource_policies is not None and any(
        statement.policy == "the policy of the resource" for statement in resource_policies.statements
    )


def _levels(
    shard: AccountShard, owner: AccountShard | None, policies: RequestPolicies, inquiry: SimulationInquiry
) -> OrganizationLevels:
    owner_shown = None if inquiry.is_hidden else owner
    return OrganizationLevels(
        scps=_names(shard, len(policies.scps), inquiry.at),
        rcps=_names(owner, len(policies.rcps), inquiry.at),
        no_scps=_none("SCPs", shard, "principal"),
        no_rcps=_none("RCPs", owner_shown, "resource"),
    )


def _none(what: str, shard: AccountShard | None, whose: str) -> str:
    """Why no organization policies of this type apply."""
    if shard is None or not shard.standing.is_known:
        return f"The {what} of the account of the {whose} weren’t synced."
    if not shard.standing.organization_id:
        return f"The account of the {whose} isn’t in a synced organization."
    if shard.standing.is_management:
        return "They don’t restrict the management account."
    return f"The organization doesn’t use {what}."


def _names(shard: AccountShard | None, levels: int, at: datetime | None) -> tuple[str, ...]:
    """The names of the levels above an account; empty if they don't correspond to the number of policy
    levels.
    """
    path = shard.standing.paths[0].strip("/").split("/")[1:] if shard and shard.standing.paths else []
    if not levels or levels != len(path) + 1:
        return ()
    rows = EntityState.objects.filter(
        valid_at(at), kind__in=(Kind.ORG_ROOT, Kind.ORG_UNIT), entity__aws_id__in=path
    )
    names = dict(rows.values_list("entity__aws_id", "name"))
    return (*(names.get(step, step) for step in path), "the account itself")


def _summary(
    decision: EvaluationDecision, branches: tuple[VerdictBranch, ...], open_conditions: tuple[str, ...]
) -> str:
    """'Allowed by OncallRead, statement 2, but the SCPs of Workloads do not allow it.'"""
    if branches[0].kind == "rule":
        return branches[0].text
    positive = decision in {EvaluationDecision.ALLOWED, EvaluationDecision.CONDITIONAL}
    by_resource = positive and _is_own_way_closed(branches)
    kinds = ("resource",) if by_resource else ("identity", "resource")
    granting = _granting(branches, kinds)
    by = f"Allowed by {_leaf_name(granting)}" if granting else ""
    if decision is EvaluationDecision.ALLOWED:
        return (
            f"{by}, and nothing denies it."
            if by
            else "Allowed: a root user has every permission in its own account."
        )
    if decision is EvaluationDecision.EXPLICITLY_DENIED:
        denied = _leaf_name(branches[0].leaves[0])
        return f"{by}, but {denied} denies it." if by else f"{denied} denies it, and nothing allows it."
    if decision is EvaluationDecision.CONDITIONAL:
        return _depending(by, open_conditions)
    stopping = [branch for branch in branches if branch.voice is BranchVoice.SILENT]
    if by and stopping:
        return f"{by}, but {_stopper(stopping[0])}."
    return "Nothing allows it." if not by else f"{by}, but the request isn’t allowed."


def _depending(by: str, open_conditions: tuple[str, ...]) -> str:
    """'Allowed by OncallRead, statement 2, if MFA is present.'"""
    if len(open_conditions) == 1:
        return f"{by}, {open_conditions[0]}." if by else f"Allowed {open_conditions[0]}."
    things = f"{len(open_conditions)} things" if open_conditions else "what"
    rest = f"{things}{' that' if open_conditions else ''} the question doesn’t specify"
    return f"{by}, but it depends on {rest}." if by else f"It depends on {rest}."


def _is_own_way_closed(branches: tuple[VerdictBranch, ...]) -> bool:
    """True if the principal's own policies can't allow it, so that only the resource-based policy can."""
    return any(branch.kind in OWN and branch.voice is BranchVoice.SILENT for branch in branches)


def _granting(branches: tuple[VerdictBranch, ...], kinds: tuple[str, ...]) -> VerdictStatement | None:
    """The first statement that definitely allows it, in the order of these policy types."""
    for kind in kinds:
        for branch in branches:
            for leaf in branch.every_leaf if branch.kind == kind else ():
                if leaf.allows and leaf.mark == YES:
                    return leaf
    return None


def _leaf_name(leaf: VerdictStatement) -> str:
    group = f" of group {leaf.held.group.name}" if leaf.held and leaf.held.group else ""
    name = leaf.held.policy.name if leaf.held else leaf.policy
    return f"{name}{group}, {leaf.label}"


def _stopper(branch: VerdictBranch) -> str:
    """The second half of a sentence, on what does not allow it."""
    stopping = [part.title for part in branch.parts if part.voice is BranchVoice.SILENT]
    if branch.text == ROOT_CANNOT:
        return f"{ROOT_CANNOT[0].lower()}{ROOT_CANNOT[1:-1]}"
    names = {
        "scp": f"the SCPs of {' and '.join(stopping)} don’t allow it",
        "rcp": f"the RCPs of {' and '.join(stopping)} don’t allow it",
        "resource": "the resource-based policy doesn’t allow the caller",
        "identity": "no identity policy allows it",
        "boundary": "the permissions boundary doesn’t allow it",
        "session": "the session policy doesn’t allow it",
        "endpoint": "the VPC endpoint policy doesn’t allow it",
    }
    return names[branch.kind]


def _missing(decision: EvaluationDecision, branches: tuple[VerdictBranch, ...]) -> tuple[str, ...]:
    """Sentences on what would also have to allow it."""
    if decision is not EvaluationDecision.IMPLICITLY_DENIED:
        return ()
    is_enough = any(branch.is_enough for branch in branches)
    missing = [
        _stopper(branch)
        for branch in branches
        if branch.voice is BranchVoice.SILENT and not (is_enough and branch.kind in OWN)
    ]
    return tuple(f"{text[0].upper()}{text[1:]}." for text in missing)


def _open_conditions(decision: EvaluationDecision, branches: tuple[VerdictBranch, ...]) -> tuple[str, ...]:
    """What the decision depends on, without duplicates: 'if MFA is present', 'unless the source address is in
    10.0.0.0/8'.
    """
    if decision is not EvaluationDecision.CONDITIONAL:
        return ()
    settled = not _is_own_way_closed(branches) and any(
        branch.kind == "identity" and _is_sure(branch) for branch in branches
    )
    words_open: dict[str, None] = {}
    for branch in branches[1:]:
        if branch.kind == "resource" and not branch.leaves and branch.voice is BranchVoice.DEPENDS:
            words_open["if the resource-based policy allows the caller"] = None
        if branch.kind == "endpoint" and branch.voice is BranchVoice.DEPENDS and _is_sure(branch):
            words_open["if the VPC endpoint isn’t a gateway endpoint"] = None
        for part in branch.parts if branch.kind in {"scp", "rcp"} else (branch,):
            is_beside = part.kind == "resource" and settled and not part.is_needed
            is_asked = not _is_sure(part) and not is_beside
            for leaf in part.every_leaf:
                if leaf.mark == OPEN and (is_asked or not leaf.allows):
                    words_open |= dict.fromkeys(_open_words(leaf))
    return tuple(words_open)


def _is_sure(branch: VerdictBranch) -> bool:
    """True if a statement of the branch definitely allows it, so that conditional ones don't matter."""
    return any(leaf.allows and leaf.mark == YES for leaf in branch.every_leaf)


def _open_words(leaf: VerdictStatement) -> Iterator[str]:
    joint = "if" if leaf.allows else "unless"
    for check in leaf.open_checks:
        yield f"{joint} {check.words or f'{check.element} {check.text} fits {check.found}'}"
    for problem in leaf.problems:
        yield f"depending on how AWS interprets {leaf.policy}: {problem}"


def _limits(
    inquiry: SimulationInquiry,
    request: Request,
    policies: RequestPolicies,
    *,
    is_owner_read: bool,
    is_standing_known: bool,
) -> Iterator[str]:
    if not is_standing_known:
        yield "SCPs and RCPs of the principal’s account weren’t synced."
    if inquiry.is_hidden or not is_owner_read:
        yield (
            f"The account {request.resource_account} of the resource isn’t connected, or you can’t see it. "
            "Its policies aren’t "
            "part of the answer."
        )
    if request.lowered in GRANTABLE:
        yield NOT_READ
    if policies.resource is None:
        yield "The resource-based policy isn’t synced. Paste it below to include it in the answer."
    if not (inquiry.owner or account_of(inquiry.resource)):
        yield "The resource’s account isn’t known, so the principal’s own account is assumed."
