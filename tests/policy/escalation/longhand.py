"""The long way: each principal in each state asks for each thing by itself, without bits, groups of targets or rounds.

It knows the methods whose actions `random_worlds` uses, written out, and asks the engine for each request.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from iam.policy.compiled import PolicyKind, PolicySet
from iam.policy.escalation.crossing import as_node
from iam.policy.escalation.states import ADMINISTRATOR_ACCESS, AS_IT_IS, FULL, FULL_DIGEST, State, grants_in
from iam.policy.evaluate import Decision, Policies, decide
from iam.policy.index.classes import Member
from iam.policy.index.question import Question
from iam.policy.index.rows import Grants
from iam.policy.logic import NO, OPEN, YES
from iam.policy.request import Principal, PrincipalKind, Request
from tests.policy.escalation.builders import World

At = tuple[Member, State]
MARKS = {Decision.ALLOWED: YES, Decision.CONDITIONAL: OPEN}
OPEN_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
}
BOUNDED = {
    f"iam:{verb}{kind}{what}"
    for kind in ("User", "Role")
    for verb, what in (
        ("Put", "Policy"), ("Attach", "Policy"), ("Delete", "PermissionsBoundary"), ("Put", "PermissionsBoundary"),
    )
}  # fmt: skip
"""Actions for which the Service Authorization Reference lists the key iam:PermissionsBoundary."""
DECISIVE = (
    ("CreatePolicyVersion", "policy"), ("PutRolePolicy", "role"), ("AttachRolePolicy", "role"),
    ("UpdateAssumeRolePolicy", "role"), ("CreateRole", "role"), ("PutUserPolicy", "user"), ("AttachUserPolicy", "user"),
    ("CreateAccessKey", "user"), ("CreateUser", "user"), ("PutGroupPolicy", "group"), ("AttachGroupPolicy", "group"),
    ("AddUserToGroup", "group"),
)  # fmt: skip


class Longhand:
    """One organisation."""

    def __init__(self, world: World) -> None:
        self.index = world.index
        self._held = self.index.documents.add(FULL_DIGEST, FULL)
        self.members = [m for m in self.index.members if m.kind is not PrincipalKind.ROOT]

    def reaches(self, start: Member, *, is_sure: bool) -> bool:
        """Whether somebody comes to be administrator."""
        least = YES if is_sure else OPEN
        seen: set[tuple[int, State]] = set()
        waiting: list[At] = [(start, AS_IT_IS)]
        while waiting:
            at = waiting.pop()
            if (at[0].id, at[1]) in seen:
                continue
            seen.add((at[0].id, at[1]))
            if self.is_administrator(at) >= least:
                return True
            waiting += [to for to, mark in self.steps(at) if mark >= least]
        return False

    def ask(self, at: At, action: str, resource: str, context: dict[str, Any], **more: Any) -> int:
        who = as_node(at[0], grants_in(at[0].grants, at[1]))
        if action.startswith("iam:"):
            context = {"iam:PermissionsBoundary": None, **context}
        context = {"aws:RequestedRegion": "us-east-1", **context}
        return MARKS.get(
            self.index.decide(who, Question(action, resource, context, is_pattern=False, **more)), NO
        )

    def on(self, at: At, action: str, other: Member, **context: Any) -> int:
        boundary = self.index.accounts[other.account].boundary_of(other.grants)
        known: dict[str, Any] = {"iam:PermissionsBoundary": None}
        if boundary is not None and action in BOUNDED:
            known["iam:PermissionsBoundary"] = boundary[0]
        known["iam:ResourceTag/team"] = (other.tags or {}).get("team")
        return self.ask(at, action, other.arn, known | context)

    def is_administrator(self, at: At) -> int:
        account = at[0].account
        ceiling = as_node(at[0], Grants((("all", FULL_DIGEST),)))
        ceiling.arn, ceiling.tags = f"arn:aws:iam::{account}:role/anybody", {}
        found, asked = YES, 0
        for action, kind in DECISIVE:
            resource = f"arn:aws:iam::{account}:{kind}/nobody"
            context = {"iam:PermissionsBoundary": None, "iam:PolicyARN": ADMINISTRATOR_ACCESS}
            most = self._of_ceiling(ceiling, f"iam:{action}", resource, context)
            if most == NO:
                continue
            asked += 1
            mark = self.ask(at, f"iam:{action}", resource, context)
            found = min(found, YES if mark >= most else mark)
        return found if asked else NO

    def _of_ceiling(self, ceiling: Member, action: str, resource: str, context: dict[str, Any]) -> int:
        return MARKS.get(
            self.index.decide(ceiling, Question(action, resource, context, is_pattern=False)), NO
        )

    def steps(self, at: At) -> Iterator[tuple[At, int]]:
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

    def becomes(self, at: At, other: Member) -> int:
        if other.kind is PrincipalKind.USER:
            return self.on(at, "iam:CreateAccessKey", other) if other.account == at[0].account else NO
        found = self.on(at, "sts:AssumeRole", other)
        if other.account != at[0].account:
            return found
        rewrites = self.on(at, "iam:UpdateAssumeRolePolicy", other)
        if rewrites:
            takes = self.ask(at, "sts:AssumeRole", other.arn, {}, resource_policy=OPEN_TRUST)
            found = max(found, min(rewrites, takes))
        return max(found, self.by_lambda(at, other), self.by_ec2(at, other))

    def by_lambda(self, at: At, role: Member) -> int:
        service = "lambda.amazonaws.com"
        function = f"arn:aws:lambda:us-east-1:{at[0].account}:function:anything"
        return min(
            self.on(at, "iam:PassRole", role, **{"iam:PassedToService": service}),
            self.ask(at, "lambda:CreateFunction", function, {}),
            self.ask(at, "lambda:InvokeFunction", function, {}),
            self.trusts(role, service),
        ) or min(OPEN, self.by_update(at, role, service))

    def by_update(self, at: At, role: Member, service: str) -> int:
        function = f"arn:aws:lambda:us-east-1:{at[0].account}:function:anything"
        return min(self.ask(at, "lambda:UpdateFunctionCode", function, {}), self.trusts(role, service))

    def by_ec2(self, at: At, role: Member) -> int:
        service = "ec2.amazonaws.com"
        instance = f"arn:aws:ec2:us-east-1:{at[0].account}:instance/anything"
        passed = min(
            self.on(at, "iam:PassRole", role, **{"iam:PassedToService": service}),
            self.ask(at, "ec2:RunInstances", instance, {}),
            self.trusts(role, service),
        )
        return passed or min(OPEN, self.ask(at, "ssm:SendCommand", instance, {}), self.trusts(role, service))

    def trusts(self, role: Member, service: str) -> int:
        assert role.trust is not None
        trust = PolicySet(
            PolicyKind.RESOURCE, role.trust.named("trust", PolicyKind.RESOURCE, of_pattern=False)
        )
        request = Request("sts:AssumeRole", role.arn, Principal(service), resource_account=role.account)
        return MARKS.get(decide(request, Policies(PolicySet(PolicyKind.IDENTITY, ()), resource=trust)), NO)

    def unbinds(self, at: At, other: Member) -> int:
        boundary = other.grants.boundary
        if boundary is None:
            return NO
        kind = "User" if other.kind is PrincipalKind.USER else "Role"
        found = self.on(at, f"iam:Delete{kind}PermissionsBoundary", other)
        everything = {"iam:PermissionsBoundary": ADMINISTRATOR_ACCESS}
        found = max(found, self.on(at, f"iam:Put{kind}PermissionsBoundary", other, **everything))
        shard = self.index.accounts[other.account]
        return max(found, self.ask(at, "iam:CreatePolicyVersion", shard.policies[boundary].name, {}))

    def edits(self, at: At, other: Member) -> Iterator[tuple[State, int]]:
        shard = self.index.accounts[other.account]
        kind = "User" if other.kind is PrincipalKind.USER else "Role"
        attached = set(other.grants.attached)
        full = [
            self.on(at, f"iam:Put{kind}Policy", other),
            self.on(at, f"iam:Attach{kind}Policy", other, **{"iam:PolicyARN": ADMINISTRATOR_ACCESS}),
        ]
        for number in other.grants.groups:
            arn = f"arn:aws:iam::{other.account}:group/{shard.groups[number].name}"
            full.append(self.ask(at, "iam:PutGroupPolicy", arn, {}))
            full.append(self.ask(at, "iam:AttachGroupPolicy", arn, {"iam:PolicyARN": ADMINISTRATOR_ACCESS}))
            attached |= set(shard.groups[number].grants.attached)
        full += [self.ask(at, "iam:CreatePolicyVersion", shard.policies[n].name, {}) for n in attached]
        yield State(full=True), max(full)
        yield State(unbound=True), self.unbinds(at, other)
        if other.kind is PrincipalKind.USER:
            for number in shard.groups.keys() - set(other.grants.groups):
                arn = f"arn:aws:iam::{other.account}:group/{shard.groups[number].name}"
                yield State(groups=(number,)), self.ask(at, "iam:AddUserToGroup", arn, {})


def _joined(state: State, change: State) -> State:
    return State(
        state.unbound or change.unbound,
        state.full or change.full,
        tuple(sorted({*state.groups, *change.groups})),
    )
