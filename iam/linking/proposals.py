"""One review of all matches: what tags, rules and names propose for users without a linked person, where several people fit, and what stays open."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from django.db.models.functions import Lower

from iam.directory.models import Person
from iam.directory.rules import DirectoryRuleError
from iam.guard import Viewer
from iam.linking.acts import Confirmed, add_and_link, link
from iam.linking.models import Sign, Standing
from iam.linking.queries import (
    DOUBTFUL,
    PROPOSED,
    UNLINKED,
    count_of,
    persons,
    same_names,
    signs_of,
)
from iam.linking.rights import may_rule, people_to_choose
from iam.linking.whose import whose
from iam.mirror.models import Entity, TagSet, valid_at
from iam.mirror.naming import display_name

MOST: Final = 300
"""Users on one page: a form may have 1,000 fields, and each user takes up to two."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A person who may be meant, and why: each tag, rule or name that says so."""

    person: Person
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MatchRow:
    """A user without a linked person. `others` counts people outside the viewer's scope who fit as well."""

    user: Entity
    choices: tuple[Choice, ...]
    others: int = 0
    display: str = ""
    address: str = ""
    words: str = ""


@dataclass(slots=True)
class Review:
    """All matches: `proposed` have one person, `ambiguous` several, `newcomers` an address that nobody in Gatehouse has.

    `unmatched` counts the users for whom nothing is proposed, `left` those that didn't fit on the page.
    """

    proposed: list[MatchRow] = field(default_factory=list)
    ambiguous: list[MatchRow] = field(default_factory=list)
    newcomers: list[MatchRow] = field(default_factory=list)
    unmatched: int = 0
    left: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to decide."""
        return not (self.proposed or self.ambiguous or self.newcomers)


def review(viewer: Viewer) -> Review:
    """Everything that can be decided, as far as the viewer can link it; the same few queries for any number of users."""
    found = Review()
    known, doubtful, rest = (_signs(view, viewer) for view in (PROPOSED, DOUBTFUL, UNLINKED))
    candidates = _Candidates(viewer, [*known, *doubtful, *rest])
    for sign in known:
        row = candidates.row(sign)
        # A proposed person outside the viewer's scope is for somebody else to confirm.
        if row.choices:
            found.proposed.append(row)
    rest.sort(key=lambda sign: (sign.login, sign.pk))
    found.ambiguous = [row for sign in doubtful if (row := candidates.row(sign)).choices or row.others]
    adds = may_rule(viewer)
    for sign in rest:
        row = candidates.row(sign)
        if row.choices:
            found.ambiguous.append(row)
        elif row.address and adds:
            found.newcomers.append(row)
    decided = {row.user.pk for row in (*found.ambiguous, *found.newcomers)}
    found.unmatched = count_of(UNLINKED, viewer) - sum(sign.pk in decided for sign in rest)
    found.left = sum(max(0, count_of(view, viewer) - MOST) for view in (PROPOSED, DOUBTFUL))
    _cut(found)
    return found


def _signs(view: str, viewer: Viewer) -> list[Sign]:
    rows = signs_of(view, viewer).select_related("user__account", "former")
    # Users with an address come first: among very many users without any hint they would not be found.
    order = ("-address", "login", "user") if view == UNLINKED else ("login", "user")
    return list(rows.order_by(*order)[:MOST])


def _cut(found: Review) -> None:
    room = MOST
    for name in ("proposed", "ambiguous", "newcomers"):
        rows = getattr(found, name)
        setattr(found, name, rows[:room])
        found.left += max(0, len(rows) - room)
        room = max(0, room - len(rows))


class _Candidates:
    """Who may be meant by signs, and why; a handful of queries."""

    def __init__(self, viewer: Viewer, signs: Sequence[Sign]) -> None:
        voices = {voice["person"] for sign in signs for voice in sign.said if voice["person"]}
        self._seen = {str(person.pk): person for person in persons(viewer).filter(pk__in=voices)}
        open_signs = [sign for sign in signs if sign.standing != Standing.KNOWN]
        self._twins = same_names(open_signs, viewer=viewer) if open_signs else {}
        tags = TagSet.objects.filter(valid_at(None), entity__in=[sign.pk for sign in signs])
        self._tags: dict[int, Mapping[str, str]] = dict(tags.values_list("entity_id", "tags"))
        self._named = _people_named(viewer, (self._display(sign) for sign in open_signs))
        self._viewer = viewer

    def _display(self, sign: Sign) -> str:
        return display_name(sign.user.name, self._tags.get(sign.pk))

    def row(self, sign: Sign) -> MatchRow:
        """The row of a user."""
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
        if sign.standing != Standing.KNOWN:
            for person, user in self._twins.get(sign.pk, ()):
                add(person, f"has the user {user.name} in {user.account.name}")
            for person in self._named.get(self._display(sign).lower(), ()):
                add(person, "has the same name")
            if sign.former is not None:
                add(sign.former, "had a user with this name before it was created again")
        # Nobody links a user to themselves.
        people.pop(self._viewer.person_id, None)
        choices = tuple(Choice(person, tuple(words[pk])) for pk, person in people.items())
        return MatchRow(sign.user, choices, len(outside), self._display(sign), sign.address, sign.words)


def _people_named(viewer: Viewer, names: Iterable[str]) -> dict[str, list[Person]]:
    """People whom the viewer can link, by their names in small letters; one query."""
    wanted = {name.lower() for name in names if " " in name}
    found: dict[str, list[Person]] = defaultdict(list)
    if wanted:
        for person in people_to_choose(viewer).alias(low=Lower("name")).filter(low__in=wanted):
            found[person.name.lower()].append(person)
    return found


def link_many(
    viewer: Viewer, pairs: Mapping[int, UUID], *, newcomers: Mapping[int, str], why: str = ""
) -> Confirmed:
    """Link users to people, and to new people by the address of their tag (`newcomers`: their names); one refusal stops no other."""
    done = Confirmed()
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
    """Add the person whom a tag names, or link the one who was added for another user a moment ago."""
    address = whose([user])[user.pk].address
    known = Person.objects.filter(email__iexact=address).first() if address else None
    if known is not None:
        link(viewer, user=user, person=known, why=why)
    else:
        add_and_link(viewer, user=user, name=name)
