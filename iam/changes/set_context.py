"""Gives each operation of a set access to the operations before it, and to what they create."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import overload

from django.db.models.functions import Lower

from iam.batches import batches
from iam.changes import planning_cache
from iam.changes.models import OPEN, Change
from iam.changes.operations import Operation
from iam.changes.operations.lifecycle import Create
from iam.mirror.models import Entity

CHUNK = 500


class SetContext(Sequence[Operation]):
    """The first operations of a set, without copying them.

    `made` maps (account, ARN) to the position of the operation that creates it.
    """

    __slots__ = ("_all", "_end", "_made")

    def __init__(
        self, everything: Sequence[Operation], end: int, made: Mapping[tuple[int, str], int]
    ) -> None:
        self._all, self._end, self._made = everything, end, made

    def __len__(self) -> int:
        return self._end

    def __iter__(self) -> Iterator[Operation]:
        return islice(self._all, self._end)

    @overload
    def __getitem__(self, place: int) -> Operation: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Operation]: ...
    def __getitem__(self, place: int | slice) -> Operation | Sequence[Operation]:
        return self._all[: self._end][place]

    def creates(self, account: int, arn: str) -> bool:
        """True if one of the operations creates it."""
        return self._made.get((account, arn), self._end) < self._end


def one_after_the_other(operations: Sequence[Operation]) -> Iterator[tuple[Operation, SetContext]]:
    """Each operation with those before it."""
    made: dict[tuple[int, str], int] = {}
    for place, operation in enumerate(operations):
        for arn in operation.created_arns():
            made.setdefault((operation.account.pk, arn), place)
    for place, operation in enumerate(operations):
        yield operation, SetContext(operations, place, made)


def made_before(operation: Operation, arns: Iterable[str], *, earlier: Sequence[Operation]) -> set[str]:
    """Those of the ARNs in the operation's account that earlier operations create."""
    if isinstance(earlier, SetContext):
        return {arn for arn in arns if earlier.creates(operation.account.pk, arn)}
    made = (before.created_arns() for before in earlier if before.account == operation.account)
    return set(chain.from_iterable(made)).intersection(arns)


def look_ahead(operations: Sequence[Operation]) -> None:
    """Load at once which entities of a set don't exist, which names are taken, and which requests overlap;
    within `memoized_reads`.
    """
    made: dict[int, set[str]] = defaultdict(set)
    names: dict[tuple[int, str], set[str]] = defaultdict(set)
    for operation in operations:
        made[operation.account.pk].update(operation.created_arns())
        if isinstance(operation, Create):
            names[operation.account.pk, operation.subject_kind].add(operation.inputs.name.lower())
    for account, arns in made.items():
        there: set[str] = set()
        for chunk in batches(sorted(arns), CHUNK):
            present = Entity.objects.filter(account=account, arn__in=chunk, gone_at__isnull=True)
            there.update(present.values_list("arn", flat=True))
        planning_cache.prime_absent(account, arns - there)
    for (account, kind), low in names.items():
        living = Entity.objects.filter(account=account, kind=kind, gone_at__isnull=True)
        taken: dict[str, Entity] = {}
        for chunk in batches(sorted(low), CHUNK):
            for namesake in living.annotate(low=Lower("name")).filter(low__in=chunk):
                taken[namesake.name.lower()] = namesake
        planning_cache.prime(("namesakes", account, kind), (frozenset(low), taken))


def open_beside(operations: Sequence[Operation]) -> None:
    """Load at once the open changes of a set's subjects; within `memoized_reads`."""
    subjects: dict[int, set[str]] = defaultdict(set)
    for operation in operations:
        subjects[operation.account.pk].add(operation.subject_id)
    for account, ids in subjects.items():
        open_changes: dict[str, list[Change]] = {subject: [] for subject in ids}
        for chunk in batches(sorted(ids), CHUNK):
            for change in Change.objects.filter(account=account, subject_id__in=chunk, state__in=OPEN):
                open_changes[change.subject_id].append(change)
        for subject, changes in open_changes.items():
            planning_cache.prime(("open", account, subject), changes)
