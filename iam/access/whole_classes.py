"""Joins whole classes of the index, so that their members are counted without visiting each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from operator import attrgetter
from typing import Final, overload

from iam.policy.index.classes import IndexedPrincipal, PrincipalClass
from iam.policy.request import PrincipalKind

IDS: Final = attrgetter("members.ids")
MEMBERS: Final = attrgetter("members")
SIZE: Final = attrgetter("size")


class WholeClasses(Sequence[IndexedPrincipal]):
    """All members of several classes of one account and kind. Each member is created on access, since a large
    answer has 100,000 classes.
    """

    __slots__ = ("_size", "classes")

    def __init__(self, classes: Sequence[PrincipalClass]) -> None:
        self.classes = classes
        self._size: int = sum(map(SIZE, classes))

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[IndexedPrincipal]:
        return chain.from_iterable(map(MEMBERS, self.classes))

    @overload
    def __getitem__(self, place: int) -> IndexedPrincipal: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[IndexedPrincipal]: ...

    def __getitem__(self, place: int | slice) -> IndexedPrincipal | Sequence[IndexedPrincipal]:
        if place == 0:
            return self.classes[0].members[0]
        return list(self)[place]

    @property
    def kind(self) -> PrincipalKind:
        """The kind of principal, which all members share."""
        return self.classes[0].kind

    @property
    def account(self) -> str:
        """The account of the members."""
        return self.classes[0].account

    @property
    def ids(self) -> list[int]:
        """The numbers of the members, in order."""
        return list(chain.from_iterable(map(IDS, self.classes)))
