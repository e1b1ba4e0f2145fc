"""Checklists of what each person of a run has done and still has to do, from the changes and from their users
in the mirror.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from itertools import chain, starmap
from typing import Final, NamedTuple
from uuid import UUID

from iam.activity.first_calls import FirstCall, accounts_with_events, first_calls
from iam.changes.models import RUNNING, Change, ChangeState
from iam.changes.operations import ADD_TO_GROUP, PutInlinePolicy
from iam.changes.operations.one_time_credential import CreateAccessKey
from iam.changes.operations.principals import CreateUser
from iam.mirror.models import NEVER, Entity, Kind, Usage, UserCredentials, valid_at
from iam.people.blueprints.body import BlueprintBody
from iam.people.links.models import LinkEndReason, OneTimeLink
from iam.people.moving.models import Move
from iam.people.onboarding.invitation import invitations
from iam.people.onboarding.invitation_state import (
    ACCESS_ENDED,
    ACCESS_SUSPENDED,
    MOVED_AWAY,
    PASSWORDS,
    SLACK,
    TEAM_CHANGED,
    WITHOUT_ACCESS,
    last_made_at,
    made_passwords,
    without_access,
)
from iam.people.onboarding.models import OnboardedPerson, ProvisionedUser
from iam.people.onboarding.queries import ProvisionedUserChanges, held_by, places_of
from iam.people.runs.models import RunState
from iam.sealed.models import Secret

WITHOUT_MFA: Final = ("none", "unread", "unknown")
_OVER: Final = {
    ACCESS_ENDED: "Access ended",
    ACCESS_SUSPENDED: "Suspended",
    MOVED_AWAY: "Changed team",
}


class StepStatus(StrEnum):
    """The status of a step."""

    TODO = "todo"
    DOING = "doing"
    PERSON = "person"
    INVITE = "invite"
    DONE = "done"
    FAILED = "failed"
    OVER = "over"
    CLOSED = "closed"


class StepWords(NamedTuple):
    """What a line of a checklist says until it is done, and from then on."""

    to_do: str
    done: str

    def in_account(self, where: str) -> StepWords:
        """Return the words with the account after them; `where` is empty or begins with a space."""
        return StepWords(self.to_do + where, self.done + where)


OPEN_INVITATION: Final = StepWords("Open the invitation", "Invitation opened")
CHOOSE_PASSWORD: Final = StepWords("Choose an own password", "Own password chosen")
TURN_ON_MFA: Final = StepWords("Turn on MFA", "MFA on")
FIRST_USE: Final = StepWords("First sign-in or use", "First sign-in or use")
FIRST_CALL: Final = StepWords("First call", "First call")


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    """A line of a checklist. `at` is when it was done, `change` the single change it represents, if any."""

    words: StepWords
    standing: StepStatus
    note: str = ""
    at: datetime | None = None
    change: UUID | None = None

    @property
    def what(self) -> str:
        """The words of now: a step that isn't done isn't said to have happened."""
        return self.words.done if self.standing is StepStatus.DONE else self.words.to_do


@dataclass(frozen=True, slots=True)
class PersonChecklist:
    """The checklist of a person, for all their places."""

    newcomer: OnboardedPerson
    items: tuple[ChecklistItem, ...]
    users: tuple[tuple[str, int | None], ...] = field(default=())
    """(account, mirror id of the user or None) of each place."""
    may_be_invited: bool = False
    changes: int = 0
    changes_done: int = 0
    """The number of changes. Several changes can share a line. The numbers of all people add up to the
    changes of the run.
    """
    own_items: tuple[ChecklistItem, ...] = field(default=())
    """The lines that are left to the person."""

    @property
    def own_done(self) -> int:
        """The number of completed lines that are left to the person."""
        return sum(item.standing is StepStatus.DONE for item in self.own_items)

    @property
    def done(self) -> int:
        """The number of completed lines."""
        return sum(item.standing is StepStatus.DONE for item in self.items)

    @property
    def standing(self) -> StepStatus:
        """The overall status of the person: the one that most needs attention."""
        standings = {item.standing for item in self.items} or {StepStatus.TODO}
        order = (
            StepStatus.FAILED,
            StepStatus.DOING,
            StepStatus.INVITE,
            StepStatus.TODO,
            StepStatus.PERSON,
            StepStatus.OVER,
            StepStatus.CLOSED,
        )
        for standing in order:
            if standing in standings:
                return standing
        return StepStatus.DONE


@dataclass(frozen=True, slots=True)
class _Facts:
    """The state of users in the mirror, by ARN."""

    users: dict[str, Entity]
    credentials: dict[int, UserCredentials]
    used: dict[int, datetime]
    seals: dict[UUID, Secret]
    made: dict[str, datetime]
    """When Gatehouse last set a password of a user, by ARN."""
    over: dict[str, str]
    """Why users have lost access, by ARN: offboarded, suspended or deleted."""
    moved: dict[UUID, datetime]
    """When each person last changed team, by person id."""
    calls: dict[str, FirstCall]
    """The first successful call of each user, by unique ID."""
    recorded: frozenset[int]
    """The accounts with known events."""


def checklists(
    people: Sequence[OnboardedPerson], *, body: BlueprintBody | None = None
) -> list[PersonChecklist]:
    """Return the checklists of the people of one run, or, without `body`, of several runs (loaded with their
    versions). Fourteen queries for any number of people.
    """
    by_person = places_of(people)
    places = list(chain.from_iterable(by_person[newcomer.pk] for newcomer in people))
    changes_by_place = dict(zip((place.pk for place in places), held_by(places), strict=True))
    facts, links = _facts(places, people), invitations(people)
    lists = []
    for person in people:
        own = by_person[person.pk]
        rows = [
            (place, changes_by_place[place.pk], f" in {place.account.name}" if len(own) > 1 else "")
            for place in own
        ]
        items = list(chain.from_iterable(starmap(_lines_of_gatehouse, rows)))
        lines_of_gatehouse = len(items)
        link = links.get(person.pk)
        closed = _why_closed(person, link, own, facts)
        items += _invited(link, person, own, changes_by_place, over=closed)
        for place, now, where in rows:
            body_of_run = body or person.run.version.body
            items += _lines_of_person(place, now, facts, body=body_of_run, where=where, closed=closed)
        users = tuple((place.account.name, _number(facts, place)) for place in own)
        made = [place for place in own if place.joined_at and not changes_by_place[place.pk].is_taken_in]
        is_busy = any(changes_by_place[place.pk].is_open for place in own)
        is_complete = all(item.standing is StepStatus.DONE for item in items)
        can_invite = bool(made) and not is_busy and not is_complete and closed not in WITHOUT_ACCESS
        checklist = PersonChecklist(
            person,
            tuple(items),
            users,
            may_be_invited=can_invite,
            changes=sum(len(changes_by_place[place.pk].latest) for place in own),
            changes_done=sum(len(changes_by_place[place.pk].applied) for place in own),
            own_items=tuple(items[lines_of_gatehouse:]),
        )
        lists.append(checklist)
    return lists


def _number(facts: _Facts, place: ProvisionedUser) -> int | None:
    user = facts.users.get(place.user_arn)
    return user.pk if user else None


def _facts(places: Iterable[ProvisionedUser], people: Sequence[OnboardedPerson]) -> _Facts:
    places = list(places)
    arns = [place.user_arn for place in places]
    living = Entity.objects.filter(kind=Kind.USER, arn__in=arns, gone_at__isnull=True)
    users = {entity.arn: entity for entity in living}
    keys = [entity.pk for entity in users.values()]
    rows = UserCredentials.objects.filter(valid_at(None), user__in=keys)
    pairs = ((place.password_seal, place.key_seal) for place in places)
    seals = list(filter(None, chain.from_iterable(pairs)))
    return _Facts(
        users=users,
        credentials={row.user_id: row for row in rows},
        used=dict(Usage.objects.filter(entity__in=keys).values_list("entity_id", "last_used_at")),
        seals={secret.pk: secret for secret in Secret.objects.filter(pk__in=seals)},
        made=made_passwords(arns),
        over=without_access(places),
        moved=_team_changes(people),
        calls=first_calls([entity.aws_id for entity in users.values()]),
        recorded=accounts_with_events({place.account_id for place in places}),
    )


def _team_changes(people: Sequence[OnboardedPerson]) -> dict[UUID, datetime]:
    """Return when people changed team after they were onboarded. A team change in progress counts as now."""
    runs = {newcomer.person_id: newcomer.run.source for newcomer in people}
    moves = Move.objects.filter(
        person_id__in=runs, state__in=(RunState.RUNNING, RunState.DONE, RunState.PARTLY)
    )
    now = datetime.now(tz=UTC)
    return {
        move.person_id: move.ended_at or now
        for move in moves.order_by("created_at")
        if move.person_id and runs[move.person_id] != move.reference
    }


def _why_closed(
    person: OnboardedPerson, link: OneTimeLink | None, own: Sequence[ProvisionedUser], facts: _Facts
) -> str:
    """Return why a person's invitation no longer works, for its sender, or an empty string if it does."""
    joined = [place for place in own if place.joined_at]
    cut = {facts.over.get(place.user_arn, "") for place in joined}
    moved = facts.moved.get(person.person_id)
    has_moved = moved is not None and link is not None and moved > link.created_at
    if cut and "" not in cut:
        if has_moved:
            return MOVED_AWAY
        return ACCESS_ENDED if ACCESS_ENDED in cut else ACCESS_SUSPENDED
    return TEAM_CHANGED if has_moved else ""


def _lines_of_gatehouse(
    place: ProvisionedUser, place_changes: ProvisionedUserChanges, where: str
) -> Iterable[ChecklistItem]:
    """Yield the lines for what Gatehouse does in a place."""
    by_operation: dict[str, list[Change]] = {}
    for change in place_changes.latest:
        by_operation.setdefault(change.operation, []).append(change)
    user = f"IAM user {place.newcomer.user_name}"
    if place_changes.is_taken_in:
        existing = StepWords(user, user).in_account(where)
        yield ChecklistItem(existing, StepStatus.DONE, "Existed before")
    else:
        made = by_operation.get(CreateUser.spec.slug, [])
        yield _of_changes(StepWords(f"Create {user}", f"{user} created").in_account(where), made)
    if groups := by_operation.get(ADD_TO_GROUP.slug):
        counted = _counted(groups, "group")
        added = StepWords(f"Add to {counted}", f"Added to {counted}")
        yield _of_changes(added.in_account(where), groups)
    if policies := by_operation.get(PutInlinePolicy.spec.slug):
        counted = _counted(policies, "template")
        given_by = StepWords(f"Grant access from {counted}", f"Access from {counted}")
        yield _of_changes(given_by.in_account(where), policies)
    if keys := by_operation.get(CreateAccessKey.spec.slug):
        created = StepWords("Create an access key", "Access key created")
        yield _of_changes(created.in_account(where), keys)
    passwords = list(chain.from_iterable(by_operation.get(slug, []) for slug in PASSWORDS))
    if password := passwords[:1]:
        first = StepWords("Set a first password", "First password set")
        yield _of_changes(first.in_account(where), password)


def _lines_of_person(
    place: ProvisionedUser,
    place_changes: ProvisionedUserChanges,
    facts: _Facts,
    *,
    body: BlueprintBody,
    where: str,
    closed: str,
) -> Iterable[ChecklistItem]:
    """Yield the lines for what the person does in a place, none for existing users. `closed` is why the
    invitation as a whole no longer works.
    """
    if place_changes.is_taken_in:
        return
    user = facts.users.get(place.user_arn)
    over = closed if closed in WITHOUT_ACCESS else facts.over.get(place.user_arn, "")
    waits, note = _waits(place_changes, over=over)
    if body.password:
        chosen = CHOOSE_PASSWORD.in_account(where)
        yield _after(chosen, _chosen_at(place, facts, user), waits=waits, note=note)
    if body.mfa:
        yield _after(TURN_ON_MFA.in_account(where), _mfa_since(facts, user), waits=waits, note=note)
    if body.password or body.key:
        yield _after(FIRST_USE.in_account(where), _used_at(facts, user), waits=waits, note=note)
    if place.account_id in facts.recorded:
        call = facts.calls.get(user.aws_id) if user else None
        if call is None:
            yield ChecklistItem(FIRST_CALL.in_account(where), waits, note)
        else:
            called = f"First call: {call.action}{where}"
            yield ChecklistItem(StepWords(called, called), StepStatus.DONE, at=call.at)


def _invited(
    link: OneTimeLink | None,
    person: OnboardedPerson,
    own: Sequence[ProvisionedUser],
    changes_by_place: Mapping[int, ProvisionedUserChanges],
    *,
    over: str,
) -> Iterable[ChecklistItem]:
    """Yield the lines about the invitation: sent, opened, still valid. It is sent when the users exist."""
    if all(changes_by_place[place.pk].is_taken_in for place in own):
        return
    if over in WITHOUT_ACCESS:
        yield ChecklistItem(OPEN_INVITATION, StepStatus.OVER, _OVER[over])
    elif over:
        yield ChecklistItem(OPEN_INVITATION, StepStatus.CLOSED, "No longer works: they changed team")
    elif person.link_for is not None:
        yield ChecklistItem(OPEN_INVITATION, StepStatus.TODO, "Follows when the new first password is set")
    elif person.wants_link_at is not None:
        yield ChecklistItem(OPEN_INVITATION, StepStatus.INVITE, "Requested another invitation")
    elif link is None:
        if any(changes_by_place[place.pk].is_open or changes_by_place[place.pk].applied for place in own):
            yield ChecklistItem(OPEN_INVITATION, StepStatus.TODO, "Not sent yet")
        else:
            yield ChecklistItem(OPEN_INVITATION, StepStatus.CLOSED)
    elif link.ended_why == LinkEndReason.REVOKED:
        yield ChecklistItem(OPEN_INVITATION, StepStatus.INVITE, "The invitation no longer works")
    elif link.used_at is not None:
        yield ChecklistItem(OPEN_INVITATION, StepStatus.DONE, at=link.used_at)
    elif link.ended_at is not None or link.expires_at <= datetime.now(tz=UTC):
        yield ChecklistItem(OPEN_INVITATION, StepStatus.INVITE, "The invitation expired")
    else:
        yield ChecklistItem(OPEN_INVITATION, StepStatus.PERSON, f"Sent to {person.email}")


def _counted(changes: Sequence[Change], noun: str) -> str:
    return f"{len(changes)} {noun}" if len(changes) == 1 else f"{len(changes)} {noun}s"


def _of_changes(words: StepWords, changes: Sequence[Change]) -> ChecklistItem:
    """Return one line for several changes: failed if one is, done when all are."""
    states = {ChangeState(change.state) for change in changes}
    bad = next(
        (change for change in changes if change.state in (ChangeState.FAILED, ChangeState.UNKNOWN)), None
    )
    if bad is not None:
        return ChecklistItem(words, StepStatus.FAILED, bad.error_message, change=bad.pk)
    first = changes[0].pk if changes else None
    if states == {ChangeState.APPLIED}:
        ends = [change.ended_at for change in changes if change.ended_at]
        return ChecklistItem(words, StepStatus.DONE, at=max(ends, default=None), change=first)
    if states & {ChangeState.AWAITING, ChangeState.DRAFT}:
        return ChecklistItem(words, StepStatus.TODO, "Waiting for approval", change=first)
    if states & set(RUNNING):
        return ChecklistItem(words, StepStatus.DOING, "In progress", change=first)
    return ChecklistItem(words, StepStatus.CLOSED, "Cancelled", change=first)


def _after(words: StepWords, at: datetime | None, *, waits: StepStatus, note: str) -> ChecklistItem:
    """Return a line for what the person does. `waits` and `note` are its status until then."""
    if at is not None:
        return ChecklistItem(words, StepStatus.DONE, at=at)
    return ChecklistItem(words, waits, note)


def _waits(place_changes: ProvisionedUserChanges, *, over: str) -> tuple[StepStatus, str]:
    """Return who the person's steps wait for: Gatehouse while there is no user, or no one if there will be
    none or access is `over`.
    """
    if over:
        return StepStatus.OVER, _OVER[over]
    if any(change.operation == CreateUser.spec.slug for change in place_changes.applied):
        return StepStatus.PERSON, ""
    return (StepStatus.TODO, "") if place_changes.is_open else (StepStatus.CLOSED, "Cancelled")


def _chosen_at(place: ProvisionedUser, facts: _Facts, user: Entity | None) -> datetime | None:
    """Return when the person chose their own password, after the one that Gatehouse set, or None."""
    row = facts.credentials.get(user.pk) if user else None
    seal = facts.seals.get(place.password_seal) if place.password_seal else None
    made = last_made_at(seal, facts.made.get(place.user_arn))
    if row is None or made is None or row.password_changed_at is None:
        return None
    return row.password_changed_at if row.password_changed_at > made + SLACK else None


def _mfa_since(facts: _Facts, user: Entity | None) -> datetime | None:
    row = facts.credentials.get(user.pk) if user else None
    return row.valid_from if row is not None and row.mfa not in WITHOUT_MFA else None


def _used_at(facts: _Facts, user: Entity | None) -> datetime | None:
    at = facts.used.get(user.pk) if user else None
    return at if at is not None and at != NEVER else None
