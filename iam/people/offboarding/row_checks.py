"""Checks a list of people to offboard: the person that each row means, its problems, and the draft, which
only its author can see. Nothing in AWS changes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import chain
from typing import Final, NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from iam.changes.errors import RefusedError
from iam.guard import Viewer
from iam.linking.pasted_people import match_names
from iam.mirror.models import Entity, Kind
from iam.mirror.queries.visibility import visible_entities
from iam.people.offboarding.leaver_lookup import LeaverUsers, limited_to_viewer, people_of, reach_of, teams_of
from iam.people.offboarding.models import (
    MOVE,
    MOVING,
    Leaver,
    OffboardedUser,
    OffboardingRun,
    OffboardingStage,
)
from iam.people.offboarding.pasted_rows import LeaverRow, typed
from iam.people.offboarding.person_search import find_people, named_exactly
from iam.people.offboarding.rules import may_begin
from iam.people.offboarding.services import write_seats
from iam.people.runs.drafts import lock_draft
from iam.people.runs.models import RowStatus, requester
from iam.phrases import joined

PREVIEW_USERS: Final = 3
MAX_CANDIDATES: Final = 8
MAX_BY_NAME: Final = 50
"""Maximum number of rows to look up by name, because each takes a few queries."""


class LeaverCandidate(NamedTuple):
    """A user who matches a row, and why."""

    user: Entity
    basis: str


class LeavingUsers(NamedTuple):
    """Users whose offboarding is in progress or done, with its run."""

    leaving: dict[int, str]
    left: dict[int, str]


@transaction.atomic
def stage(
    actor: Viewer, *, rows: Sequence[LeaverRow], source: str, run: OffboardingRun | None = None
) -> OffboardingRun:
    """Create or update a draft with these rows, each checked. Raises RefusedError."""
    if not may_begin(actor):
        raise RefusedError("You can view this, but you can’t request changes.")
    if run is None:
        run = OffboardingRun.objects.create(source=source[:128] or "a list", **requester(actor))
    else:
        run = lock_draft(actor, run)
        run.people.all().delete()
    _check(run, rows, viewer=actor)
    return run


def correct(actor: Viewer, *, run: OffboardingRun, values: Mapping[UUID, str]) -> OffboardingRun:
    """Check the rows again, with new text for some (by row id). Raises RefusedError."""
    rows = [typed(leaver.line, values.get(leaver.pk, leaver.typed)) for leaver in run.people.all()]
    return stage(actor, rows=rows, source=run.source, run=run)


def candidates(actor: Viewer, rows: Sequence[Leaver]) -> dict[UUID, list[LeaverCandidate]]:
    """Return the users that rows with problems might mean and why, by row id, with a few queries and one
    search per unknown name.
    """
    bad = [row for row in rows if row.standing == RowStatus.BAD and row.typed]
    lines = {
        line.text: line for line in match_names([row.typed for row in bad], among=_requestable_users(actor))
    }
    candidates_by_text: dict[UUID, list[LeaverCandidate]] = {}
    for row in bad:
        line = lines[row.typed]
        options = [LeaverCandidate(match.entity, match.basis) for match in line.matches]
        if not options:
            near = find_people(actor, row.typed, most=MAX_CANDIDATES).people
            options = [LeaverCandidate(match.user, match.person.name) for match in near]
        candidates_by_text[row.pk] = options[:MAX_CANDIDATES]
    return candidates_by_text


def check_again(actor: Viewer, *, run: OffboardingRun) -> OffboardingRun:
    """Check the same rows against the current state. Raises RefusedError."""
    rows = [LeaverRow(line=leaver.line, text=leaver.typed) for leaver in run.people.all()]
    return stage(actor, rows=rows, source=run.source, run=run)


def _check(run: OffboardingRun, rows: Sequence[LeaverRow], *, viewer: Viewer) -> None:
    people_meant = _users_meant({row.text for row in rows if row.text and not row.errors}, viewer=viewer)
    suggestions = _by_name(people_meant, viewer=viewer)
    firsts = {text: users[0] for text, users in people_meant.items() if users}
    order = list(firsts)
    people = limited_to_viewer(people_of([firsts[text] for text in order]), viewer=viewer)
    whose = dict(zip(order, people, strict=True))
    users = list(chain.from_iterable(somebody.users for somebody in whose.values()))
    busy = LeavingUsers(_in_runs(users, MOVING), _in_runs(users, (OffboardingStage.GONE,)))
    seen: dict[frozenset[int], int] = {}
    for position, row in enumerate(rows):
        leaver = Leaver(run=run, position=position, line=row.line, typed=row.text[:256])
        person = whose.get(row.text)
        problems = [
            *row.errors,
            *_problems(row, person, people_meant.get(row.text, []), busy, seen, suggestions),
        ]
        if person is not None:
            leaver.name, leaver.email = person.name[:256], person.email[:256]
            leaver.person_id, leaver.teams = person.person_id, teams_of(person.users)
            leaver.unseen = person.unseen
        leaver.problems = problems
        leaver.standing = RowStatus.BAD if problems else RowStatus.READY
        leaver.save()
        if person is not None and not problems:
            write_seats(leaver, person.users)


def _problems(
    row: LeaverRow,
    person: LeaverUsers | None,
    users: Sequence[Entity],
    busy: LeavingUsers,
    seen: dict[frozenset[int], int],
    suggestions: dict[str, str],
) -> list[str]:
    if row.errors:
        return []
    if person is None:
        return [
            suggestions.get(row.text)
            or "No one in your accounts or teams matches. Try a name, email or user name."
        ]
    own = {user.pk for user in person.users}
    strangers = [user for user in users if user.pk not in own]
    if strangers:
        named = [f"{user.name} in {user.account.name}" for user in users[:PREVIEW_USERS]]
        if len(users) > PREVIEW_USERS:
            named.append(f"{len(users) - PREVIEW_USERS:,} more")
        return [f"Several people match: {joined(named)}. Choose one."]
    first = seen.setdefault(frozenset(own), row.line)
    if first != row.line:
        return [f"The same person is in line {first} too."]
    run_title = next((busy.leaving[pk] for pk in own if pk in busy.leaving), "")
    if run_title:
        doing = "changing team" if MOVE.fullmatch(run_title) else "already being offboarded"
        return [f"{person.name} is {doing} ({run_title})."]
    if own <= set(busy.left):
        run = busy.left[min(own)]
        done = "changed team" if MOVE.fullmatch(run) else "was already offboarded"
        return [f"{person.name} {done} ({run}). No access is left to remove."]
    return []


def _requestable_users(viewer: Viewer) -> QuerySet[Entity]:
    """Return the users that the viewer can request changes for."""
    return visible_entities(reach_of(viewer)).filter(kind=Kind.USER, gone_at__isnull=True)


def _users_meant(texts: Collection[str], *, viewer: Viewer) -> dict[str, list[Entity]]:
    """Return the users that each text means, with the matcher of pasted lists."""
    lines = match_names(sorted(texts), among=_requestable_users(viewer))
    return {line.text: [match.entity for match in line.matches] for line in lines}


def _by_name(users_by_text: dict[str, list[Entity]], *, viewer: Viewer) -> dict[str, str]:
    """Add to `users_by_text` the users of texts that are the full name of exactly one person. Returns
    suggestions for the others.
    """
    suggestions: dict[str, str] = {}
    unknown = [text for text, users in users_by_text.items() if not users and "@" not in text]
    for text in unknown[:MAX_BY_NAME]:
        matches = find_people(viewer, text, most=PREVIEW_USERS + 1)
        exact = named_exactly(matches, text)
        if len(exact) == 1:
            users_by_text[text] = [exact[0].user]
            continue
        names = [
            f"{match.person.name} ({match.user.name} in {match.user.account.name})"
            for match in matches.people
        ]
        if len(names) > PREVIEW_USERS:
            names[PREVIEW_USERS:] = ["others"]
        if names:
            suggestions[text] = f"Several people could be meant: {joined(names)}. Choose one."
        if len(names) == 1:
            suggestions[text] = f"Did you mean {names[0]}?"
    return suggestions


def _in_runs(users: Sequence[Entity], stages: Sequence[OffboardingStage]) -> dict[int, str]:
    """Return which of the users are in one of these stages, with the run or team change."""
    seats = OffboardedUser.objects.filter(user__in=users, leaver__stage__in=stages).select_related(
        "leaver__run"
    )
    names: dict[int, str] = {}
    for seat in seats:
        run = seat.leaver.run
        names[seat.user_id] = run.source if run.is_move else run.reference
    return names
