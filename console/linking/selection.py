"""The selection in the review of matches, stored in the session so that it persists across pages and days."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import chain
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest

from iam.linking.proposals import SEVERAL, OwnerProposal, ProposalGroup, ProposalList

SESSION_KEY: Final = "review-of-matches"


@dataclass(frozen=True, slots=True)
class SelectedUser:
    """A selected user: to be linked to a person, or to a new one if `person` is None."""

    user: int
    person: UUID | None


@dataclass(slots=True)
class ProposalSelection:
    """By default all users with exactly one matching person are selected.

    `switched` groups and `flipped` users have the opposite of the default. `people` are chosen if several
    match; `names` are entered for new people.
    """

    switched: set[str] = field(default_factory=set)
    flipped: set[int] = field(default_factory=set)
    people: dict[int, str] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    why: str = ""

    @classmethod
    def from_request(cls, request: HttpRequest) -> ProposalSelection:
        """Load from the session."""
        kept: dict[str, Any] = request.session.get(SESSION_KEY) or {}
        return cls(
            set(kept.get("switched", ())),
            set(kept.get("flipped", ())),
            {int(user): person for user, person in kept.get("people", {}).items()},
            {int(user): name for user, name in kept.get("names", {}).items()},
            kept.get("why", ""),
        )

    def keep(self, request: HttpRequest, review: ProposalList) -> None:
        """Save in the session, without users that are no longer proposed."""
        proposals = chain.from_iterable(group.proposals for group in review.groups)
        users = {proposal.user for proposal in proposals}
        request.session[SESSION_KEY] = {
            "switched": sorted(self.switched & {group.key for group in review.groups}),
            "flipped": sorted(self.flipped & users),
            "people": {str(user): person for user, person in self.people.items() if user in users},
            "names": {str(user): name for user, name in self.names.items() if user in users},
            "why": self.why,
        }

    def is_selected(self, group: ProposalGroup, user: int) -> bool:
        """Return whether the next confirmation links the user."""
        if group.key == SEVERAL:
            return bool(self.people.get(user))
        return (group.is_sure is not (group.key in self.switched)) is not (user in self.flipped)

    def select(self, group: ProposalGroup, user: int, *, is_on: bool) -> None:
        """Select or clear a user for whom no person has to be chosen."""
        if self.is_selected(group, user) is not is_on:
            self.flipped ^= {user}

    def select_all(self, group: ProposalGroup, *, is_on: bool) -> None:
        """Select or clear all users of a group; if several people match, they can only be cleared."""
        users = {proposal.user for proposal in group.proposals}
        if group.key == SEVERAL:
            self.people = {user: person for user, person in self.people.items() if user not in users}
            return
        self.flipped -= users
        if group.is_sure is is_on:
            self.switched.discard(group.key)
        else:
            self.switched.add(group.key)

    def chosen(self, group: ProposalGroup) -> Iterator[SelectedUser]:
        """Yield the selected users of a group."""
        for proposal in group.proposals:
            if self.is_selected(group, proposal.user):
                yield SelectedUser(proposal.user, self._person(group, proposal))

    def count(self, group: ProposalGroup) -> int:
        """Return the number of selected users of a group."""
        return sum(1 for _ in self.chosen(group))

    def digest(self, review: ProposalList, *, but: Collection[int]) -> str:
        """Return a digest of the selection without the users in `but`, to detect changes since a page was
        shown.
        """
        chosen = chain.from_iterable(map(self.chosen, review.groups))
        pairs = sorted((match.user, str(match.person or "")) for match in chosen if match.user not in but)
        return sha256(json.dumps(pairs).encode()).hexdigest()[:16]

    def _person(self, group: ProposalGroup, proposal: OwnerProposal) -> UUID | None:
        return UUID(self.people[proposal.user]) if group.key == SEVERAL else proposal.person
