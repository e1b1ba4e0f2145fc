"""Changes the matching rules after a preview of their effect, for administrators of all accounts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final, NamedTuple
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F, Q

from iam.batches import batches
from iam.directory.models import Person
from iam.directory.rules import DirectoryRuleError, assert_administers
from iam.guard import Viewer
from iam.journal.services import record
from iam.linking.matching import KnownPeople, MatchResult, MatchRules
from iam.linking.models import LinkStanding, NameRule, UserMatch
from iam.linking.models import MatchSettings as Row
from iam.linking.ownership import DOUBTS, waiting
from iam.linking.patterns import NamePattern, PatternError
from iam.linking.refresh import current_rules, facts_of, people_known_by, settings_row
from iam.mirror.models import Entity, Kind, TagSet, valid_at

MAX_KEYS: Final = 10
MAX_RULES: Final = 20
PREVIEW_ROWS: Final = 50
CHUNK: Final = 500
# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html#id_tags_rules
TAG_KEY: Final = re.compile(r"[\w .:/=+@-]{1,128}")


@dataclass(frozen=True, slots=True)
class ChosenMatchRules:
    """The rules as entered, with name rules as (user name, address)."""

    tag_keys: tuple[str, ...]
    by_address: bool
    rules: tuple[tuple[str, str], ...]

    def ways(self) -> MatchRules:
        """Parse the rules. Raises DirectoryRuleError."""
        keys = tuple(dict.fromkeys(key.strip().lower() for key in self.tag_keys if key.strip()))
        if len(keys) > MAX_KEYS:
            raise DirectoryRuleError(f"You entered {len(keys)} tag keys. The limit is {MAX_KEYS}.")
        for key in keys:
            if not TAG_KEY.fullmatch(key):
                raise DirectoryRuleError(f"“{key}” isn’t a valid tag key.")
        if len(self.rules) > MAX_RULES:
            raise DirectoryRuleError(f"You entered {len(self.rules)} name rules. The limit is {MAX_RULES}.")
        try:
            rules = {NamePattern(*texts).texts: NamePattern(*texts) for texts in self.rules}
        except PatternError as error:
            raise DirectoryRuleError(str(error)) from None
        return MatchRules(keys, self.by_address, tuple(rules.values()))


@dataclass(slots=True)
class MatchEffect:
    """The effect of other rules on users without a link made by hand. Each list has the first few, each
    number counts all.
    """

    linked: int = 0
    people: int = 0
    ends: int = 0
    doubtful: int = 0
    readdressed: int = 0
    gains: list[tuple[Entity, Person, str]] = field(default_factory=list)
    loses: list[tuple[Entity, str]] = field(default_factory=list)
    doubts: list[tuple[Entity, list[str]]] = field(default_factory=list)

    @property
    def is_nothing(self) -> bool:
        """True if nothing would change."""
        return not (self.linked or self.ends or self.doubtful or self.readdressed)


def chosen_now() -> ChosenMatchRules:
    """Return the current rules as entered."""
    now = current_rules()
    return ChosenMatchRules(now.tag_keys, now.by_address, tuple(rule.texts for rule in now.rules))


def foretell(chosen: ChosenMatchRules) -> MatchEffect:
    """Return which users the rules would match, unmatch and leave ambiguous, without writing. Raises
    DirectoryRuleError.

    It only checks users that can be affected: by the user names that the rules derive, and by tags with added
    or removed keys.
    """
    wanted, before = chosen.ways(), current_rules()
    new, old = people_known_by(wanted), people_known_by(before)
    effect, people = MatchEffect(), set()
    verdicts: list[tuple[_CurrentMatch, MatchResult]] = []
    for chunk in batches(_concerned(before, wanted, old, new), CHUNK):
        signs = waiting(UserMatch.objects.filter(pk__in=chunk)).order_by("login", "pk")
        # Values instead of objects: of very many users, only the few that are shown become objects.
        rows = [
            _CurrentMatch(*row)
            for row in signs.values_list("pk", "user__name", "person", "standing", "address")
        ]
        facts = facts_of({row.pk: row.name for row in rows})
        verdicts += [(row, new.judge(facts[row.pk])) for row in rows]
    for now, verdict in verdicts:
        if verdict.standing == LinkStanding.KNOWN and verdict.person != now.person:
            effect.linked += 1
            people.add(verdict.person)
        if now.person is not None and verdict.person != now.person:
            effect.ends += 1
        if verdict.standing in DOUBTS and verdict.standing != now.standing:
            effect.doubtful += 1
        if verdict.person is None and now.person is None and verdict.address != now.address:
            effect.readdressed += 1
    effect.people = len(people)
    _add_examples(effect, verdicts)
    return effect


class _CurrentMatch(NamedTuple):
    """The current match of a user."""

    pk: int
    name: str
    person: UUID | None
    standing: str
    address: str


def _add_examples(effect: MatchEffect, verdicts: Sequence[tuple[_CurrentMatch, MatchResult]]) -> None:
    """Add the first few users who would gain or lose a person, or become ambiguous."""
    changed = [(user, verdict) for user, verdict in verdicts if verdict.person != user.person]
    gains = [(user, verdict) for user, verdict in changed if verdict.standing == LinkStanding.KNOWN]
    gains = gains[:PREVIEW_ROWS]
    loses = [(user, user.person) for user, _ in changed if user.person is not None][:PREVIEW_ROWS]
    newly_open = [(user, verdict) for user, verdict in verdicts if verdict.standing != user.standing]
    doubts = [(user, verdict) for user, verdict in newly_open if verdict.standing in DOUBTS][:PREVIEW_ROWS]
    person_pks = {verdict.person for _, verdict in gains} | {person for _, person in loses}
    for _, verdict in doubts:
        person_pks.update(voice.person for voice in verdict.said)
    people = Person.objects.in_bulk([pk for pk in person_pks if pk is not None])
    user_pks = {user.pk for user, _ in chain(gains, loses, doubts)}
    users = Entity.objects.select_related("account").in_bulk(list(user_pks))
    for user, verdict in gains:
        if verdict.person in people:
            effect.gains.append((users[user.pk], people[verdict.person], verdict.words))
    for user, person in loses:
        if person in people:
            effect.loses.append((users[user.pk], people[person].name))
    for user, verdict in doubts:
        candidates = []
        for voice in verdict.said:
            name = people[voice.person].name if voice.person in people else voice.address
            candidates.append(f"{name} ({voice.words})")
        effect.doubts.append((users[user.pk], sorted(candidates)))


def _concerned(before: MatchRules, wanted: MatchRules, old: KnownPeople, new: KnownPeople) -> list[int]:
    """Return the ids of users whose match can change."""
    rules = {rule.texts for rule in before.rules} ^ {rule.texts for rule in wanted.rules}
    logins = old.names_by(rules) | new.names_by(rules)
    if before.by_address != wanted.by_address:
        logins |= set(new.by_address)
    concerned: set[int] = set()
    for chunk in batches(sorted(logins), CHUNK):
        concerned.update(UserMatch.objects.filter(login__in=chunk).values_list("pk", flat=True))
    keys = set(before.tag_keys) ^ set(wanted.tag_keys)
    if keys or before.tag_keys != wanted.tag_keys:
        rows = TagSet.objects.filter(
            valid_at(None), entity__kind=Kind.USER, entity__gone_at__isnull=True
        ).filter(_has_any(keys or set(wanted.tag_keys)))
        for pk, tags in rows.values_list("entity_id", "tags").iterator(chunk_size=5000):
            if keys & {key.lower() for key in tags} or not keys:
                concerned.add(pk)
    return sorted(concerned)


def _has_any(keys: Iterable[str]) -> Q:
    """Return the condition that tags contain one of the keys. It is imprecise, because IAM ignores the case
    of keys; the result is checked later.
    """
    wanted = Q(pk__in=[])
    for key in keys:
        wanted |= Q(tags__icontains=key)
    return wanted


def save(viewer: Viewer, chosen: ChosenMatchRules) -> bool:
    """Save the rules. Returns False if they are unchanged. Matches are updated soon after. Raises
    DirectoryRuleError.
    """
    assert_administers(viewer)
    wanted = chosen.ways()
    settings_row()
    try:
        with transaction.atomic():
            return _save(viewer, wanted)
    except IntegrityError:
        raise DirectoryRuleError(
            "Someone else changed the tags and rules a moment ago. Refresh the page and try again."
        ) from None


def _save(viewer: Viewer, wanted: MatchRules) -> bool:
    row = Row.objects.select_for_update().get(pk=1)
    texts = {rule.texts for rule in wanted.rules}
    rules_by_text = {(rule.user_name, rule.address): rule for rule in NameRule.objects.all()}
    data = {"tags": list(wanted.tag_keys), "user_name": wanted.by_address}
    before = {"tags": row.tag_keys, "user_name": row.by_address}
    gone, come = rules_by_text.keys() - texts, texts - rules_by_text.keys()
    if data == before and not gone and not come:
        return False
    Row.objects.filter(pk=1).update(
        tag_keys=list(wanted.tag_keys), by_address=wanted.by_address, version=F("version") + 1
    )
    if data != before:
        record(kind="linking.ways", actor=viewer, subject="People", data={"before": before, "after": data})
    for pair in sorted(gone):
        rules_by_text[pair].delete()
        record(kind="linking.rule_remove", actor=viewer, subject=" of ".join(pair))
    for user_name, address in sorted(come):
        NameRule.objects.create(user_name=user_name, address=address, added_by=viewer.name[:128])
        record(kind="linking.rule_add", actor=viewer, subject=f"{user_name} of {address}")
    return True
