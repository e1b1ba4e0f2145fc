"""Replays the recorded calls of one principal against its policies before and after a change. The policies
are prepared once for all calls.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from iam.policy.compiled import CompiledStatement, PolicyKind, PolicySet
from iam.policy.evaluate import RequestPolicies
from iam.policy.index.classes import IndexedPrincipal
from iam.policy.index.documents import IndexedDocument
from iam.policy.index.index import PolicyIndex
from iam.policy.index.question import AccessQuestion
from iam.policy.index.sides import PrincipalSide, side_of
from iam.policy.index.who_can import judge_for
from iam.policy.letter_case import fold
from iam.policy.replay import PolicyChange, ReplayOutcome, open_keys, replay
from iam.policy.request import Request

Levels = tuple[PolicySet, ...]


class SideReplay:
    """One principal, as in the index and as changed. The caller holds the lock of the index."""

    def __init__(self, index: PolicyIndex, member: IndexedPrincipal, after: PrincipalSide) -> None:
        self._index, self._member = index, member
        self._before, self._after = side_of(member, index.accounts[member.account]), after
        self._changes: dict[bool, PolicyChange] = {}
        limits = (self._before.boundary, self._before.scps)
        self._only_identity = (
            after.boundary,
            after.scps,
        ) == limits and after.principal == self._before.principal
        self._rcps: dict[tuple[str, bool], Levels] = {}

    def touches(self, action: str) -> bool:
        """True if a changed statement may concern an action. No other call is decided differently."""
        if not self._only_identity:
            return True
        lowered = fold(action)
        return any(policies.speaking_of(lowered) for policies in self._change_for(of_pattern=False).changed)

    def outcome(self, question: AccessQuestion, *, was_denied: bool) -> ReplayOutcome:
        """What happens to a recorded call."""
        if not self.touches(question.action):
            return ReplayOutcome.SAME
        request, change = self._request_and_change(question)
        return replay(request, change, was_denied=was_denied, becomes=self._becomes(request))

    def open_keys(self, question: AccessQuestion) -> tuple[str, ...]:
        """The unspecified condition keys that the decision after the change depends on."""
        request, change = self._request_and_change(question)
        return open_keys(self._becomes(request) or request, change.after)

    def _becomes(self, request: Request) -> Request | None:
        """The request with the principal's new tags or name; None if unchanged."""
        if self._before.principal == self._after.principal:
            return None
        return replace(request, principal=self._after.principal)

    def _request_and_change(self, question: AccessQuestion) -> tuple[Request, PolicyChange]:
        accounts = self._index.accounts
        judge, place = judge_for(
            question, shards=accounts, documents=self._index.documents, moment=self._index.moment
        )
        is_pattern = judge.is_pattern
        change = self._change_for(of_pattern=is_pattern)
        owner = place.account or self._member.account
        rcps = self._rcps_of(owner, of_pattern=is_pattern)
        for policies in (change.before, change.after):
            policies.resource, policies.rcps = judge.resource, rcps
        return judge.request_of(self._member), change

    def _rcps_of(self, account: str, *, of_pattern: bool) -> Levels:
        """The resource control policies above the owner of the resource."""
        key = (account, of_pattern)
        if key not in self._rcps:
            shard = self._index.accounts.get(account)
            levels = () if shard is None else shard.levels.rcps
            sets = [
                _set(PolicyKind.RCP, (doc for _, doc in level), of_pattern=of_pattern) for level in levels
            ]
            self._rcps[key] = tuple(sets)
        return self._rcps[key]

    def _change_for(self, *, of_pattern: bool) -> PolicyChange:
        change = self._changes.get(of_pattern)
        if change is None:
            change = self._changes[of_pattern] = self._change(of_pattern=of_pattern)
        return change

    def _change(self, *, of_pattern: bool) -> PolicyChange:
        before, after = self._before, self._after
        identity_before = _set(PolicyKind.IDENTITY, before.docs, of_pattern=of_pattern)
        identity_after = _set(PolicyKind.IDENTITY, after.docs, of_pattern=of_pattern)
        policies_before = RequestPolicies(
            identity_before,
            boundary=_boundary(before, of_pattern=of_pattern),
            scps=_scps(before, of_pattern=of_pattern),
        )
        policies_after = RequestPolicies(identity_after, policies_before.boundary, scps=policies_before.scps)
        if before.boundary is not after.boundary:
            policies_after.boundary = _boundary(after, of_pattern=of_pattern)
        if before.scps != after.scps:
            policies_after.scps = _scps(after, of_pattern=of_pattern)
        dropped = _missing(identity_before, identity_after)
        added = _missing(identity_after, identity_before)
        return PolicyChange(
            policies_before, policies_after, (PolicySet(PolicyKind.IDENTITY, dropped + added),)
        )


def _set(kind: PolicyKind, docs: Iterable[IndexedDocument], *, of_pattern: bool) -> PolicySet:
    statements: list[CompiledStatement] = []
    for doc in docs:
        statements += [clause.compiled_for(kind, of_pattern=of_pattern) for clause in doc.clauses]
    return PolicySet(kind, tuple(statements))


def _boundary(side: PrincipalSide, *, of_pattern: bool) -> PolicySet | None:
    return (
        None if side.boundary is None else _set(PolicyKind.BOUNDARY, [side.boundary], of_pattern=of_pattern)
    )


def _scps(side: PrincipalSide, *, of_pattern: bool) -> Levels:
    return tuple(_set(PolicyKind.SCP, level, of_pattern=of_pattern) for level in side.scps)


def _missing(policies: PolicySet, others: PolicySet) -> tuple[CompiledStatement, ...]:
    """The statements in `policies` that aren't in `others`. Documents share the object of a statement."""
    known = {id(statement) for statement in others.statements}
    return tuple(statement for statement in policies.statements if id(statement) not in known)
