"""The review of all matches: what tags, rules and names propose for users without a linked person, ambiguous
matches, and users without a match.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Lower

from iam.directory.models import Identity, Person
from iam.directory.rules import DirectoryRuleError
from iam.guard import Viewer
from iam.linking.acts import ConfirmationResult, add_and_link, link
from iam.linking.models import LinkStanding, UserMatch
from iam.linking.ownership import DOUBTS, owners_of
from iam.linking.queries import (
    DOUBTFUL,
    PROPOSED,
    UNLINKED,
    any_sign,
    count_of,
    persons,
    same_names,
    signs_of,
)
from iam.linking.rights import may_rule, people_to_choose
from iam.mirror.display_names import display_name
from iam.mirror.models import Entity, TagSet, valid_at
from iam.search_words import folded, spellings

BATCH_SIZE: Final = 500
"""Maximum number of users to link per request. The others stay selected for the next one."""
SEVERAL: Final = "several"
NEWCOMERS: Final = "new"


@dataclass(frozen=True, slots=True)
class OwnerChoice:
    """A possible person, and each tag, rule or name that suggests them."""

    person: Person
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MatchRow:
    """A user without a linked person. `others` counts possible people outside the viewer's scope."""

    user: Entity
    choices: tuple[OwnerChoice, ...]
    others: int = 0
    display: str = ""
    address: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class OwnerProposal:
    """A decision about a user. `person` is the only match, or None if there are several or a new person would
    be added.
    """

    user: int
    person: UUID | None = None


@dataclass(frozen=True, slots=True)
class ProposalGroup:
    """Proposals with the same reason, by user name. `key` identifies the group in URLs."""

    key: str
    label: str
    proposals: tuple[OwnerProposal, ...]

    @property
    def is_sure(self) -> bool:
        """True if each user has exactly one match, by the same reason."""
        return self.key not in (SEVERAL, NEWCOMERS)


@dataclass(frozen=True, slots=True)
class ProposalList:
    """Everything that a viewer can decide, and the number of users without a proposal."""

    groups: tuple[ProposalGroup, ...]
    unmatched: int

    def group(self, key: str) -> ProposalGroup | None:
        """Return the group with a key, or the first one."""
        return next((group for group in self.groups if group.key == key), next(iter(self.groups), None))


def review(viewer: Viewer) -> ProposalList:
    """Return everything that the viewer can decide. The number of queries is small and constant."""
    doubtful, rest = list(_rows(signs_of(DOUBTFUL, viewer))), list(_rows(_hinted(viewer)))
    candidates = _Candidates(viewer, [*doubtful, *rest])
    several = [sign.pk for sign in doubtful if (row := candidates.row(sign)).choices or row.others]
    newcomers = []
    adds = may_rule(viewer)
    for sign in rest:
        row = candidates.row(sign)
        if row.choices:
            several.append(sign.pk)
        elif row.address and adds:
            newcomers.append(sign.pk)
    decided = {*several, *newcomers}
    unmatched = count_of(UNLINKED, viewer) - sum(sign.pk in decided for sign in rest)
    groups = list(_sure_groups(viewer))
    if several:
        groups.append(ProposalGroup(SEVERAL, "Several people fit", tuple(map(OwnerProposal, several))))
    if newcomers:
        groups.append(ProposalGroup(NEWCOMERS, "New to Gatehouse", tuple(map(OwnerProposal, newcomers))))
    return ProposalList(tuple(groups), unmatched)


def match_rows(viewer: Viewer, proposals: Sequence[OwnerProposal]) -> list[MatchRow]:
    """Return the rows of the proposals, in order."""
    signs = {
        sign.pk: sign
        for sign in _rows(UserMatch.objects.filter(pk__in=[proposal.user for proposal in proposals]))
    }
    candidates = _Candidates(viewer, list(signs.values()))
    return [candidates.row(signs[proposal.user]) for proposal in proposals if proposal.user in signs]


def has_proposals(viewer: Viewer) -> bool:
    """Return True if a tag, address or name rule matches some user, with one query."""
    says = Q(standing=LinkStanding.KNOWN, person__isnull=False) | Q(standing__in=DOUBTS) | ~Q(address="")
    return any_sign(viewer, says)


def _sure_groups(viewer: Viewer) -> Iterator[ProposalGroup]:
    """Yield the users with one match, grouped by reason, the largest group first."""
    signs = signs_of(PROPOSED, viewer).exclude(person=viewer.person_id)
    if not viewer.scope.sees_everything:
        # A proposed person outside the viewer's scope must be confirmed by someone else.
        signs = signs.filter(person__in=persons(viewer).values("pk"))
    proposals_by_reason: dict[str, list[OwnerProposal]] = defaultdict(list)
    for user, person, words in signs.order_by("login", "user").values_list("user", "person", "words"):
        reason = words.partition(": ")[0]
        proposals_by_reason[reason].append(OwnerProposal(user, person))
    largest_first = sorted(proposals_by_reason.items(), key=lambda group: (-len(group[1]), group[0]))
    for reason, proposals in largest_first:
        yield ProposalGroup(reason.lower(), reason[:1].upper() + reason[1:], tuple(proposals))


def _hinted(viewer: Viewer) -> QuerySet[UserMatch]:
    """Return users without a person that have a hint: an address, a user of the same name, or a person's
    name.
    """
    unlinked = signs_of(UNLINKED, viewer)
    links = Identity.objects.filter(user_arn=OuterRef("user__arn"))
    namesakes = UserMatch.objects.filter(Exists(links), login=OuterRef("login"), user__gone_at__isnull=True)
    twins = namesakes.exclude(account=OuterRef("account"))
    is_hinted = ~Q(address="") | Q(former__isnull=False) | Q(Exists(twins))
    return unlinked.filter(is_hinted | Q(pk__in=_named_like_people(unlinked, viewer)))


def _named_like_people(signs: QuerySet[UserMatch], viewer: Viewer) -> list[int]:
    """Return users whose display name is that of a person, with three queries."""
    people = people_to_choose(viewer).values_list("name", flat=True)
    names = {folded(name) for name in people if " " in name}
    users = dict(signs.values_list("user", "user__name")) if names else {}
    tag_sets = TagSet.objects.filter(valid_at(None), entity__in=users)
    tags = dict(tag_sets.values_list("entity_id", "tags"))
    numbers = []
    for pk, login in users.items():
        name = display_name(login, tags.get(pk))
        if folded(name) in names:
            numbers.append(pk)
    return numbers


def _rows(signs: QuerySet[UserMatch]) -> QuerySet[UserMatch]:
    return signs.select_related("user__account", "former").order_by("login", "user")


class _Candidates:
    """Finds possible people for users, and why, with a handful of queries."""

    def __init__(self, viewer: Viewer, signs: Sequence[UserMatch]) -> None:
        self._viewer = viewer
        voices = chain.from_iterable(sign.said for sign in signs)
        suggested = {voice["person"] for voice in voices if voice["person"]}
        self._seen = {str(person.pk): person for person in persons(viewer).filter(pk__in=suggested)}
        open_signs = [sign for sign in signs if sign.standing != LinkStanding.KNOWN]
        self._twins = same_names(open_signs, viewer=viewer) if open_signs else {}
        tags = TagSet.objects.filter(valid_at(None), entity__in=[sign.pk for sign in signs])
        self._tags: dict[int, Mapping[str, str]] = dict(tags.values_list("entity_id", "tags"))
        names = [self._display(sign) for sign in open_signs]
        self._named = _people_named(viewer, names)

    def _display(self, sign: UserMatch) -> str:
        return display_name(sign.user.name, self._tags.get(sign.pk))

    def row(self, sign: UserMatch) -> MatchRow:
        """Return the row of a user."""
        words: dict[UUID, list[str]] = defaultdict(list)
        people: dict[UUID, Person] = {}
        outside: set[str] = set()

        def add(person: Person, why: str) -> None:
            people[person.pk] = person
            words[person.pk].append(why)

        for voice in sign.said:
            if voice["person"] in self._seen:
                add(self._seen[voice["person"]], voice["words"])
            elif voice["person"]:
                outside.add(voice["person"])
        if sign.standing != LinkStanding.KNOWN:
            for person, user in self._twins.get(sign.pk, ()):
                add(person, f"has the user {user.name} in {user.account.name}")
            for person in self._named.get(folded(self._display(sign)), ()):
                add(person, "has the same name")
            if sign.former is not None:
                add(sign.former, "had a user with this name before it was created again")
        # People can't link a user to themselves.
        people.pop(self._viewer.person_id, None)
        choices = tuple(OwnerChoice(person, tuple(words[pk])) for pk, person in people.items())
        return MatchRow(sign.user, choices, len(outside), self._display(sign), sign.address, sign.words)


def _people_named(viewer: Viewer, names: Iterable[str]) -> dict[str, list[Person]]:
    """Return people that the viewer can link, by folded name, with one query."""
    wanted: set[str] = set()
    for name in names:
        if " " in name:
            wanted.update(spellings(name.lower()))
    people_by_name: dict[str, list[Person]] = defaultdict(list)
    if wanted:
        for person in people_to_choose(viewer).alias(low=Lower("name")).filter(low__in=wanted):
            people_by_name[folded(person.name)].append(person)
    return people_by_name


def link_many(
    viewer: Viewer, pairs: Mapping[int, UUID], *, newcomers: Mapping[int, str], why: str = ""
) -> ConfirmationResult:
    """Link users to people, and to new people by the address in their tag (`newcomers` has their names). A
    refusal doesn't stop the others.
    """
    done = ConfirmationResult()
    people = Person.objects.in_bulk(list(set(pairs.values())))
    users = Entity.objects.select_related("account").in_bulk([*pairs, *newcomers])
    for pk, user in sorted(users.items(), key=lambda pair: (pair[1].name, pair[0])):
        try:
            if pk in pairs:
                person = people.get(pairs[pk])
                if person is None:
                    raise DirectoryRuleError("The person is not in Gatehouse any more.")
                link(viewer, user=user, person=person, why=why)
            else:
                _link_newcomer(viewer, user, name=newcomers[pk], why=why)
            done.linked += 1
        except DirectoryRuleError as error:
            done.refused.append(f"{user.name} in {user.account.name}: {error}")
    return done


def _link_newcomer(viewer: Viewer, user: Entity, *, name: str, why: str) -> None:
    """Add and link the person named in a tag, or link the person who was added for another user
    just before.
    """
    address = owners_of([user])[user.pk].address
    known = Person.objects.filter(email__iexact=address).first() if address else None
    if known is not None:
        link(viewer, user=user, person=known, why=why)
    else:
        add_and_link(viewer, user=user, name=name)
