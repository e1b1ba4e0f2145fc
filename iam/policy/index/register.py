"""Stores what all accounts of an index share: bundles, limits and profiles, each once, and finds the
documents that concern an action.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any
from weakref import WeakValueDictionary

from iam.policy.index.classes import (
    ControlPolicyLevels,
    Flags,
    MarkedDocument,
    PolicyBundle,
    PrincipalClass,
    PrincipalLimits,
    PrincipalProfile,
)
from iam.policy.index.documents import IndexedDocument, Marks, SharedDocuments
from iam.policy.index.elements import EVERY_SERVICE, ActionElement
from iam.policy.index.holders import StatementHolders, starts_of
from iam.policy.index.rows import Level, OrganizationStanding
from iam.policy.index.small_collections import with_one, without_one


class UseRegister:
    """Keeps shared objects while they are used. Removing the last class of a profile removes the profile,
    removing the last profile of a bundle removes the bundle, and so on.
    """

    def __init__(self, documents: SharedDocuments) -> None:
        self.documents = documents
        """Documents provided while many accounts are entered. They are looked up first, because that is
        faster.
        """
        self.bundles_of: dict[IndexedDocument, Collection[PolicyBundle]] = {}
        self.unreadable: set[IndexedDocument] = set()
        self._bundles: dict[tuple[IndexedDocument, ...], PolicyBundle] = {}
        self._limits: dict[tuple[Any, ...], PrincipalLimits] = {}
        self._profiles: dict[tuple[Any, ...], PrincipalProfile] = {}
        self._marked: WeakValueDictionary[tuple[IndexedDocument, int, Marks], MarkedDocument] = (
            WeakValueDictionary()
        )
        self._sorts: dict[Flags, int] = {}
        self._uses_of_limits: dict[PrincipalLimits, int] = {}
        self._levels: dict[Any, ControlPolicyLevels] = {}
        self._holders: dict[ActionElement, StatementHolders] = {}
        self._actions_of: dict[str, set[ActionElement]] = {}

    @property
    def profiles(self) -> Iterable[PrincipalProfile]:
        """All profiles in use."""
        return self._profiles.values()

    @property
    def bundles(self) -> Iterable[PolicyBundle]:
        """All bundles in use."""
        return self._bundles.values()

    @property
    def empty_bundle(self) -> PolicyBundle | None:
        """The bundle of principals without policies, such as root users; None if every principal has some."""
        return self._bundles.get(())

    def unreadable_bundles(self) -> Iterator[PolicyBundle]:
        """The bundles with a document that could not be parsed completely. A bundle can occur several
        times.
        """
        for doc in self.unreadable:
            yield from self.bundles_of[doc]

    def levels(self, standing: OrganizationStanding) -> ControlPolicyLevels:
        """The control policy levels above an account; shared by accounts under the same policies."""
        key = (standing.scps, standing.rcps, standing.is_management)
        levels = self._levels.get(key)
        if levels is None:
            scps = () if standing.is_management else standing.scps
            rcps = () if standing.is_management else standing.rcps
            levels = self._levels[key] = ControlPolicyLevels(
                self._named(scps), self._named(rcps), is_management=standing.is_management
            )
        return levels

    def forget_levels(self, used: Iterable[ControlPolicyLevels]) -> None:
        """Keep only the levels that are still above some account."""
        kept = set(used)
        self._levels = {key: levels for key, levels in self._levels.items() if levels in kept}

    def _named(self, levels: tuple[Level, ...]) -> tuple[tuple[tuple[str, IndexedDocument], ...], ...]:
        return tuple(
            tuple((policy.name, self.doc(policy.digest, policy.name)) for policy in level) for level in levels
        )

    def doc(self, digest: str | None, name: str) -> IndexedDocument:
        """The document of a policy. An unknown one is replaced by a placeholder with a problem that answers
        mention.
        """
        if digest is None:
            return self.documents.unread(name)
        document = self.documents.find(digest)
        return self.documents.unread(name) if document is None else document

    def bundle(self, docs: Iterable[IndexedDocument]) -> PolicyBundle:
        """The bundle of these documents, independent of order and duplicates."""
        key = tuple(sorted(set(docs), key=id))
        bundle = self._bundles.get(key)
        return self._add_bundle(key) if bundle is None else bundle

    def _add_bundle(self, docs: tuple[IndexedDocument, ...]) -> PolicyBundle:
        bundle = self._bundles[docs] = PolicyBundle(docs)
        for doc in docs:
            users = self.bundles_of.get(doc)
            if users is None:
                self._enter(doc)
            self.bundles_of[doc] = with_one(users, bundle)
        return bundle

    def _enter(self, doc: IndexedDocument) -> None:
        if doc.is_unreadable:
            self.unreadable.add(doc)
        for clause in doc.clauses:
            actions = clause.actions
            holders = self._holders.get(actions)
            if holders is None:
                holders = self._holders[actions] = StatementHolders()
                for service in actions.services:
                    self._actions_of.setdefault(service, set()).add(actions)
            for start in starts_of(clause):
                holders.add(start, clause, doc)

    def _drop_bundle(self, bundle: PolicyBundle) -> None:
        del self._bundles[bundle.docs]
        for doc in bundle.docs:
            users = self.bundles_of[doc] = without_one(self.bundles_of[doc], bundle)
            if not users:
                del self.bundles_of[doc]
                self._leave(doc)

    def _leave(self, doc: IndexedDocument) -> None:
        self.unreadable.discard(doc)
        for clause in doc.clauses:
            for start in starts_of(clause):
                self._holders[clause.actions].discard(start, clause, doc)
        for actions in {clause.actions for clause in doc.clauses}:
            if not self._holders[actions].by_start:
                del self._holders[actions]
                for service in actions.services:
                    self._actions_of[service].discard(actions)

    def profile(
        self,
        bundle: PolicyBundle,
        marks: tuple[Marks, ...],
        limits: tuple[Flags, IndexedDocument | None, Marks, ControlPolicyLevels, Marks],
    ) -> PrincipalProfile:
        """The profile of a bundle within limits. `marks` are those of the bundle's marked documents, in their
        order.
        """
        bounds = self._limits.get(limits)
        if bounds is None:
            sort = self._sorts.setdefault(limits[0], len(self._sorts))
            bounds = self._limits[limits] = PrincipalLimits(*limits, sort)
            self._uses_of_limits[bounds] = 0
        marked = self._marked_docs(bundle, bounds.sort, marks) if marks else ()
        key = (bundle, marked, bounds)
        profile = self._profiles.get(key)
        if profile is None:
            profile = self._profiles[key] = PrincipalProfile(bundle, marked, bounds)
            bundle.profiles = with_one(bundle.profiles, profile)
            self._uses_of_limits[bounds] += 1
        return profile

    def _marked_docs(
        self, bundle: PolicyBundle, sort: int, marks: tuple[Marks, ...]
    ) -> tuple[MarkedDocument, ...]:
        marked_docs = []
        for doc, doc_marks in zip(bundle.marked, marks, strict=True):
            key = (doc, sort, doc_marks)
            marked = self._marked.get(key)
            if marked is None:
                marked = self._marked[key] = MarkedDocument(doc, sort, doc_marks)
            marked_docs.append(marked)
        return tuple(marked_docs)

    def drop_class(self, cls: PrincipalClass) -> None:
        """Remove a class that has no members left."""
        profile = cls.profile
        profile.classes = without_one(profile.classes, cls)
        if not profile.classes:
            self._drop_profile(profile)

    def _drop_profile(self, profile: PrincipalProfile) -> None:
        del self._profiles[profile.key]
        bundle, bounds = profile.bundle, profile.limits
        bundle.profiles = without_one(bundle.profiles, profile)
        if not bundle.profiles:
            self._drop_bundle(bundle)
        self._uses_of_limits[bounds] -= 1
        if not self._uses_of_limits[bounds]:
            del self._uses_of_limits[bounds]
            del self._limits[bounds.key]

    def actions_speaking_of(self, action: str) -> Iterator[tuple[ActionElement, StatementHolders]]:
        """The action elements that match an action (in lower case), each with the statements that contain
        it.
        """
        for service in (action.partition(":")[0], EVERY_SERVICE):
            for actions in self._actions_of.get(service, ()):
                if actions.covers_action(action):
                    yield actions, self._holders[actions]
