"""One account of an index. It assigns principals to classes, again whenever their policies change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from iam.policy.index.bare_request import BareRequest
from iam.policy.index.classes import (
    IndexedPrincipal,
    PrincipalClass,
    PrincipalProfile,
    flags_of,
    principal_of,
)
from iam.policy.index.documents import IndexedDocument
from iam.policy.index.image import IndexImage, columns_of, docs_in
from iam.policy.index.image_docs import marks_in
from iam.policy.index.members import ShardMembers
from iam.policy.index.register import UseRegister
from iam.policy.index.rows import (
    NO_TAGS,
    NOTHING,
    AccountRows,
    GroupRow,
    OrganizationStanding,
    PolicyHoldings,
    PolicyRow,
    PrincipalRow,
    RowChanges,
)
from iam.policy.index.small_collections import with_one
from iam.policy.request import PrincipalKind, Request

Docs = tuple[IndexedDocument, ...]


class AccountShard:
    """An account. `version` changes with each change. `facts` are the context keys that all its principals
    have, `place_facts` those of requests for its resources.
    """

    def __init__(self, register: UseRegister, rows: AccountRows, image: IndexImage | None = None) -> None:
        """`image` contains the principals, placed for the standing in `rows`, which then have no
        principals.
        """
        self.number, self.partition = rows.number, rows.partition
        self.version = 0
        self.members = ShardMembers()
        self.groups: dict[int, GroupRow] = {}
        self.policies: dict[int, PolicyRow] = {}
        self.classes: dict[PrincipalProfile, PrincipalClass] = {}
        self._register = register
        self._group_docs: dict[int, Docs] = {}
        self._shared_docs: dict[tuple[tuple[int, ...], tuple[int, ...]], Docs] = {}
        self._note_standing(rows.standing)
        self._enter(rows)
        if image is None:
            self._put_root()
            self._put(rows.principals)
        else:
            self._unfold(image)

    @property
    def prefix(self) -> str:
        """The prefix of all ARNs in the account."""
        return f"arn:{self.partition}:iam::{self.number}:"

    def _unfold(self, image: IndexImage) -> None:
        register = self._register
        docs = docs_in(image, register.documents)
        marks = [marks_in(mark) for mark in image.marks]
        limits = []
        for kind, is_exempt, has_tags, has_id, boundary, *numbers in image.limits:
            flags = (PrincipalKind(kind), is_exempt, has_tags, has_id)
            boundary_doc = None if boundary < 0 else docs[boundary]
            first, *others = [marks[number] for number in numbers]
            limits.append((flags, boundary_doc, first, self.levels, tuple(others)))
        columns = columns_of(image, register.documents)
        classes = []
        for place, (limit, *numbers) in enumerate(image.classes):
            # Numbers of documents and of their marks alternate.
            pairs = zip(numbers[::2], numbers[1::2], strict=True)
            marks_by_doc = {docs[doc]: marks[mark] for doc, mark in pairs}
            bundle = register.bundle(marks_by_doc)
            own_marks = tuple([marks_by_doc[doc] for doc in bundle.marked])
            profile = register.profile(bundle, own_marks, limits[limit])
            cls = PrincipalClass(profile, self.number, columns=columns, place=place)
            self.classes[profile] = cls
            profile.classes = with_one(profile.classes, cls)
            classes.append(cls)
        self.members.unfold(columns, classes)

    def _note_standing(self, standing: OrganizationStanding) -> None:
        self.standing = standing
        self.levels = self._register.levels(standing)
        self._requests: dict[PrincipalKind, Request] = {}
        self.facts: dict[str, object] = {}
        self.place_facts: dict[str, object] = {}
        if standing.organization_id:
            self.facts["aws:PrincipalOrgID"] = standing.organization_id
            self.place_facts["aws:ResourceOrgID"] = standing.organization_id
        if standing.paths:
            self.facts["aws:PrincipalOrgPaths"] = list(standing.paths)
            self.place_facts["aws:ResourceOrgPaths"] = list(standing.paths)

    def _put_root(self) -> None:
        arn = f"arn:{self.partition}:iam::{self.number}:root"
        root = IndexedPrincipal(
            -int(self.number), arn, unique_id="", grants=NOTHING, tags=NO_TAGS, trust=None
        )
        self.members.add(root)
        self._place(root)

    @property
    def root(self) -> IndexedPrincipal:
        """The account's root user."""
        return self.members[-int(self.number)]

    def place_in_organization(self, standing: OrganizationStanding) -> list[IndexedPrincipal]:
        """Set the account's place in its organization. Return the members that were placed again."""
        if standing == self.standing:
            return []
        self.version += 1
        self._note_standing(standing)
        return self._place_again(list(self.members.values()))

    def apply(self, changes: RowChanges) -> list[IndexedPrincipal]:
        """Enter rows, replacing those with the same numbers, and remove the rows that are gone. Return the
        members that were placed.
        """
        self.version += 1
        touched = self._enter(changes)
        placed = self._put(changes.principals)
        if not touched:
            return placed
        done = {member.id for member in placed}
        return placed + self._place_again(
            [member for member in self._holders(touched) if member.id not in done]
        )

    def concerned_by(self, changes: RowChanges) -> list[IndexedPrincipal]:
        """The members affected by changes of policies and groups, and those whose own rows are among the
        changes.
        """
        touched = {row.id for row in changes.policies if self.policies.get(row.id) != row}
        touched |= {row.id for row in changes.groups if self.groups.get(row.id) != row}
        touched |= set(changes.gone)
        own = [self.members[row.id] for row in changes.principals if row.id in self.members]
        return list({member.id: member for member in (*own, *self._holders(touched))}.values())

    def _holders(self, touched: set[int]) -> list[IndexedPrincipal]:
        """The members that hold one of these policies or groups."""
        groups = {row.id for row in self.groups.values() if _holds(row.grants, touched)} | touched
        return self.members.holding(
            lambda grants: _holds(grants, touched) or not groups.isdisjoint(grants.groups)
        )

    def _enter(self, changes: RowChanges) -> set[int]:
        """Enter groups and policies, and remove what is gone. Return the numbers of those through which
        members may have changed.
        """
        policies = {row.id: row for row in changes.policies if self.policies.get(row.id) != row}
        groups = {row.id: row for row in changes.groups if self.groups.get(row.id) != row}
        gone = {number for number in changes.gone if number in self.policies or number in self.groups}
        for number in changes.gone:
            self._take_out(number)
            self.policies.pop(number, None)
            self.groups.pop(number, None)
        self.policies.update(policies)
        self.groups.update(groups)
        touched = policies.keys() | groups.keys() | gone
        if touched:
            self._group_docs.clear()
            self._shared_docs.clear()
        return touched

    def _put(self, rows: Iterable[PrincipalRow]) -> list[IndexedPrincipal]:
        placed = []
        for row in rows:
            self._take_out(row.id)
            trust = None if row.trust is None else self._register.doc(row.trust, "trust policy")
            member = IndexedPrincipal(
                row.id, row.arn, unique_id=row.unique_id, grants=row.grants, tags=row.tags, trust=trust
            )
            self.members.add(member)
            self._place(member)
            placed.append(member)
        return placed

    def _take_out(self, number: int) -> None:
        member = self.members.take_out(number)
        if member is not None:
            self._leave(member, member.cls)

    def _leave(self, member: IndexedPrincipal, cls: PrincipalClass) -> None:
        cls.leave(member)
        if not cls.size:
            del self.classes[cls.profile]
            self._register.drop_class(cls)

    def _place_again(self, members: list[IndexedPrincipal]) -> list[IndexedPrincipal]:
        """Assign each member to a class again. It enters the new class before it leaves the old one, so that
        objects still in use are kept.
        """
        for member in members:
            old = member.cls
            self._place(member)
            self._leave(member, old)
        return members

    def _place(self, member: IndexedPrincipal) -> None:
        profile = self.profile_of(member, member.grants)
        cls = self.classes.get(profile)
        if cls is None:
            cls = self.classes[profile] = PrincipalClass(profile, self.number)
            profile.classes = with_one(profile.classes, cls)
        member.cls = cls
        self.members.move(member)
        cls.enter(member)

    def classes_of_users(self, is_meant: Callable[[str], bool]) -> Iterator[PrincipalClass]:
        """The classes of the users whose lowercase names satisfy the predicate. A class can occur several
        times.
        """
        return self.members.classes_of_users(is_meant)

    def profile_of(self, member: IndexedPrincipal, grants: PolicyHoldings) -> PrincipalProfile:
        """The profile that a member has with these holdings."""
        bundle = self._register.bundle(self.docs_of(grants))
        boundary = None if grants.boundary is None else self.policy_doc(grants.boundary)
        flags = flags_of(member)
        levels = self.levels
        of_levels = () if flags[1] else levels.marked
        if not (of_levels or bundle.marked or (boundary is not None and boundary.is_marked)):
            return self._register.profile(bundle, (), (flags, boundary, (), levels, ()))
        asking = BareRequest(member, flags[0], self._asking(member, flags[0]))
        limits = (
            flags,
            boundary,
            () if boundary is None else boundary.marks(asking),
            levels,
            tuple([doc.marks(asking) for doc in of_levels]),
        )
        return self._register.profile(bundle, tuple([doc.marks(asking) for doc in bundle.marked]), limits)

    def _asking(self, member: IndexedPrincipal, kind: PrincipalKind) -> Request:
        """A request by any principal of this kind in the account."""
        request = self._requests.get(kind)
        if request is None:
            who = principal_of(member, is_management=self.levels.is_management)
            request = self._requests[kind] = Request("", "*", who, context=self.facts)
        return request

    def docs_of(self, grants: PolicyHoldings) -> list[IndexedDocument]:
        """The documents of all identity-based policies, including those from groups."""
        key = (grants.attached, grants.groups)
        shared = self._shared_docs.get(key)
        if shared is None:
            docs = [self.policy_doc(number) for number in grants.attached]
            for number in grants.groups:
                docs += self._docs_of_group(number)
            shared = self._shared_docs[key] = tuple(docs)
        if not grants.inline:
            return list(shared)
        return [*shared, *(self._register.doc(digest, name) for name, digest in grants.inline)]

    def _docs_of_group(self, number: int) -> Docs:
        documents_of_group = self._group_docs.get(number)
        if documents_of_group is None:
            group = self.groups.get(number)
            docs = () if group is None else self.docs_of(group.grants)
            documents_of_group = self._group_docs[number] = tuple(docs)
        return documents_of_group

    def policy_doc(self, number: int) -> IndexedDocument:
        """The document of a managed policy. An unknown one is replaced by a placeholder with a problem that
        answers mention.
        """
        policy = self.policies.get(number)
        if policy is None:
            return self._register.documents.unread(f"policy {number}")
        return self._register.doc(policy.digest, policy.name)

    def named_policies(self, grants: PolicyHoldings) -> list[tuple[str, IndexedDocument]]:
        """All identity-based policies as pairs of display name and document."""
        named = self._named(grants, "")
        for number in grants.groups:
            group = self.groups.get(number)
            if group is not None:
                named += self._named(group.grants, f" of group {group.name}")
        return named

    def _named(self, grants: PolicyHoldings, whose: str) -> list[tuple[str, IndexedDocument]]:
        inline = [
            (f"inline policy {name}{whose}", self._register.doc(digest, name))
            for name, digest in grants.inline
        ]
        return inline + [
            (f"{self._policy_name(number)}{whose}", self.policy_doc(number)) for number in grants.attached
        ]

    def _policy_name(self, number: int) -> str:
        policy = self.policies.get(number)
        return f"policy {number}" if policy is None else policy.name

    def boundary_of(self, grants: PolicyHoldings) -> tuple[str, IndexedDocument] | None:
        """The permissions boundary as a pair of name and document."""
        number = grants.boundary
        return None if number is None else (self._policy_name(number), self.policy_doc(number))

    def clear(self) -> None:
        """Remove all members. Called before the account is removed."""
        for cls in self.classes.values():
            cls.clear()
            self._register.drop_class(cls)
        self.classes.clear()
        self.members = ShardMembers()


def _holds(grants: PolicyHoldings, numbers: set[int]) -> bool:
    return grants.boundary in numbers or not numbers.isdisjoint(grants.attached)
