"""The long way: each principal in each state asks for each thing by itself, without bits, groups of targets
or rounds.

It knows the methods whose actions `random_worlds` uses, written out, and asks the engine for each request.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from iam.policy.compiled import PolicyKind, PolicySet
from iam.policy.escalation.cross_account import as_node
from iam.policy.escalation.states import (
    ADMINISTRATOR_ACCESS,
    AS_IT_IS,
    FULL,
    FULL_DIGEST,
    NewMember,
    PolicyRemoval,
    PrincipalState,
    grants_in,
    new_member,
)
from iam.policy.evaluate import EvaluationDecision, RequestPolicies, decide
from iam.policy.index.classes import IndexedPrincipal
from iam.policy.index.question import AccessQuestion
from iam.policy.index.rows import PolicyHoldings
from iam.policy.logic import NO, OPEN, YES
from iam.policy.request import Principal, PrincipalKind, Request
from tests.iam.policy.escalation.builders import World

At = tuple[IndexedPrincipal, PrincipalState]
MARKS = {EvaluationDecision.ALLOWED: YES, EvaluationDecision.CONDITIONAL: OPEN}
OPEN_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
}
BOUNDED = {
    f"iam:{verb}{kind}{what}"
    for kind in ("User", "Role")
    for verb, what in (
        ("Put", "Policy"), ("Attach", "Policy"), ("Delete", "PermissionsBoundary"),
        ("Put", "PermissionsBoundary"),
        ("Delete", "Policy"), ("Detach", "Policy"), ("Create", ""),
    )
}  # fmt: skip
"""Actions for which the Service Authorization Reference lists the key iam:PermissionsBoundary."""
DECISIVE = (
    ("CreatePolicyVersion", "policy"), ("PutRolePolicy", "role"), ("AttachRolePolicy", "role"),
    ("UpdateAssumeRolePolicy", "role"), ("CreateRole", "role"), ("PutUserPolicy", "user"),
    ("AttachUserPolicy", "user"),
    ("CreateAccessKey", "user"), ("CreateUser", "user"), ("PutGroupPolicy", "group"),
    ("AttachGroupPolicy", "group"),
    ("AddUserToGroup", "group"),
)  # fmt: skip


class Longhand:
    """One organisation."""

    def __init__(self, world: World) -> None:
        self.index = world.index
        self._held = self.index.documents.add(FULL_DIGEST, FULL)
        self.new: dict[tuple[str, str, int | None], IndexedPrincipal] = {}
        self.members = [m for m in self.index.members if m.kind is not PrincipalKind.ROOT]

    def reaches(self, start: IndexedPrincipal, *, is_sure: bool) -> bool:
        """Whether somebody comes to be administrator."""
        least = YES if is_sure else OPEN
        seen: set[tuple[int, PrincipalState]] = set()
        waiting: list[At] = [(start, AS_IT_IS)]
        while waiting:
            at = waiting.pop()
            if (at[0].id, at[1]) in seen:
                continue
            seen.add((at[0].id, at[1]))
            if self.is_administrator(at) >= least:
                return True
            if any(mark >= least for mark in self.administrators_made(at)):
                return True
            waiting += [to for to, mark in self.steps(at) if mark >= least]
        return False

    def ask(self, at: At, action: str, resource: str, context: dict[str, Any], **more: Any) -> int:
        grants = grants_in(at[0].grants, at[1], self.index.accounts[at[0].account].groups)
        who = as_node(at[0], grants, is_tagged=at[1].tagged)
        if action.startswith("iam:"):
            context = {"iam:PermissionsBoundary": None, **context}
        context = {"aws:RequestedRegion": "us-east-1", **context}
        return MARKS.get(
            self.index.decide(who, AccessQuestion(action, resource, context, is_pattern=False, **more)), NO
        )

    def on_tagged(self, at: At, action: str, other: IndexedPrincipal, **context: Any) -> int:
        """The same, perhaps after tags of the other one were set."""
        on = self.on(at, action, other, **context)
        tags = self.on(at, f"iam:Tag{_kind(other)}", other)
        return max(on, min(OPEN, tags, self.on(at, action, other, is_tagged=True, **context)))

    def on(
        self, at: At, action: str, other: IndexedPrincipal, *, is_tagged: bool = False, **context: Any
    ) -> int:
        boundary = self.index.accounts[other.account].boundary_of(other.grants)
        known: dict[str, Any] = {"iam:PermissionsBoundary": None}
        if boundary is not None and action in BOUNDED:
            known["iam:PermissionsBoundary"] = boundary[0]
        if not is_tagged:
            known["iam:ResourceTag/team"] = (other.tags or {}).get("team")
        return self.ask(at, action, other.arn, known | context)

    def is_administrator(self, at: At) -> int:
        account = at[0].account
        ceiling = as_node(at[0], PolicyHoldings((("all", FULL_DIGEST),)))
        ceiling.arn, ceiling.tags = f"arn:aws:iam::{account}:role/anybody", {}
        number, asked = YES, 0
        for action, kind in DECISIVE:
            resource = f"arn:aws:iam::{account}:{kind}/nobody"
            context = {"iam:PermissionsBoundary": None, "iam:PolicyARN": ADMINISTRATOR_ACCESS}
            most = self._of_ceiling(ceiling, f"iam:{action}", resource, context)
            if most == NO:
                continue
            asked += 1
            mark = self.ask(at, f"iam:{action}", resource, context)
            number = min(number, YES if mark >= most else mark)
        return number if asked else NO

    def _of_ceiling(
        self, ceiling: IndexedPrincipal, action: str, resource: str, context: dict[str, Any]
    ) -> int:
        return MARKS.get(
            self.index.decide(ceiling, AccessQuestion(action, resource, context, is_pattern=False)), NO
        )

    def administrators_made(self, at: At) -> Iterator[int]:
        """How somebody makes a new administrator, or a new principal with a boundary one."""
        account = at[0].account
        ceiling = as_node(at[0], PolicyHoldings((("all", FULL_DIGEST),)))
        ceiling.arn, ceiling.tags = f"arn:aws:iam::{account}:role/anybody", {}
        about = {"iam:PermissionsBoundary": None, "iam:PolicyARN": ADMINISTRATOR_ACCESS}
        if not any(
            self._of_ceiling(ceiling, f"iam:{action}", f"arn:aws:iam::{account}:{kind}/nobody", about)
            for action, kind in DECISIVE
        ):
            return
        for kind in ("Role", "User"):
            for boundary in (None, *self.boundaries(account)):
                other = self.made(account, kind, boundary)
                grants = self.makes(at, other, kind)
                made = min(grants, self.takes(at, other, kind))
                yield made if boundary is None else min(made, self.unbinds(at, other))
                if kind == "Role" and boundary is None:
                    yield min(grants, self.passes_to_lambda(at, other))
        if isinstance(at[0], NewMember) and at[1].full:
            yield self.unbinds(at, at[0])

    def boundaries(self, account: str) -> list[int]:
        shard = self.index.accounts[account]
        return [n for n, row in shard.policies.items() if row.name.endswith("/boundary")]

    def made(self, account: str, kind: str, boundary: int | None) -> IndexedPrincipal:
        key = account, kind, boundary
        if key not in self.new:
            arn = f"arn:aws:iam::{account}:{kind.lower()}/a-new"
            root, number = self.index.accounts[account].root, 10**15 + len(self.new)
            self.new[key] = new_member(root, arn, number, boundary=boundary, tags={})
        return self.new[key]

    def makes(self, at: At, other: IndexedPrincipal, kind: str) -> int:
        return min(
            self.on(at, f"iam:Create{kind}", other),
            max(
                self.on(at, f"iam:Put{kind}Policy", other),
                self.on(at, f"iam:Attach{kind}Policy", other, **{"iam:PolicyARN": ADMINISTRATOR_ACCESS}),
            ),
        )

    def takes(self, at: At, other: IndexedPrincipal, kind: str) -> int:
        if kind == "Role":
            return self.ask(at, "sts:AssumeRole", other.arn, {}, resource_policy=OPEN_TRUST)
        return max(self.on(at, f"iam:Create{what}", other) for what in ("AccessKey", "LoginProfile"))

    def passes_to_lambda(self, at: At, role: IndexedPrincipal) -> int:
        function = f"arn:aws:lambda:us-east-1:{at[0].account}:function:anything"
        creates = min(
            self.on(at, "iam:PassRole", role, **{"iam:PassedToService": "lambda.amazonaws.com"}),
            self.ask(at, "lambda:CreateFunction", function, {}),
        )
        return max(min(creates, self.ask(at, "lambda:InvokeFunction", function, {})), min(creates, OPEN))

    def steps(self, at: At) -> Iterator[tuple[At, int]]:
        account = at[0].account
        for kind in ("Role", "User"):
            for boundary in self.boundaries(account):
                other = self.made(account, kind, boundary)
                mark = min(self.makes(at, other, kind), self.takes(at, other, kind))
                yield (other, PrincipalState(full=True)), mark
        for boundary in (None, *self.boundaries(account)):
            other = self.made(account, "User", boundary)
            made = min(self.on(at, "iam:CreateUser", other), self.takes(at, other, "User"))
            for number, group in self.index.accounts[account].groups.items():
                arn = f"arn:aws:iam::{account}:group/{group.name}"
                yield (
                    (other, PrincipalState(groups=(number,))),
                    min(made, self.ask(at, "iam:AddUserToGroup", arn, {})),
                )
        for other in self.members:
            becomes = self.becomes(at, other) if other is not at[0] else NO
            if becomes:
                yield (other, AS_IT_IS), becomes
            if other.account != at[0].account:
                continue
            base = at[1] if other is at[0] else AS_IT_IS
            for state, mark in self.edits(at, other):
                if other is at[0]:
                    yield (other, _joined(base, state)), mark
                elif becomes:
                    yield (other, state), min(mark, becomes)
                    unbound = self.unbinds(at, other)
                    if unbound and not state.unbound:
                        yield (other, state._replace(unbound=True)), min(mark, becomes, unbound)

    def becomes(self, at: At, other: IndexedPrincipal) -> int:
        is_far = other.account != at[0].account
        if other.kind is PrincipalKind.USER:
            actions = () if is_far else ("iam:CreateAccessKey", "iam:CreateLoginProfile")
            return max((self.on_tagged(at, action, other) for action in actions), default=NO)
        if is_far:
            return self.on(at, "sts:AssumeRole", other)
        on_tagged = self.on_tagged(at, "sts:AssumeRole", other)
        rewrites = self.on_tagged(at, "iam:UpdateAssumeRolePolicy", other)
        if rewrites:
            takes = self.ask(at, "sts:AssumeRole", other.arn, {}, resource_policy=OPEN_TRUST)
            on_tagged = max(on_tagged, min(rewrites, takes))
        return max(on_tagged, self.by_lambda(at, other), self.by_ec2(at, other))

    def by_lambda(self, at: At, role: IndexedPrincipal) -> int:
        service = "lambda.amazonaws.com"
        function = f"arn:aws:lambda:us-east-1:{at[0].account}:function:anything"
        creates = min(
            self.on(at, "iam:PassRole", role, **{"iam:PassedToService": service}),
            self.ask(at, "lambda:CreateFunction", function, {}),
            self.trusts(role, service),
        )
        invokes = min(creates, self.ask(at, "lambda:InvokeFunction", function, {}))
        return invokes or min(OPEN, max(creates, self.by_update(at, role, service)))

    def by_update(self, at: At, role: IndexedPrincipal, service: str) -> int:
        function = f"arn:aws:lambda:us-east-1:{at[0].account}:function:anything"
        return min(self.ask(at, "lambda:UpdateFunctionCode", function, {}), self.trusts(role, service))

    def by_ec2(self, at: At, role: IndexedPrincipal) -> int:
        service = "ec2.amazonaws.com"
        instance = f"arn:aws:ec2:us-east-1:{at[0].account}:instance/anything"
        passed = min(
            self.on(at, "iam:PassRole", role, **{"iam:PassedToService": service}),
            self.ask(at, "ec2:RunInstances", instance, {}),
            self.trusts(role, service),
        )
        return passed or min(OPEN, self.ask(at, "ssm:SendCommand", instance, {}), self.trusts(role, service))

    def trusts(self, role: IndexedPrincipal, service: str) -> int:
        assert role.trust is not None
        trust = PolicySet(
            PolicyKind.RESOURCE, role.trust.statements_of("trust", PolicyKind.RESOURCE, of_pattern=False)
        )
        request = Request("sts:AssumeRole", role.arn, Principal(service), resource_account=role.account)
        return MARKS.get(
            decide(request, RequestPolicies(PolicySet(PolicyKind.IDENTITY, ()), resource=trust)), NO
        )

    def unbinds(self, at: At, other: IndexedPrincipal) -> int:
        boundary = other.grants.boundary
        if boundary is None:
            return NO
        kind = "User" if other.kind is PrincipalKind.USER else "Role"
        on = self.on if isinstance(other, NewMember) else self.on_tagged
        is_open = on(at, f"iam:Delete{kind}PermissionsBoundary", other)
        everything = {"iam:PermissionsBoundary": ADMINISTRATOR_ACCESS}
        is_open = max(is_open, on(at, f"iam:Put{kind}PermissionsBoundary", other, **everything))
        shard = self.index.accounts[other.account]
        return max(is_open, self.ask(at, "iam:CreatePolicyVersion", shard.policies[boundary].name, {}))

    def edits(self, at: At, other: IndexedPrincipal) -> Iterator[tuple[PrincipalState, int]]:
        shard = self.index.accounts[other.account]
        kind = "User" if other.kind is PrincipalKind.USER else "Role"
        attached = set(other.grants.attached)
        everything = {"iam:PolicyARN": ADMINISTRATOR_ACCESS}
        removals = self.denying(other)
        inline = {0: self.on_tagged(at, f"iam:Put{kind}Policy", other)}
        full = [self.on_tagged(at, f"iam:Attach{kind}Policy", other, **everything)]
        for number in other.grants.groups:
            arn = f"arn:aws:iam::{other.account}:group/{shard.groups[number].name}"
            inline[number] = self.ask(at, "iam:PutGroupPolicy", arn, {})
            full.append(self.ask(at, "iam:AttachGroupPolicy", arn, everything))
            attached |= set(shard.groups[number].grants.attached)
        if other is at[0] and other.kind is PrincipalKind.USER:
            full.append(self.own_group(at))
        yield PrincipalState(full=True), max(full)
        replaced: list[tuple[tuple[PolicyRemoval, ...], int]] = []
        for number, mark in inline.items():
            same = sorted(r for r in removals if r.kind == "inline" and r.group == number)
            replaced.append((tuple(same), mark))
        for policy in attached:
            mark = self.ask(at, "iam:CreatePolicyVersion", shard.policies[policy].name, {})
            copies = sorted(r for r in removals if r.kind == "attached" and r.name == str(policy))
            replaced.append((tuple(copies), mark))
        for gone, mark in replaced:
            yield PrincipalState(full=True, removed=gone), mark
        marks = {removal: self.removes(at, other, removal) for removal in removals}
        for removal, mark in marks.items():
            yield PrincipalState(removed=(removal,)), mark
        if other is not at[0] and (every := {r for r, mark in marks.items() if mark}):
            least = min(marks[removal] for removal in every)
            yield PrincipalState(removed=tuple(sorted(every))), least
            for gone, mark in (((), max(full)), *replaced):
                yield PrincipalState(full=True, removed=tuple(sorted({*gone, *every}))), min(mark, least)
        yield PrincipalState(unbound=True), self.unbinds(at, other)
        yield PrincipalState(tagged=True), self.on(at, f"iam:Tag{kind}", other)
        if other.kind is PrincipalKind.USER:
            for number in shard.groups.keys() - set(other.grants.groups):
                arn = f"arn:aws:iam::{other.account}:group/{shard.groups[number].name}"
                yield PrincipalState(groups=(number,)), self.ask(at, "iam:AddUserToGroup", arn, {})

    def own_group(self, at: At) -> int:
        arn = f"arn:aws:iam::{at[0].account}:group/a-new"
        everything = {"iam:PolicyARN": ADMINISTRATOR_ACCESS}
        return min(
            self.ask(at, "iam:CreateGroup", arn, {}),
            self.ask(at, "iam:AddUserToGroup", arn, {}),
            max(
                self.ask(at, "iam:PutGroupPolicy", arn, {}),
                self.ask(at, "iam:AttachGroupPolicy", arn, everything),
            ),
        )

    def denying(self, other: IndexedPrincipal) -> list[PolicyRemoval]:
        shard = self.index.accounts[other.account]
        denying_in = self.denying_in(other.grants, 0, shard)
        for number in other.grants.groups:
            own = self.denying_in(shard.groups[number].grants, number, shard)
            denying_in += [*own, PolicyRemoval("left", number, "")] if own else []
        return denying_in

    def denying_in(self, grants: PolicyHoldings, group: int, shard: Any) -> list[PolicyRemoval]:
        digests = [("inline", name, digest) for name, digest in grants.inline]
        digests += [("attached", str(number), shard.policies[number].digest) for number in grants.attached]
        return [PolicyRemoval(kind, group, name) for kind, name, digest in digests if self.denies(digest)]

    def denies(self, digest: str) -> bool:
        doc = self.index.documents.find(digest)
        return doc is not None and any(not clause.allows for clause in doc.clauses)

    def removes(self, at: At, other: IndexedPrincipal, removal: PolicyRemoval) -> int:
        shard = self.index.accounts[other.account]
        context = {}
        if removal.kind == "attached":
            context = {"iam:PolicyARN": shard.policies[int(removal.name)].name}
        if removal.group:
            verb = {
                "inline": "DeleteGroupPolicy",
                "attached": "DetachGroupPolicy",
                "left": "RemoveUserFromGroup",
            }
            arn = f"arn:aws:iam::{other.account}:group/{shard.groups[removal.group].name}"
            return self.ask(at, f"iam:{verb[removal.kind]}", arn, context)
        verb = {"inline": "Delete", "attached": "Detach"}
        kind = "User" if other.kind is PrincipalKind.USER else "Role"
        return self.on(at, f"iam:{verb[removal.kind]}{kind}Policy", other, **context)


def _joined(state: PrincipalState, change: PrincipalState) -> PrincipalState:
    return PrincipalState(
        state.unbound or change.unbound,
        state.full or change.full,
        tuple(sorted({*state.groups, *change.groups})),
        (),
        tuple(sorted({*state.removed, *change.removed})),
        (state.tagged or change.tagged) and not (state.full or change.full),
    )


def _kind(other: IndexedPrincipal) -> str:
    return "User" if other.kind is PrincipalKind.USER else "Role"
