"""One account of an index: its principals, placed into classes, and placed anew when what they hold has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from iam.policy.index.classes import Class, Member, Profile, Who, flags_of, principal_of
from iam.policy.index.documents import Doc
from iam.policy.index.few import with_one
from iam.policy.index.register import Register
from iam.policy.index.rows import (
    NO_TAGS,
    NOTHING,
    AccountRows,
    Changes,
    Grants,
    GroupRow,
    PolicyRow,
    PrincipalRow,
    Standing,
)
from iam.policy.letter_case import fold
from iam.policy.request import PrincipalKind, Request

Docs = tuple[Doc, ...]


class Shard:
    """An account. `version` is another after each change; `facts` are context keys that every principal of it has, `place_facts` those of requests about what it owns."""

    def __init__(self, register: Register, rows: AccountRows) -> None:
        self.number, self.partition = rows.number, rows.partition
        self.version = 0
        self.members: dict[int, Member] = {}
        self.groups: dict[int, GroupRow] = {}
        self.policies: dict[int, PolicyRow] = {}
        self.classes: dict[Profile, Class] = {}
        self._register = register
        self._group_docs: dict[int, Docs] = {}
        self._shared_docs: dict[tuple[tuple[int, ...], tuple[int, ...]], Docs] = {}
        self._stand(rows.standing)
        self._enter(rows)
        self._put_root()
        self._put(rows.principals)

    def _stand(self, standing: Standing) -> None:
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
        root = Member(-int(self.number), arn, unique_id="", grants=NOTHING, tags=NO_TAGS, trust=None)
        self.members[root.id] = root
        self._place(root)

    @property
    def root(self) -> Member:
        """The account's root user."""
        return self.members[-int(self.number)]

    def stand(self, standing: Standing) -> list[Member]:
        """Put the account elsewhere in its organization; who is placed anew."""
        if standing == self.standing:
            return []
        self.version += 1
        self._stand(standing)
        return self._place_again(list(self.members.values()))

    def apply(self, changes: Changes) -> list[Member]:
        """Enter rows in the place of those with their numbers, take out what is gone; the members that were placed."""
        self.version += 1
        touched = self._enter(changes)
        placed = self._put(changes.principals)
        if not touched:
            return placed
        done = {member.id for member in placed}
        return placed + self._place_again(
            [member for member in self._holders(touched) if member.id not in done]
        )

    def concerned_by(self, changes: Changes) -> list[Member]:
        """Whom changes of policies and groups would concern, and those whose own rows are among the changes."""
        touched = {row.id for row in changes.policies if self.policies.get(row.id) != row}
        touched |= {row.id for row in changes.groups if self.groups.get(row.id) != row}
        touched |= set(changes.gone)
        own = [self.members[row.id] for row in changes.principals if row.id in self.members]
        return list({member.id: member for member in (*own, *self._holders(touched))}.values())

    def _holders(self, touched: set[int]) -> list[Member]:
        """Who has one of some policies or groups."""
        groups = {row.id for row in self.groups.values() if _holds(row.grants, touched)} | touched
        return [
            member
            for member in self.members.values()
            if _holds(member.grants, touched) or not groups.isdisjoint(member.grants.groups)
        ]

    def _enter(self, changes: Changes) -> set[int]:
        """Groups, policies and what is gone; the numbers of those by which members may have changed."""
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

    def _put(self, rows: Iterable[PrincipalRow]) -> list[Member]:
        placed = []
        for row in rows:
            self._take_out(row.id)
            trust = None if row.trust is None else self._register.doc(row.trust, "trust policy")
            member = self.members[row.id] = Member(
                row.id, row.arn, unique_id=row.unique_id, grants=row.grants, tags=row.tags, trust=trust
            )
            self._place(member)
            placed.append(member)
        return placed

    def _take_out(self, number: int) -> None:
        member = self.members.pop(number, None)
        if member is not None:
            self._leave(member)

    def _leave(self, member: Member) -> None:
        cls = member.cls
        cls.members.remove(member)
        if not cls.members:
            del self.classes[cls.profile]
            self._register.drop_class(cls)

    def _place_again(self, found: list[Member]) -> list[Member]:
        """Find the class of each member anew; it enters before it leaves, so that what it still holds stays."""
        for member in found:
            old = member.cls
            self._place(member)
            old.members.remove(member)
            if not old.members:
                del self.classes[old.profile]
                self._register.drop_class(old)
        return found

    def _place(self, member: Member) -> None:
        profile = self.profile_of(member, member.grants)
        cls = self.classes.get(profile)
        if cls is None:
            cls = self.classes[profile] = Class(profile, self.number)
            profile.classes = with_one(profile.classes, cls)
        member.cls = cls
        cls.members.append(member)

    def classes_of_users(self, is_meant: Callable[[str], bool]) -> Iterator[Class]:
        """The classes of users who are called so (in lower case), some more than once."""
        for member in self.members.values():
            if ":user/" in member.arn and is_meant(fold(member.name)):
                yield member.cls

    def profile_of(self, member: Member, grants: Grants) -> Profile:
        """The profile that a member has with what it holds."""
        bundle = self._register.bundle(self.docs_of(grants))
        boundary = None if grants.boundary is None else self.policy_doc(grants.boundary)
        flags = flags_of(member)
        levels = self.levels
        of_levels = () if flags[1] else levels.marked
        if not (of_levels or bundle.marked or (boundary is not None and boundary.is_marked)):
            return self._register.profile(bundle, (), (flags, boundary, (), levels, ()))
        asking = Who(member, flags[0], self._asking(member, flags[0]))
        limits = (
            flags,
            boundary,
            () if boundary is None else boundary.marks(asking),
            levels,
            tuple([doc.marks(asking) for doc in of_levels]),
        )
        return self._register.profile(bundle, tuple([doc.marks(asking) for doc in bundle.marked]), limits)

    def _asking(self, member: Member, kind: PrincipalKind) -> Request:
        """A request of some principal of the account that is of a kind."""
        found = self._requests.get(kind)
        if found is None:
            who = principal_of(member, is_management=self.levels.is_management)
            found = self._requests[kind] = Request("", "*", who, context=self.facts)
        return found

    def docs_of(self, grants: Grants) -> list[Doc]:
        """The documents of all identity policies, its groups' among them."""
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
        found = self._group_docs.get(number)
        if found is None:
            group = self.groups.get(number)
            docs = () if group is None else self.docs_of(group.grants)
            found = self._group_docs[number] = tuple(docs)
        return found

    def policy_doc(self, number: int) -> Doc:
        """The document of a managed policy; one that is not known is a problem that answers tell of."""
        policy = self.policies.get(number)
        if policy is None:
            return self._register.documents.unread(f"policy {number}")
        return self._register.doc(policy.digest, policy.name)

    def named_policies(self, grants: Grants) -> list[tuple[str, Doc]]:
        """(how a person finds it, document) of all identity policies."""
        found = self._named(grants, "")
        for number in grants.groups:
            group = self.groups.get(number)
            if group is not None:
                found += self._named(group.grants, f" of group {group.name}")
        return found

    def _named(self, grants: Grants, whose: str) -> list[tuple[str, Doc]]:
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

    def boundary_of(self, grants: Grants) -> tuple[str, Doc] | None:
        """(name, document) of the permissions boundary."""
        number = grants.boundary
        return None if number is None else (self._policy_name(number), self.policy_doc(number))

    def clear(self) -> None:
        """Take out everybody, before the account goes."""
        for number in list(self.members):
            self._take_out(number)


def _holds(grants: Grants, numbers: set[int]) -> bool:
    return grants.boundary in numbers or not numbers.isdisjoint(grants.attached)
