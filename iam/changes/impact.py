"""Computes the combined effect of changes: who gains or loses which actions, by service and access level, and
with which risks.

The policy engine evaluates the account as the operations would leave it. It considers groups, permissions
boundaries and organization policies, but not resource-based policies.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from django.db.models import Q

from iam.changes.assertion_checks import AssertionQuestion, newly_broken
from iam.changes.denies import removes_deny
from iam.changes.listed_actions import listed_part, unlisted_names
from iam.changes.operations.base import Operation
from iam.changes.receipt_lines import WAYS, ReceiptImpact, ReceiptLines, ordered
from iam.changes.receipt_replay import receipt_replay
from iam.changes.risks import ASSERTION_BROKEN, DENY_REMOVED, level_of
from iam.changes.sign_in_replay import sign_in_replay
from iam.changes.world import ChangeWorld
from iam.mirror.models import Edge, EdgeKind, Entity, InlinePolicy, PolicyVersion, valid_at
from iam.mirror.snapshot import snapshot
from iam.policy.document import read
from iam.policy.index.difference import AccessDifference
from iam.policy.index.index import PolicyIndex
from iam.policy.index.scenario import ScenarioEdits, edited_index, what_if
from iam.policy.unknown_actions import without_unknown_actions


def impact_of(operations: Sequence[Operation], *, with_replay: bool = False) -> ReceiptImpact:
    """The combined effect of operations, applied in order to the current mirror; on request with a replay of
    recorded calls.
    """
    own_risks = set(chain.from_iterable(operation.risks() for operation in operations))
    if any(removes_deny(operation, beside=operations) for operation in operations):
        own_risks.add(DENY_REMOVED)
    if all(type(operation).simulate is Operation.simulate for operation in operations):
        replayed = sign_in_replay(operations) if with_replay else None
        return ReceiptImpact(totals={}, risks=ordered(own_risks), risk=level_of(own_risks), replay=replayed)
    by_account: dict[str, list[Operation]] = defaultdict(list)
    for operation in operations:
        by_account[operation.account.account_id].append(operation)
    numbers = {account_id: numbers_of(group) for account_id, group in by_account.items()}
    with snapshot(accounts=set(by_account)) as index:
        weighing = _ImpactQuestion(index, by_account, numbers)
        impact = weighing.impact(own_risks)
        if not with_replay:
            return impact
        return replace(impact, replay=weighing.replay() or sign_in_replay(operations))


def numbers_of(operations: Iterable[Operation]) -> dict[str, int]:
    """The mirror's primary keys of everything that an account's operations mention, by ARN."""
    numbers: dict[str, int] = {}
    arns: set[str] = set()
    for operation in operations:
        arns.update(operation.modified_arns())
        arns.update(operation.referenced_arns())
    account = next(iter(operations)).account
    rows = Entity.objects.filter(account=account, arn__in=arns, gone_at__isnull=True)
    numbers.update(rows.values_list("arn", "pk"))
    return numbers


def texts_of(numbers: Mapping[str, int]) -> dict[str, str]:
    """The texts of these policies, and of what these groups and others hold, by digest.

    The index has no texts that no principal holds, such as those of an empty group.
    """
    now, those = valid_at(None), list(numbers.values())
    attached = Edge.objects.filter(now, kind=EdgeKind.ATTACHED, source__in=those).values("target")
    spoken = Q(policy__in=those) | Q(policy__in=attached)
    versions = PolicyVersion.objects.filter(spoken, now, is_default=True)
    inline = InlinePolicy.objects.filter(now, owner__in=those)
    texts: dict[str, str] = {}
    for rows in (versions, inline):
        texts.update(rows.values_list("document_id", "document__text"))
    return texts


class _ImpactQuestion:
    """One evaluation in the index, whose lock is held meanwhile."""

    def __init__(
        self,
        index: PolicyIndex,
        by_account: Mapping[str, Sequence[Operation]],
        numbers: Mapping[str, Mapping[str, int]],
    ) -> None:
        self._index, self._space = index, index.documents.space
        self._strange: dict[str, None] = {}
        self._problems: dict[str, None] = {}
        edits: dict[str, ScenarioEdits] = {}
        texts: dict[str, str] = {}
        for number, operations in by_account.items():
            if number not in index.accounts:
                self._problems[f"Account {number} has not been synced yet, so it is not analyzed."] = None
                continue
            known = numbers[number]
            world = ChangeWorld(index.accounts[number], numbers=known, texts=texts_of(known))
            for operation in operations:
                operation.simulate(world)
            self._problems |= world.doubts
            edits[number] = ScenarioEdits(world.changes)
            texts |= {digest: self._is_known(text) for digest, text in world.texts.items()}
        self._found: AccessDifference = what_if(index, edits, texts=texts)
        self._accounts = edits.keys()
        self._gone = list(chain.from_iterable(edit.changes.gone for edit in edits.values()))
        question = AssertionQuestion(
            before=index,
            concerned=self._found.index_after,
            accounts=edits.keys(),
            whole=lambda: edited_index(index, edits, texts=texts, is_whole=True),
        )
        self._broken = newly_broken(question)

    def _is_known(self, text: str) -> str:
        known, strange = without_unknown_actions(text, space=self._space.actions)
        self._strange.update(dict.fromkeys(strange))
        document = read(known)
        of_statements = chain.from_iterable(statement.problems for statement in document.statements)
        for problem in chain(document.problems, of_statements):
            self._problems[f"Part of a policy can’t be understood, so it is not analyzed: {problem}."] = None
        return known

    def impact(self, own_risks: Iterable[str]) -> ReceiptImpact:
        """The lines of the receipt."""
        risks = [*own_risks, ASSERTION_BROKEN] if self._broken else own_risks
        lines = ReceiptLines(self._index, listed_part(self._found))
        return lines.impact(risks, undecided=self._undecided(), assertions=self._broken)

    def replay(self) -> dict[str, Any] | None:
        """The outcome of recorded calls; see `receipt_replay`."""
        return receipt_replay(self._index, self._found, gone=self._gone)

    def _undecided(self) -> Iterator[str]:
        strange = list(self._strange) or unlisted_names(self._found, most=WAYS)
        if strange:
            more = " and others" if len(strange) > WAYS else ""
            names = ", ".join(strange[:WAYS])
            yield f"AWS lists no such actions, so they are not analyzed: {names}{more}."
        yield from list(self._problems)[:WAYS]
        for number in self._accounts:
            if not self._index.accounts[number].standing.is_known:
                yield (
                    f"The service control policies of account {number} are not known, so they are "
                    "not analyzed."
                )
