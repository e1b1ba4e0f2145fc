"""Requests offboardings: one request for one or many people, with one approval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Final
from uuid import UUID, uuid5

from django.db import transaction

from iam.changes.errors import FieldChecks, FieldError, RefusedError
from iam.changes.models import OF_OFFBOARDING, Change
from iam.changes.services import SetCause
from iam.changes.services.plans import MAX_CHANGES
from iam.guard import Viewer, viewer_for
from iam.journal.services import record
from iam.mirror.models import Entity
from iam.people.offboarding.leaver_lookup import LeaverUsers, people_of, teams_of
from iam.people.offboarding.models import (
    MOVING,
    REQUEST_RUN,
    SUSPENSION,
    Leaver,
    OffboardedUser,
    OffboardingRun,
    OffboardingStage,
)
from iam.people.offboarding.open_roles import running_sessions
from iam.people.offboarding.removal_plan import RemovalPlan, RemovalSite, TrustChoices, notes_for, plan_for
from iam.people.offboarding.requester_scope import with_their_groups
from iam.people.offboarding.rules import accepted_warnings, asker_of, warnings_for
from iam.people.runs.drafts import lock_draft
from iam.people.runs.models import RowStatus, RunState, requester
from iam.people.runs.requests import RunKind, batches, request_operations

KEYS: Final = UUID("b0a3d6de-2f0a-4d06-8e52-0f6a3c3f4d11")
"""The namespace for the id of a run, derived from a person and the key of their form."""
MAX_REASON: Final = 1000
MAX_PEOPLE: Final = 200
MAX_PLANNED_AT_ONCE: Final = 8
"""Maximum number of users that are planned while the page waits. A worker plans more."""
MAX_GRACE_DAYS: Final = 365
FURTHEST: Final = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class OffboardingTerms:
    """The terms of an offboarding: when, how long it can be restored, and the changes to roles that trust the
    person. `leaves_at` None means at once. `unreadable` says what is wrong with fields of the form that have
    no value here.
    """

    reason: str
    leaves_at: datetime | None = None
    grace_days: int = 30
    roles: tuple[int, ...] = ()
    sessions: tuple[int, ...] = ()
    confirmed: bool = False
    unreadable: Mapping[str, str] = field(default_factory=dict)

    def check(self) -> None:
        """Raise FieldError for invalid terms."""
        checks = FieldChecks(self.unreadable)
        if not self.reason.strip():
            checks.add("reason", "Enter a reason.")
        if len(self.reason) > MAX_REASON:
            checks.add(
                "reason", f"The reason has {len(self.reason):,} characters. The limit is {MAX_REASON:,}."
            )
        if not 0 <= self.grace_days <= MAX_GRACE_DAYS:
            checks.add("grace", f"Enter a number of days from 0 to {MAX_GRACE_DAYS}.")
        now = datetime.now(tz=UTC)
        if self.leaves_at is not None and not now - timedelta(minutes=1) < self.leaves_at < now + FURTHEST:
            checks.add("at", "Choose a time in the future, within a year.")
        checks.finish()


def request_leaving(
    actor: Viewer, *, person: LeaverUsers, terms: OffboardingTerms, key: str
) -> OffboardingRun:
    """Request the offboarding of one person (`leaver_lookup.limited_to_viewer`). The same key of an actor
    returns the same run. Raises RefusedError.
    """
    run_id = uuid5(KEYS, f"{actor.person_id}:{key}")
    standing = OffboardingRun.objects.filter(pk=run_id).first()
    if standing is not None and standing.state == RunState.REQUESTED:
        return standing
    if not person.users:
        raise RefusedError("None of their IAM users is in an account or a team that you manage.")
    _check(actor, [person], terms)
    with transaction.atomic():
        run = standing or OffboardingRun(pk=run_id, **requester(actor))
        _write_terms(run, terms)
        run.people.all().delete()
        seat_all(run, [person])
    try:
        return OFFBOARDING.submit(run, by_worker=False)
    except RefusedError:
        run.delete()
        raise


def request_run(
    actor: Viewer, *, run: OffboardingRun, terms: OffboardingTerms, skip: bool = False
) -> OffboardingRun:
    """Request everyone in a draft from a file; a worker soon does it if there are many. Raises
    RefusedError.
    """
    with transaction.atomic():
        locked_run = lock_draft(actor, run)
        checks = FieldChecks()
        people = ready_rows(locked_run)
        checks.collect(lambda: check_rows(locked_run, people, skip=skip))
        checks.collect(
            lambda: _check(actor, people_of([leaver.seats.all()[0].user for leaver in people]), terms)
        )
        checks.finish()
        _write_terms(locked_run, terms)
    is_large = OffboardedUser.objects.filter(leaver__in=people).count() > MAX_PLANNED_AT_ONCE
    return OFFBOARDING.submit(locked_run, by_worker=is_large)


def ready_rows(run: OffboardingRun) -> list[Leaver]:
    """Return the people of a draft whose rows have no problem."""
    return list(run.people.filter(standing=RowStatus.READY).prefetch_related("seats__user__account"))


def check_rows(run: OffboardingRun, ready: Sequence[Leaver], *, skip: bool) -> None:
    """Raise RefusedError if a row has problems, unless such rows are to be skipped, or if no one or too many
    are left.
    """
    total = run.people.count()
    left = total - len(ready)
    if not ready:
        raise RefusedError("The list has no one who can be offboarded.")
    if len(ready) > MAX_PEOPLE:
        raise RefusedError(
            f"The list has {len(ready):,} people. A request can hold {MAX_PEOPLE}. Split the file."
        )
    if left and not skip:
        raise FieldError(
            f"{left:,} of {total:,} rows need fixing. Fix them, or select this box to skip them.",
            field="skip",
        )


def _request_rows(run: OffboardingRun) -> None:
    """Request everyone who is ready and was not requested before, in batches. Raises RefusedError."""
    person = asker_of(run)
    if person is None:
        raise RefusedError("The person who requested this is no longer in Gatehouse.")
    people = list(run.people.filter(standing=RowStatus.READY).prefetch_related("seats__user__account"))
    _ask_all(run, people, actor=viewer_for(person))


def _is_requested(run: OffboardingRun) -> bool:
    return OffboardedUser.objects.filter(leaver__run=run, change_set__isnull=False).exists()


def seat_all(run: OffboardingRun, people: Sequence[LeaverUsers], *, start: int = 0) -> list[Leaver]:
    """Write a leaver with seats for each person, in the caller's transaction."""
    leavers = []
    for position, person in enumerate(people, start=start):
        leaver = Leaver.objects.create(
            run=run,
            position=position,
            name=person.name[:256],
            email=person.email[:256],
            person_id=person.person_id,
            teams=teams_of(person.users),
            unseen=person.unseen,
        )
        write_seats(leaver, person.users)
        leavers.append(leaver)
    return leavers


def write_seats(leaver: Leaver, users: Sequence[Entity]) -> None:
    """Write a seat for each user of a leaver."""
    OffboardedUser.objects.bulk_create(
        OffboardedUser(leaver=leaver, account=user.account, user=user, user_arn=user.arn, user_name=user.name)
        for user in users
    )


def choices_of(run: OffboardingRun) -> TrustChoices:
    """Return the choices about roles that were made for a run."""
    at = run.created_at.replace(microsecond=0)
    return TrustChoices(frozenset(run.roles), frozenset(run.sessions), at)


def title_for(people: Sequence[Leaver]) -> str:
    """Return the title, such as 'Offboard Maya Okafor' or 'Offboard 5 people', or 'Offboard people' for a
    draft without ready rows.
    """
    if len(people) == 1:
        return people[0].title
    return f"Offboard {len(people):,} people" if people else "Offboard people"


def _check(actor: Viewer, people: Sequence[LeaverUsers], terms: OffboardingTerms) -> None:
    checks = FieldChecks()
    checks.collect(terms.check)
    warnings = warnings_for(people, viewer=actor)
    if warnings and not terms.confirmed:
        checks.add("confirmed", f"{' '.join(warnings)} Select the box to confirm.")
    checks.finish()
    users = list(chain.from_iterable(somebody.users for somebody in people))
    if why := leaving_already(users):
        raise RefusedError(why)


def leaving_already(users: Sequence[Entity]) -> str:
    """Return a sentence if another open run already removes access of one of the users, or an
    empty string.
    """
    seats = OffboardedUser.objects.filter(user__in=users, leaver__stage__in=MOVING).select_related(
        "leaver__run"
    )
    seat = seats.first()
    if seat is None:
        return ""
    run = seat.leaver.run
    if run.is_move:
        return f"{seat.leaver.name} is changing team ({run.source}). That has to end first."
    return f"{seat.leaver.name} is already being offboarded ({run.reference})."


def without_access_already(users: Sequence[Entity]) -> str:
    """Return a sentence if one of the users is suspended or offboarded, so that nothing can be requested for
    them before a restore, or else an empty string.
    """
    stages = (*SUSPENSION, OffboardingStage.SUSPENDING, OffboardingStage.GONE, OffboardingStage.RETURNING)
    seats = OffboardedUser.objects.filter(user__in=users, leaver__stage__in=stages).select_related(
        "leaver__run"
    )
    without_access = [
        seat for seat in seats.order_by("-leaver__run__created_at") if not seat.leaver.run.is_move
    ]
    if not without_access or {seat.user_id for seat in without_access} != {user.pk for user in users}:
        return ""
    leaver = without_access[0].leaver
    did = "is suspended" if leaver.run.is_suspension else "was offboarded"
    return f"{leaver.name} {did} ({leaver.run.reference}). Restore access first."


def _write_terms(run: OffboardingRun, terms: OffboardingTerms) -> None:
    run.leaves_at, run.grace_days = terms.leaves_at, terms.grace_days
    run.roles, run.sessions = list(terms.roles), list(terms.sessions)
    run.begin_submission(terms.reason.strip())
    run.save()


def _ask_all(run: OffboardingRun, people: Sequence[Leaver], *, actor: Viewer) -> None:
    _adopt(run, people)
    todo = [leaver for leaver in people if any(seat.change_set_id is None for seat in leaver.seats.all())]
    if not todo:
        return
    users = [seat.user for seat in _seats_of(todo)]
    plan = plan_for(users, viewer=actor, choices=choices_of(run))
    by_user = {site.user.pk: site for site in plan.sites}
    # Warnings are computed for the whole run: the last administrator can be in a different batch than others.
    warnings = accepted_warnings(people, actor=actor)

    def size(leaver: Leaver) -> int:
        return sum(len(by_user[seat.user_id].operations) for seat in leaver.seats.all())

    # A person isn't split, so that all their accounts are in one approval.
    for batch in batches(todo, size=size, most=MAX_CHANGES):
        _ask_batch(run, batch, plan=plan, by_user=by_user, actor=actor, warnings=warnings)


def _adopt(run: OffboardingRun, people: Sequence[Leaver]) -> None:
    """Assign changes that a lost process had requested to their seats."""
    asked = Change.objects.filter(change_set__cause_kind=OF_OFFBOARDING, change_set__cause_id=run.pk)
    places = {
        arn: (group, lane) for arn, group, lane in asked.values_list("subject_arn", "change_set", "lane")
    }
    for seat in _seats_of(people):
        if seat.user_arn in places and seat.change_set_id is None:
            seat.change_set_id, seat.lane = places[seat.user_arn]
            seat.save(update_fields=["change_set", "lane"])
            Leaver.objects.filter(pk=seat.leaver_id, stage=OffboardingStage.DRAFT).update(
                stage=OffboardingStage.WAITING
            )


def _seats_of(people: Sequence[Leaver]) -> list[OffboardedUser]:
    return list(chain.from_iterable(leaver.seats.all() for leaver in people))


def _ask_batch(
    run: OffboardingRun,
    batch: Sequence[Leaver],
    *,
    plan: RemovalPlan,
    by_user: dict[int, RemovalSite],
    actor: Viewer,
    warnings: Sequence[str],
) -> None:
    seats = _seats_of(batch)
    part = RemovalPlan([by_user[seat.user_id] for seat in seats], plan.roles, plan.unseen)
    operations, lanes = part.ordered()
    if not operations:
        raise RefusedError(f"{title_for(batch)}: no access is left to remove.")
    notes = [*warnings, *notes_for(part, people=batch, run=run)]
    notes += running_sessions([seat.user for seat in seats], viewer=actor, ended=run.sessions)
    written = request_operations(
        operations,
        actor=with_their_groups(actor, [seat.user for seat in seats]),
        reason=run.reason,
        idempotency_key=f"leaving-{run.pk.hex}-{batch[0].position}",
        not_before=run.leaves_at,
        title=title_for(batch),
        cause=SetCause(OF_OFFBOARDING, run.pk),
        lanes=lanes,
        notes=notes,
    )
    with transaction.atomic():
        for lane, seat in enumerate(seats):
            seat.change_set, seat.lane = written[0].change_set, lane
            seat.trouble = " ".join(by_user[seat.user_id].left)[:1024]
            seat.save(update_fields=["change_set", "lane", "trouble"])
        Leaver.objects.filter(pk__in=[leaver.pk for leaver in batch]).update(stage=OffboardingStage.WAITING)


def _record_request(run: OffboardingRun) -> None:
    people = list(run.people.filter(standing=RowStatus.READY))
    subject = people[0].name if len(people) == 1 else run.reference
    record(
        kind="leaving.asked",
        actor=asker_of(run),
        subject=subject,
        data={
            "run": run.pk,
            "reference": run.reference,
            "people": len(people),
            "users": list(OffboardedUser.objects.filter(leaver__run=run).values_list("user_arn", flat=True)),
            "leaves_at": run.leaves_at,
            "grace_days": run.grace_days,
            "reason": run.reason,
        },
    )


OFFBOARDING: Final = RunKind(
    model=OffboardingRun,
    task=REQUEST_RUN,
    requested=RunState.REQUESTED,
    request_rows=_request_rows,
    is_requested=_is_requested,
    record_request=_record_request,
)
