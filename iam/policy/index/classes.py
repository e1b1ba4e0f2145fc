"""Groups principals that policies cannot tell apart into classes. All members of a class get one decision.

A `PolicyBundle` is a set of identity-based policies, `PrincipalLimits` are what restricts it, a
`PrincipalProfile` is both, and a `PrincipalClass` is a profile in one account.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, overload

from iam.policy.index.columns import NUMBERS, PrincipalColumns
from iam.policy.index.documents import IndexedDocument, Marks
from iam.policy.index.rows import PolicyHoldings
from iam.policy.request import SERVICE_LINKED_PATH, Principal, PrincipalKind

SharedGrants = str | tuple[tuple[int, ...], tuple[int, ...]]
"""The holdings that many principals share: a part of the columns' text, or the attached policies and the
groups.
"""
Flags = tuple[PrincipalKind, bool, bool, bool]
"""Kind, exempt from the organization's policies, tags known, unique ID known."""


class ControlPolicyLevels:
    """The organization's policies above an account, level by level, from the root down."""

    __slots__ = ("is_management", "is_personal", "is_placed", "marked", "rcps", "scps")

    def __init__(
        self,
        scps: tuple[tuple[tuple[str, IndexedDocument], ...], ...],
        rcps: tuple[tuple[tuple[str, IndexedDocument], ...], ...],
        *,
        is_management: bool,
    ) -> None:
        self.scps, self.rcps, self.is_management = scps, rcps, is_management
        docs = [doc for _, doc in chain.from_iterable((*scps, *rcps))]
        self.marked = tuple(dict.fromkeys(doc for doc in docs if doc.is_marked))
        self.is_placed = any(doc.is_placed for doc in docs)
        self.is_personal = any(doc.is_personal for doc in docs)


class MarkedDocument:
    """A document as held by principals of one `sort` (see `PrincipalLimits`) with the same marks for it."""

    __slots__ = ("__weakref__", "doc", "marks", "sort")

    def __init__(self, doc: IndexedDocument, sort: int, marks: Marks) -> None:
        self.doc, self.sort, self.marks = doc, sort, marks


class PolicyBundle:
    """Identity-based policies that are held together. `plain` and `marked` are the documents without and with
    marks.
    """

    __slots__ = ("docs", "marked", "plain", "profiles")

    def __init__(self, docs: tuple[IndexedDocument, ...]) -> None:
        self.docs = docs
        self.marked = tuple(doc for doc in docs if doc.is_marked)
        self.plain = tuple(doc for doc in docs if not doc.is_marked) if self.marked else docs
        self.profiles: Collection[PrincipalProfile] = ()


class PrincipalLimits:
    """What restricts a principal: its boundary and its organization, with its marks for these. `sort` is a
    number for its flags.
    """

    __slots__ = ("boundary", "boundary_marks", "flags", "level_marks", "levels", "sort")

    def __init__(
        self,
        flags: Flags,
        boundary: IndexedDocument | None,
        boundary_marks: Marks,
        levels: ControlPolicyLevels,
        level_marks: Marks,
        sort: int,
    ) -> None:
        self.flags, self.sort = flags, sort
        self.boundary, self.boundary_marks = boundary, boundary_marks
        self.levels, self.level_marks = levels, level_marks

    @property
    def key(self) -> tuple[Flags, IndexedDocument | None, Marks, ControlPolicyLevels, Marks]:
        """What identifies these limits."""
        return self.flags, self.boundary, self.boundary_marks, self.levels, self.level_marks


class PrincipalProfile:
    """Everything about a principal that policies can depend on, except its account and what the
    `StatementTraits` of a question require.
    """

    __slots__ = ("bundle", "classes", "limits", "marked")

    def __init__(
        self, bundle: PolicyBundle, marked: tuple[MarkedDocument, ...], limits: PrincipalLimits
    ) -> None:
        self.bundle, self.marked, self.limits = bundle, marked, limits
        self.classes: Collection[PrincipalClass] = ()

    @property
    def key(self) -> tuple[Any, ...]:
        """What identifies the profile."""
        return self.bundle, self.marked, self.limits


class PrincipalClass:
    """The principals of one account with one profile.

    They are the rows of `columns` at `place`, or `rows` once some have left or others have entered, and the
    members in `own`, which are in no column.
    """

    __slots__ = ("account", "columns", "own", "place", "profile", "rows")

    def __init__(
        self,
        profile: PrincipalProfile,
        account: str,
        *,
        columns: PrincipalColumns | None = None,
        place: int = -1,
    ) -> None:
        self.profile, self.account = profile, account
        self.columns, self.place = columns, place
        self.rows: array[int] | None = None
        self.own: list[IndexedPrincipal] | None = None

    @property
    def members(self) -> ClassMembers:
        """The current members. Later changes are not reflected."""
        return ClassMembers(self, self._rows, self.own or ())

    @property
    def _rows(self) -> Sequence[int]:
        if self.rows is not None or self.columns is None or self.place < 0:
            return self.rows or ()
        return range(self.columns.starts[self.place], self.columns.starts[self.place + 1])

    @property
    def size(self) -> int:
        """The number of members."""
        return len(self._rows) + len(self.own or ())

    @property
    def kind(self) -> PrincipalKind:
        """The kind of principal, which all members share."""
        return self.profile.limits.flags[0]

    @property
    def only_shared_part(self) -> str:
        """The key of `ClassMembers.by_shared_grants` for a class with one member, as most are; "" for
        others.
        """
        rows = self._rows
        if len(rows) == 1 and not self.own and self.columns is not None:
            return self.columns.shared_part(rows[0])
        return ""

    def enter(self, member: IndexedPrincipal) -> None:
        """Add a member. The caller sets `member.cls`."""
        if isinstance(member, ColumnMember):
            self.rows = array(NUMBERS, [*self._rows, member.row])
            self.columns = member.columns
        elif self.own is None:
            self.own = [member]
        else:
            self.own.append(member)

    def leave(self, member: IndexedPrincipal) -> None:
        """Remove a member."""
        if isinstance(member, ColumnMember):
            # Remove it once only. A member that is placed again enters first, possibly into the same class.
            self.rows = array(NUMBERS, self._rows)
            self.rows.remove(member.row)
        elif self.own is not None:
            self.own.remove(member)

    def clear(self) -> None:
        """Remove all members."""
        self.rows, self.own, self.columns = None, None, None


class ClassMembers(Sequence["IndexedPrincipal"]):
    """The members of a class. Each is created on access."""

    __slots__ = ("_cls", "_own", "_rows")

    def __init__(self, cls: PrincipalClass, rows: Sequence[int], own: Sequence[IndexedPrincipal]) -> None:
        self._cls, self._rows, self._own = cls, rows, own

    def __len__(self) -> int:
        return len(self._rows) + len(self._own)

    @overload
    def __getitem__(self, place: int) -> IndexedPrincipal: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[IndexedPrincipal]: ...

    def __getitem__(self, place: int | slice) -> IndexedPrincipal | Sequence[IndexedPrincipal]:
        if isinstance(place, slice):
            return [self[row] for row in range(*place.indices(len(self)))]
        if place < 0:
            place += len(self)
        if 0 <= place < len(self._rows):
            columns = self._cls.columns
            assert columns is not None
            return ColumnMember(columns, self._rows[place], self._cls)
        if place < 0:
            raise IndexError(place)
        return self._own[place - len(self._rows)]

    def __iter__(self) -> Iterator[IndexedPrincipal]:
        cls, columns = self._cls, self._cls.columns
        if columns is not None:
            for row in self._rows:
                yield ColumnMember(columns, row, cls)
        yield from self._own

    def by_grants(self) -> Iterator[ClassMembers]:
        """Group the members by equal holdings."""
        if len(self) == 1:
            yield self
            return
        cls, columns = self._cls, self._cls.columns
        rows: dict[int, array[int]] = {}
        if columns is not None:
            for row in self._rows:
                rows.setdefault(columns.grants[row], array(NUMBERS)).append(row)
        yield from (ClassMembers(cls, rows_alike, ()) for rows_alike in rows.values())
        own: dict[PolicyHoldings, list[IndexedPrincipal]] = {}
        for member in self._own:
            own.setdefault(member.grants, []).append(member)
        yield from (ClassMembers(cls, (), own_members) for own_members in own.values())

    def by_shared_grants(self) -> Iterator[tuple[SharedGrants, ClassMembers]]:
        """Group the members by their holdings apart from inline policies. Each group has a key.

        Equal keys in an account mean equal holdings; members with equal holdings can have different keys.
        """
        cls, columns = self._cls, self._cls.columns
        if len(self) == 1 and self._rows and columns is not None:
            yield columns.shared_part(self._rows[0]), self
            return
        rows: dict[str, array[int]] = {}
        if columns is not None:
            rows_by_number: dict[int, array[int]] = {}
            numbers = columns.grants
            for row in self._rows:
                alike = rows_by_number.get(numbers[row])
                if alike is None:
                    # The text is read once for equal holdings.
                    alike = rows.setdefault(columns.shared_part(row), array(NUMBERS))
                    rows_by_number[numbers[row]] = alike
                alike.append(row)
        yield from ((key, ClassMembers(cls, rows_of_grants, ())) for key, rows_of_grants in rows.items())
        own: dict[SharedGrants, list[IndexedPrincipal]] = {}
        for member in self._own:
            grants = member.grants
            own.setdefault((grants.attached, grants.groups), []).append(member)
        yield from ((key, ClassMembers(cls, (), own_of_grants)) for key, own_of_grants in own.items())

    def __add__(self, other: ClassMembers) -> ClassMembers:
        return ClassMembers(self._cls, array(NUMBERS, [*self._rows, *other._rows]), [*self._own, *other._own])

    @property
    def cls(self) -> PrincipalClass:
        """The class of the members."""
        return self._cls

    @property
    def kind(self) -> PrincipalKind:
        """The kind of principal, which all members share."""
        return self._cls.kind

    @property
    def ids(self) -> list[int]:
        """The numbers of the members, in order."""
        columns, ids = self._cls.columns, []
        if columns is not None:
            ids = [columns.ids[row] for row in self._rows]
        return ids + [member.id for member in self._own]

    @property
    def arns(self) -> list[str]:
        """The ARNs of the members, in order."""
        columns, arns = self._cls.columns, []
        if columns is not None:
            arns = [columns.arn_of(row) for row in self._rows]
        return arns + [member.arn for member in self._own]


class IndexedPrincipal:
    """A user, a role, or an account's root user, whose number is the negative account ID."""

    __slots__ = ("arn", "cls", "grants", "id", "tags", "trust", "unique_id")

    cls: PrincipalClass

    def __init__(
        self,
        id: int,
        arn: str,
        *,
        unique_id: str,
        grants: PolicyHoldings,
        tags: Mapping[str, str] | None,
        trust: IndexedDocument | None,
    ) -> None:
        self.id, self.arn, self.unique_id = id, arn, unique_id
        self.grants, self.tags, self.trust = grants, tags, trust

    def of_class(self, cls: PrincipalClass) -> IndexedPrincipal:
        """A copy of the principal that refers to another class. That class doesn't contain it."""
        member = IndexedPrincipal(
            self.id,
            self.arn,
            unique_id=self.unique_id,
            grants=self.grants,
            tags=self.tags,
            trust=self.trust,
        )
        member.cls = cls
        return member

    @property
    def account(self) -> str:
        """The account ID."""
        return self.cls.account

    @property
    def name(self) -> str:
        """The name of the user or role, without its path."""
        return self.arn.rpartition("/")[2] if "/" in self.arn else "root"

    @property
    def kind(self) -> PrincipalKind:
        """User, role or root."""
        return self.cls.profile.limits.flags[0]

    @property
    def grants_key(self) -> Hashable:
        """A key for the holdings. Within an account, equal keys mean equal holdings until the index changes;
        equal holdings can have different keys.
        """
        return self.grants

    @property
    def principal(self) -> Principal:
        """The principal in the form that requests contain."""
        return principal_of(self, is_management=self.cls.profile.limits.levels.is_management)


class ColumnMember(IndexedPrincipal):
    """A member whose attributes are read from the columns of its account on access. Two members of one row
    are equal.
    """

    __slots__ = ("columns", "row")

    def __init__(self, columns: PrincipalColumns, row: int, cls: PrincipalClass) -> None:
        self.columns, self.row, self.cls = columns, row, cls

    def of_class(self, cls: PrincipalClass) -> ColumnMember:
        """A copy of the principal that refers to another class. That class doesn't contain it."""
        return ColumnMember(self.columns, self.row, cls)

    # Values are not cached, since answers can hold hundreds of thousands of rows.
    @property
    def id(self) -> int:  # type: ignore[override]
        """The number."""
        return self.columns.ids[self.row]

    @property
    def arn(self) -> str:  # type: ignore[override]
        """The ARN."""
        return self.columns.arn_of(self.row)

    @property
    def unique_id(self) -> str:  # type: ignore[override]
        """The unique ID, which AWS never reuses."""
        return self.columns.unique_ids[self.row]

    @property
    def grants(self) -> PolicyHoldings:  # type: ignore[override]
        """The policies and groups of the principal."""
        return self.columns.grants_of(self.row)

    @property
    def grants_key(self) -> Hashable:
        """A key for the holdings. Within an account, equal keys mean equal holdings."""
        return self.columns.grants[self.row]

    @property
    def tags(self) -> Mapping[str, str] | None:  # type: ignore[override]
        """The tags; None if unknown."""
        return self.columns.tags_of(self.row)

    @property
    def trust(self) -> IndexedDocument | None:  # type: ignore[override]
        """The trust policy of a role."""
        return self.columns.trust_of(self.row)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, ColumnMember) and self.row == other.row and self.columns is other.columns

    def __hash__(self) -> int:
        return self.row ^ id(self.columns)


def principal_of(member: IndexedPrincipal, *, is_management: bool) -> Principal:
    """The principal of a member in the form that requests contain. The member may have no class yet."""
    return Principal(
        member.arn,
        tags=member.tags,
        unique_id=member.unique_id,
        is_management_account=is_management,
    )


def flags_of(member: IndexedPrincipal) -> Flags:
    """The flags of a principal: which of its keys are known and which policies restrict it. Faster than
    creating a `Principal`.
    """
    arn = member.arn
    if ":user/" in arn:
        kind = PrincipalKind.USER
    elif ":role/" in arn:
        kind = PrincipalKind.ROLE
    else:
        kind = PrincipalKind.ROOT
    is_known = member.tags is not None or kind is PrincipalKind.ROOT
    return kind, SERVICE_LINKED_PATH in arn, is_known, bool(member.unique_id)
