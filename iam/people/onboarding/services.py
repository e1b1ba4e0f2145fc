"""Requests the people of a run once, and retries failed changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any, Final

from django.db import transaction

from iam.changes.errors import FieldChecks, FieldError, RefusedError
from iam.changes.models import OPEN, Change, ChangeState
from iam.changes.operations import Operation, restore
from iam.changes.operations.login_profile import CreateLoginProfile, UpdateLoginProfile
from iam.changes.operations.one_time_credential import CreateAccessKey
from iam.changes.operations.user_credential import credentials_row
from iam.changes.services import SetCause, SetLane
from iam.changes.services.plans import MAX_BY_WORKER
from iam.changes.services.requests import checked_reason
from iam.changes.states import move
from iam.directory.models import Person
from iam.guard import Viewer, viewer_for
from iam.journal.services import record
from iam.mirror.models import Entity
from iam.people.blueprints.queries import may_run
from iam.people.onboarding.creation_plan import CreationSite, PersonAccountPlan, notes_for, part_of, sites_of
from iam.people.onboarding.existing_users import adoptable, adopted_part, held_by_users, users_by_place
from iam.people.onboarding.first_password import check_first_password, lockouts
from iam.people.onboarding.models import OF_ONBOARDING, OnboardedPerson, OnboardingRun, ProvisionedUser
from iam.people.onboarding.queries import ProvisionedUserChanges, held_by
from iam.people.onboarding.requester_scope import of_run
from iam.people.onboarding.retry import Stuck, new_seal, queue_again
from iam.people.runs.drafts import lock_draft
from iam.people.runs.models import RowStatus, RunState
from iam.people.runs.requests import RunKind, batches, request_operations

REQUEST_RUN: Final = "iam.people.onboarding.tasks.request_run"
MAX_PEOPLE: Final = 500
MAX_PLANNED_AT_ONCE: Final = 20
MAX_STEPS_AT_ONCE: Final = 200
"""Maximum numbers of people and steps that are requested while the page waits. A worker requests more."""
_FAILED: Final = (ChangeState.FAILED, ChangeState.CANCELLED, ChangeState.EXPIRED)


@dataclass(frozen=True, slots=True)
class RunPlan:
    """The plan of a run. `batches` are approved together, as many people as the limit of changes allows.
    `notes` are for the approver.
    """

    batches: tuple[tuple[PersonAccountPlan, ...], ...]
    notes: tuple[str, ...]

    @property
    def parts(self) -> list[PersonAccountPlan]:
        """The parts of all batches."""
        return list(chain.from_iterable(self.batches))

    @property
    def people(self) -> int:
        """The number of people."""
        return len({part.newcomer.pk for part in self.parts})

    @property
    def steps(self) -> int:
        """The number of changes."""
        return steps_of(self.parts)


def steps_of(parts: Sequence[PersonAccountPlan]) -> int:
    """Return the number of changes in the parts."""
    return sum(len(part.steps) for part in parts)


def check_size(count: int) -> None:
    """Raise RefusedError if there are more people than a run allows."""
    if count > MAX_PEOPLE:
        raise RefusedError(
            f"These are {count:,} people, and one run takes up to {MAX_PEOPLE}. Split the list and start a "
            "run for each part."
        )


def plan_run(run: OnboardingRun, people: Sequence[OnboardedPerson], *, viewer: Viewer) -> RunPlan:
    """Plan the users of these people in each account of the blueprint. Raises RefusedError."""
    if not people:
        raise RefusedError("No one is ready to be onboarded.")
    check_size(len(people))
    sites = sites_of(run.version.body, viewer=viewer)
    if any(not newcomer.users for newcomer in people):
        check_first_password(sites)
    by_person = [parts for parts in map(list, _parts(sites, people, key=run.id.hex)) if parts]
    if not by_person:
        raise RefusedError("They already have everything that the blueprint gives.")
    # A person isn't split, so that all their accounts are in one approval.
    groups = batches(by_person, size=steps_of, most=MAX_BY_WORKER)
    sets = tuple(tuple(chain.from_iterable(group)) for group in groups)
    return RunPlan(sets, (*notes_for(sites), *(lockout.sentence for lockout in lockouts(sites))))


def _to_try_again(place_changes: ProvisionedUserChanges, *, actor: Viewer) -> list[Change]:
    """Return a place's approved changes that were not applied, or none while some are in progress. If it is
    unknown whether the user was created, changes that wait for the user are included. AWS is checked before a
    call is repeated. Access keys are left to a person, because AWS would create a second one.
    """
    stuck: list[Change] = []
    if place_changes.is_open:
        waiting = [change for change in place_changes.latest if change.state in OPEN]
        trunk = next((change for change in place_changes.latest if change.branch == 0), None)
        if trunk is None or trunk.state != ChangeState.UNKNOWN:
            return []
        if any(change.state != ChangeState.QUEUED for change in waiting):
            return []
        note = f"{trunk.reference}, which comes first, is retried."
        for change in waiting:
            if move(change, to=ChangeState.CANCELLED, actor=actor, kind="withdrawn", note=note):
                stuck.append(change)
    wrong = [
        change for change in place_changes.latest if change.state in _FAILED and change.queued_at is not None
    ]
    unknown = [
        change
        for change in place_changes.latest
        if change.state == ChangeState.UNKNOWN and change.operation != CreateAccessKey.spec.slug
    ]
    return sorted(
        {change.pk: change for change in (*wrong, *unknown, *stuck)}.values(),
        key=lambda change: change.branch,
    )


def _parts(
    sites: Sequence[CreationSite], people: Sequence[OnboardedPerson], *, key: str
) -> Iterator[Iterator[PersonAccountPlan]]:
    """Yield for each person what they get in each account. A person with existing users gets only what these
    lack, in their accounts.
    """
    users = users_by_place(people)
    held_already = held_by_users(users.values())
    for newcomer in people:
        if not newcomer.users:
            yield (part_of(site, newcomer, key=key) for site in sites)
            continue
        theirs = [
            (site, users[newcomer.pk, site.account.pk])
            for site in sites
            if (newcomer.pk, site.account.pk) in users
        ]
        parts = [adopted_part(site, newcomer, user, holdings=held_already, key=key) for site, user in theirs]
        yield (part for part in parts if part.steps)


def newcomers_ready(run: OnboardingRun, *, skip: bool, adopt: bool = False) -> list[OnboardedPerson]:
    """Return the people that a run requests; with `adopt`, also those with existing users. Raises
    FieldError if a row has problems, unless such rows are to be skipped.
    """
    people = list(run.people.all())
    taken_in = {newcomer.pk for newcomer in adoptable(run)} if adopt else set()
    newcomers = [
        newcomer for newcomer in people if newcomer.standing == RowStatus.READY or newcomer.pk in taken_in
    ]
    left = len(people) - len(newcomers)
    if left and not skip:
        raise FieldError(
            f"{left:,} of {len(people):,} rows can’t be used. Fix them, or select this box to skip them.",
            field="skip",
        )
    return newcomers


def request_run(
    actor: Viewer, *, run: OnboardingRun, reason: str, skip: bool = False, adopt: bool = False
) -> OnboardingRun:
    """Request everyone in a draft. No user is created without approval, and none twice. A worker soon
    requests large runs. With `adopt`, existing users get what they lack. Raises RefusedError.
    """
    if not may_run(actor, run.version.blueprint.team):
        raise RefusedError("You can onboard people only into your own teams.")
    with transaction.atomic():
        locked_run = lock_draft(actor, run)
        checks = FieldChecks()
        if not reason.strip():
            checks.add("reason", "Enter a reason.")
        people = checks.collect(lambda: newcomers_ready(locked_run, skip=skip, adopt=adopt))
        checks.finish()
        assert people is not None
        reason = checked_reason(reason)
        plan = plan_run(locked_run, people, viewer=actor)
        locked_run.people.filter(pk__in=[newcomer.pk for newcomer in people]).update(
            standing=RowStatus.READY, problems=[]
        )
        locked_run.begin_submission(reason)
        locked_run.save(update_fields=["state", "reason", "asked_at", "trouble"])
    is_large = plan.people > MAX_PLANNED_AT_ONCE or plan.steps > MAX_STEPS_AT_ONCE
    return ONBOARDING.submit(locked_run, by_worker=is_large)


def _request_rows(run: OnboardingRun) -> None:
    """Request everyone who is ready, in batches. Raises RefusedError."""
    actor = viewer_for(Person.objects.get(pk=run.requested_by))
    plan = plan_run(run, _ready_people(run), viewer=actor)
    for number, batch in enumerate(plan.batches, start=1):
        _request_batch(run, batch, plan=plan, number=number, actor=actor)


def _is_requested(run: OnboardingRun) -> bool:
    return ProvisionedUser.objects.filter(newcomer__run=run).exists()


def _ready_people(run: OnboardingRun) -> list[OnboardedPerson]:
    return list(run.people.filter(standing=RowStatus.READY))


def _record_request(run: OnboardingRun) -> None:
    record(
        kind="onboarding.asked",
        actor=viewer_for(Person.objects.get(pk=run.requested_by)),
        subject=run.reference,
        data={
            "run": run.pk,
            "people": len(_ready_people(run)),
            "team": run.version.blueprint.team.slug,
            "blueprint": run.version.blueprint.name,
            "version": run.version.number,
            "reason": run.reason,
        },
    )


def title_for(run: OnboardingRun, count: int, *, number: int = 1, of: int = 1) -> str:
    """Return the title, such as 'Onboard 5 people to Payments', which is the same on its page, in the inbox,
    in mails and in the journal.

    Rows that need fixing are not counted, so the number can be 0 for a draft.
    """
    who = {0: "people", 1: "1 person"}.get(count, f"{count:,} people")
    part = f", part {number} of {of}" if of > 1 else ""
    return f"Onboard {who} to {run.version.blueprint.team.name}{part}"


def retry_failed(actor: Viewer, *, run: OnboardingRun) -> int:
    """Queue the approved changes that failed again and return how many. Raises RefusedError."""
    if not may_run(actor, run.version.blueprint.team):
        raise RefusedError("You can view this run, but you can’t retry it.")
    with transaction.atomic():
        locked_run = OnboardingRun.objects.select_for_update().get(pk=run.pk)
        places = list(
            ProvisionedUser.objects.filter(newcomer__run=locked_run).select_related("newcomer", "account")
        )
        stuck: list[Stuck] = []
        for place, place_changes in zip(places, held_by(places), strict=True):
            stuck.extend((place, change) for change in _to_try_again(place_changes, actor=actor))
        if not stuck:
            raise RefusedError("No approved change has failed.")
        queue_again(
            locked_run,
            stuck,
            partial(_anew, locked_run),
            actor=actor,
            reason=locked_run.reason,
            title_of=partial(_retry_title, locked_run),
            key="run-again",
        )
        record(
            kind="onboarding.retried", actor=actor, subject=locked_run.reference, data={"run": locked_run.pk}
        )
    return len(stuck)


def _request_batch(
    run: OnboardingRun, batch: Sequence[PersonAccountPlan], *, plan: RunPlan, number: int, actor: Viewer
) -> None:
    steps = []
    for lane, part in enumerate(batch):
        for step in part.steps:
            steps.append((lane, step))
    count = len({part.newcomer.pk for part in batch})
    written = request_operations(
        [step.operation for _, step in steps],
        actor=of_run(run.pk, actor),
        reason=run.reason,
        idempotency_key=f"run-{run.id.hex}-{number}",
        most=MAX_BY_WORKER,
        title=title_for(run, count, number=number, of=len(plan.batches)),
        cause=SetCause(OF_ONBOARDING, run.id),
        lanes=[SetLane(lane, step.branch) for lane, step in steps],
        notes=list(plan.notes),
    )
    places = [
        ProvisionedUser(
            newcomer=part.newcomer,
            account=part.account,
            user_arn=part.user_arn,
            change_set=written[0].change_set,
            lane=lane,
            password_seal=part.password_seal,
            key_seal=part.key_seal,
        )
        for lane, part in enumerate(batch)
    ]
    ProvisionedUser.objects.bulk_create(places, ignore_conflicts=True)


def _retry_title(run: OnboardingRun, places: Sequence[ProvisionedUser]) -> str:
    return f"Retry: {title_for(run, len({place.newcomer_id for place in places}))}"


def _anew(run: OnboardingRun, place: ProvisionedUser, change: Change) -> Operation:
    """Return the same operation for the user that now exists, with a new seal if the secret can't be read any
    more.
    """
    params: dict[str, Any] = dict(change.params)
    user = place.user()
    for name in ("user_id", "holder_id"):
        if user is not None and params.get(name) == "":
            params[name] = user.aws_id
    if "sealed_id" in params:
        sort = "password" if str(place.password_seal) == params["sealed_id"] else "key"
        params["sealed_id"] = str(new_seal(run, place, sort))
    slug = (
        UpdateLoginProfile.spec.slug
        if user is not None and _has_unread_password(user, change)
        else change.operation
    )
    return restore(slug, account=place.account, params=params)


def _has_unread_password(user: Entity, change: Change) -> bool:
    """Return True if a CreateLoginProfile call with unknown outcome, this one or an earlier one, may have set
    a password that was never retrieved.
    """
    if change.operation != CreateLoginProfile.spec.slug:
        return False
    alike = Change.objects.filter(account=change.account_id, operation=change.operation)
    was_in_doubt = alike.filter(
        params__user_arn=change.params["user_arn"], state=ChangeState.UNKNOWN
    ).exists()
    row = credentials_row(user)
    return was_in_doubt and row is not None and bool(row.has_password)


ONBOARDING: Final = RunKind(
    model=OnboardingRun,
    task=REQUEST_RUN,
    requested=RunState.WAITING,
    request_rows=_request_rows,
    is_requested=_is_requested,
    record_request=_record_request,
)
