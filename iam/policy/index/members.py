"""The principals of an account by number: the rows of an image, and those entered since."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence, ValuesView

from iam.policy.index.classes import ColumnMember, IndexedPrincipal, PrincipalClass
from iam.policy.index.columns import PrincipalColumns
from iam.policy.index.rows import PolicyHoldings
from iam.policy.letter_case import fold


class ShardMembers(Mapping[int, IndexedPrincipal]):
    """A mapping that creates members of image rows on access."""

    def __init__(self) -> None:
        self._own: dict[int, IndexedPrincipal] = {}
        self._columns: PrincipalColumns | None = None
        self._by_place: Sequence[PrincipalClass] = ()
        self._gone: set[int] = set()
        self._moved: dict[int, PrincipalClass] = {}

    def unfold(self, columns: PrincipalColumns, by_place: Sequence[PrincipalClass]) -> None:
        """Start with the rows of an image and their classes."""
        self._columns, self._by_place = columns, by_place

    @property
    def is_unfolded(self) -> bool:
        """True if the mapping started with the rows of an image."""
        return self._columns is not None

    def __getitem__(self, number: int) -> IndexedPrincipal:
        member = self._own.get(number)
        if member is None:
            row = self._row(number)
            if row is None:
                raise KeyError(number)
            member = self._member(row)
        return member

    def __contains__(self, number: object) -> bool:
        return number in self._own or (isinstance(number, int) and self._row(number) is not None)

    def __iter__(self) -> Iterator[int]:
        if self._columns is not None:
            for row, number in enumerate(self._columns.ids):
                if row not in self._gone:
                    yield number
        yield from self._own

    def __len__(self) -> int:
        rows = 0 if self._columns is None else len(self._columns) - len(self._gone)
        return rows + len(self._own)

    def values(self) -> ValuesView[IndexedPrincipal]:
        """All members."""
        return _Values(self)

    def all(self) -> Iterator[IndexedPrincipal]:
        """Iterate over all members, in row order."""
        columns = self._columns
        if columns is not None:
            gone, moved = self._gone, self._moved
            for place, cls in enumerate(self._by_place):
                for row in range(columns.starts[place], columns.starts[place + 1]):
                    if row not in gone:
                        own_class = moved.get(row, cls) if moved else cls
                        yield ColumnMember(columns, row, own_class)
        yield from self._own.values()

    def add(self, member: IndexedPrincipal) -> None:
        """Add a member."""
        self._own[member.id] = member

    def move(self, member: IndexedPrincipal) -> None:
        """Record the new class of a member."""
        if isinstance(member, ColumnMember):
            self._moved[member.row] = member.cls

    def take_out(self, number: int) -> IndexedPrincipal | None:
        """Remove and return a member; None if there is none."""
        if number in self._own:
            return self._own.pop(number)
        row = self._row(number)
        if row is None:
            return None
        member = self._member(row)
        self._gone.add(row)
        return member

    def find(self, arn: str) -> IndexedPrincipal | None:
        """Find a principal by ARN."""
        columns = self._columns
        if columns is not None and arn.startswith(columns.prefix):
            for row in columns.rows_named(arn.removeprefix(columns.prefix)):
                if row not in self._gone:
                    return self._member(row)
        return next((member for member in self._own.values() if member.arn == arn), None)

    def holding(self, is_meant: Callable[[PolicyHoldings], bool]) -> list[IndexedPrincipal]:
        """The members whose holdings satisfy the predicate."""
        rows = [] if self._columns is None else self._columns.rows_with(is_meant)
        holders = [self._member(row) for row in rows if row not in self._gone]
        return holders + [member for member in self._own.values() if is_meant(member.grants)]

    def classes_of_users(self, is_meant: Callable[[str], bool]) -> Iterator[PrincipalClass]:
        """The classes of the users whose lowercase names satisfy the predicate."""
        if self._columns is not None:
            for row, name in enumerate(self._columns.names):
                if name and is_meant(name) and row not in self._gone:
                    yield self._class(row)
        for member in self._own.values():
            if ":user/" in member.arn and is_meant(fold(member.name)):
                yield member.cls

    def _row(self, number: int) -> int | None:
        row = None if self._columns is None else self._columns.row_of(number)
        return None if row in self._gone else row

    def _member(self, row: int) -> ColumnMember:
        assert self._columns is not None
        return ColumnMember(self._columns, row, self._class(row))

    def _class(self, row: int) -> PrincipalClass:
        assert self._columns is not None
        moved = self._moved.get(row)
        return self._by_place[bisect_right(self._columns.starts, row) - 1] if moved is None else moved


class _Values(ValuesView[IndexedPrincipal]):
    """Creates members in sequence, without a lookup for each."""

    _mapping: ShardMembers

    def __iter__(self) -> Iterator[IndexedPrincipal]:
        return self._mapping.all()
