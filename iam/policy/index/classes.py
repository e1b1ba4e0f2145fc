"""Principals told apart only as far as their policies can: equal ones are members of one class, and are judged as one.

`Bundle` is a set of identity policies; `Limits` is what bounds it; `Profile` is both; `Class` is a profile in one account.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from iam.policy.index.documents import Doc, Marks
from iam.policy.index.keys import is_own, own_values
from iam.policy.index.rows import Grants
from iam.policy.request import SERVICE_LINKED_PATH, Principal, PrincipalKind, Request, Values

Flags = tuple[PrincipalKind, bool, bool, bool]
"""Kind, exempt from the organization's policies, tags known, unique id known."""


class Levels:
    """The organization's policies above an account, level by level, the root first."""

    __slots__ = ("is_management", "is_personal", "is_placed", "marked", "rcps", "scps")

    def __init__(
        self,
        scps: tuple[tuple[tuple[str, Doc], ...], ...],
        rcps: tuple[tuple[tuple[str, Doc], ...], ...],
        *,
        is_management: bool,
    ) -> None:
        self.scps, self.rcps, self.is_management = scps, rcps, is_management
        docs = dict.fromkeys(doc for level in (*scps, *rcps) for _, doc in level if doc.is_marked)
        self.marked = tuple(docs)
        self.is_placed = any(doc.is_placed for level in (*scps, *rcps) for _, doc in level)
        self.is_personal = any(doc.is_personal for level in (*scps, *rcps) for _, doc in level)


class Marked:
    """A document as principals of one sort and with the same marks by it hold it."""

    __slots__ = ("__weakref__", "doc", "marks", "sort")

    def __init__(self, doc: Doc, sort: int, marks: Marks) -> None:
        self.doc, self.sort, self.marks = doc, sort, marks


class Bundle:
    """Identity policies that are held together. `plain` and `marked` are the documents without and with marks."""

    __slots__ = ("docs", "marked", "plain", "profiles")

    def __init__(self, docs: tuple[Doc, ...]) -> None:
        self.docs = docs
        self.marked = tuple(doc for doc in docs if doc.is_marked)
        self.plain = tuple(doc for doc in docs if not doc.is_marked) if self.marked else docs
        self.profiles: Collection[Profile] = ()


class Limits:
    """What bounds a principal: its boundary, its organization; with its marks by these. `sort` is a number for its flags."""

    __slots__ = ("boundary", "boundary_marks", "flags", "level_marks", "levels", "sort")

    def __init__(
        self,
        flags: Flags,
        boundary: Doc | None,
        boundary_marks: Marks,
        levels: Levels,
        level_marks: Marks,
        sort: int,
    ) -> None:
        self.flags, self.sort = flags, sort
        self.boundary, self.boundary_marks = boundary, boundary_marks
        self.levels, self.level_marks = levels, level_marks

    @property
    def key(self) -> tuple[Flags, Doc | None, Marks, Levels, Marks]:
        """What makes it the one that it is."""
        return self.flags, self.boundary, self.boundary_marks, self.levels, self.level_marks


class Profile:
    """All that policies can tell of a principal but its account, and what `Traits` of a question ask for."""

    __slots__ = ("bundle", "classes", "limits", "marked")

    def __init__(self, bundle: Bundle, marked: tuple[Marked, ...], limits: Limits) -> None:
        self.bundle, self.marked, self.limits = bundle, marked, limits
        self.classes: Collection[Class] = ()

    @property
    def key(self) -> tuple[Any, ...]:
        """What makes it the one that it is."""
        return self.bundle, self.marked, self.limits


class Class:
    """The principals of one account that have one profile."""

    __slots__ = ("account", "members", "profile")

    def __init__(self, profile: Profile, account: str) -> None:
        self.profile, self.account = profile, account
        self.members: list[Member] = []


class Member:
    """A user, a role, or an account's root user (whose number is the account's, negative)."""

    __slots__ = ("arn", "cls", "grants", "id", "tags", "trust", "unique_id")

    cls: Class

    def __init__(
        self,
        id: int,
        arn: str,
        *,
        unique_id: str,
        grants: Grants,
        tags: Mapping[str, str] | None,
        trust: Doc | None,
    ) -> None:
        self.id, self.arn, self.unique_id = id, arn, unique_id
        self.grants, self.tags, self.trust = grants, tags, trust

    @property
    def account(self) -> str:
        """Twelve digits."""
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
    def principal(self) -> Principal:
        """As the engine asks for it."""
        return principal_of(self, is_management=self.cls.profile.limits.levels.is_management)


def principal_of(member: Member, *, is_management: bool) -> Principal:
    """As the engine asks for a member, who may have no class yet."""
    return Principal(
        member.arn,
        tags=member.tags,
        unique_id=member.unique_id,
        is_management_account=is_management,
    )


def flags_of(member: Member) -> Flags:
    """What of a principal says which keys are known of it, and which policies restrict it; what `Principal` says, sooner."""
    arn = member.arn
    kind = (
        PrincipalKind.USER
        if ":user/" in arn
        else PrincipalKind.ROLE
        if ":role/" in arn
        else PrincipalKind.ROOT
    )
    is_known = member.tags is not None or kind is PrincipalKind.ROOT
    return kind, SERVICE_LINKED_PATH in arn, is_known, bool(member.unique_id)


class Who(Request):
    """A principal who asks for nothing in particular, for conditions that it alone decides.

    What `others` says of keys that do not differ from principal to principal, it says too; it costs a tenth of a request.
    """

    __slots__ = ("_kind", "_member", "_others")

    def __init__(self, member: Member, kind: PrincipalKind, others: Request) -> None:
        self._member, self._kind, self._others = member, kind, others

    def values(self, key: str) -> Values | None:
        """As a request of the principal has them."""
        if not is_own(key):
            return self._others.values(key)
        member = self._member
        return own_values(self._kind, member.arn, member.unique_id, member.tags, key)
