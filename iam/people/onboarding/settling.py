"""Keeps runs true to their changes: who joins the directory, which grants stand, how the run stands. Idempotent, and called again by beat."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from iam.access.grants.models import Act, Grant, GrantPart, LedgerEntry, Sort
from iam.access.grants.plans import Way
from iam.access.grants.services import settle as settle_grant
from iam.access.grants.services.asking import note
from iam.access.grants.terms import Terms, What, WhatKind, Who, WhoKind
from iam.access.grants.titles import title_of
from iam.changes.models import OPEN, Change, ChangeState
from iam.changes.operations import AddToGroup, PutInlinePolicy
from iam.changes.operations.user import CreateUser
from iam.directory.joining import join
from iam.journal.services import record
from iam.people.onboarding.inviting import invite_when_made
from iam.people.onboarding.models import AGAIN, OF_RUN, Newcomer, Place, Run, RunState
from iam.people.onboarding.queries import Held, held_by
from iam.people.onboarding.staging import last_moment

GRANTS: Final = UUID("3a7a4a3e-5b1c-4a53-9f49-2a8f6f1f6c11")
"""The name space in which a newcomer and what they get give a grant its id."""
BATCH: Final = 200
"""So many places at most are looked after in one turn of the sweep."""


def change_ended(change: Change) -> None:
    """A handler of ends (`iam.changes.handlers`)."""
    group = change.change_set
    if group.cause_kind not in (OF_RUN, AGAIN):
        return
    first = group.pk if group.cause_kind == OF_RUN else group.cause_id
    place = _places().filter(change_set=first, lane=change.lane).first()
    if place is not None:
        settle_place(place)
        settle_run(place.newcomer.run_id)


def settle_open(*, older_than: timedelta = timedelta(seconds=20)) -> int:
    """Settle what nobody was told of: the process that ended its changes was lost. Returns how many places were looked at."""
    before = datetime.now(tz=UTC) - older_than
    under_way = Run.objects.filter(state__in=[RunState.WAITING, RunState.RUNNING], asked_at__lt=before)
    busy = Change.objects.filter(
        Q(change_set=OuterRef("change_set")) | Q(change_set__cause_id=OuterRef("change_set")),
        lane=OuterRef("lane"),
        state__in=OPEN,
    )
    missed = list(
        _places().filter(~Exists(busy), newcomer__run__in=under_way, settled_at__isnull=True)[:BATCH]
    )
    for place in missed:
        settle_place(place)
    for pk in under_way.values_list("pk", flat=True):
        settle_run(pk)
    return len(missed)


def settle_place(place: Place) -> None:
    """Who has a user by now is known, and it is theirs; when everything has ended, what they hold has its reason in the ledger."""
    held = held_by([place])[0]
    made = next((one for one in held.applied if one.operation == CreateUser.slug), None)
    if made is not None and place.joined_at is None:
        _join(place)
    if held.is_open or place.settled_at is not None:
        return
    with transaction.atomic():
        if not Place.objects.filter(pk=place.pk, settled_at__isnull=True).update(
            settled_at=datetime.now(tz=UTC)
        ):
            return
        if made is not None:
            _grant(place, held)
            invite_when_made(place.newcomer)


def settle_run(run_id: UUID) -> None:
    """The state of a run follows from its places."""
    with transaction.atomic():
        run = Run.objects.select_for_update().filter(pk=run_id).first()
        if run is None or run.state not in (RunState.WAITING, RunState.RUNNING):
            return
        sets = Place.objects.filter(newcomer__run=run).values("change_set")
        changes = Change.objects.filter(
            Q(change_set__in=sets) | Q(change_set__cause_kind=AGAIN, change_set__cause_id__in=sets)
        )
        if changes.filter(state=ChangeState.AWAITING).exists():
            return
        if changes.filter(state__in=OPEN).exists():
            _move(run, RunState.RUNNING)
            return
        _move(run, _end_of(run))


def _places() -> QuerySet[Place]:
    return Place.objects.select_related("newcomer__run__version__blueprint__team", "account")


def _end_of(run: Run) -> RunState:
    places = list(Place.objects.filter(newcomer__run=run))
    held = held_by(places)
    if not any(one.applied for one in held):
        return RunState.CLOSED
    return RunState.PARTLY if any(one.failed for one in held) else RunState.DONE


def _move(run: Run, state: RunState) -> None:
    if run.state == state:
        return
    before, run.state = run.state, state
    run.ended_at = None if run.is_open else datetime.now(tz=UTC)
    run.save(update_fields=["state", "ended_at"])
    data = {"run": run.pk, "from": before, "to": state.value}
    record(kind="onboarding.state", actor=None, subject=run.reference, data=data)


def _join(place: Place) -> None:
    newcomer = place.newcomer
    with transaction.atomic():
        if not Place.objects.filter(pk=place.pk, joined_at__isnull=True).update(
            joined_at=datetime.now(tz=UTC)
        ):
            return
        join(
            newcomer.person_id,
            name=newcomer.name,
            email=newcomer.email,
            user_arn=place.user_arn,
            why=newcomer.run.reference,
        )


def _grant(place: Place, held: Held) -> None:
    """Each membership and each policy of a template that came true is a grant, so that the ledger says why it is there and when it ends."""
    newcomer = place.newcomer
    again = [one.change_set_id for one in held.latest if one.change_set_id != place.change_set_id]
    retry = again[-1] if again else None
    for change in held.applied:
        what = _what(change, newcomer)
        if what is not None:
            _write_grant(place, change, what, retry=retry)


def _what(change: Change, newcomer: Newcomer) -> What | None:
    if change.operation == AddToGroup.slug:
        return What(WhatKind.GROUP, group_arn=str(change.params["group_arn"]))
    if change.operation == PutInlinePolicy.slug:
        # The templates come after the groups, in the order of the blueprint.
        body = newcomer.run.version.body
        place = change.branch - 1 - len(body.groups)
        if 0 <= place < len(body.templates):
            one = body.templates[place]
            return What(
                WhatKind.TEMPLATE, template=one.slug, version=one.version, parameters=dict(one.parameters)
            )
    return None


def _follow(grant_id: UUID, retry: UUID | None) -> None:
    """What had failed beside it was tried again."""
    GrantPart.objects.filter(grant=grant_id).update(retry_set=retry)
    settle_grant(Grant.objects.get(pk=grant_id))


def _write_grant(place: Place, change: Change, what: What, *, retry: UUID | None) -> None:
    newcomer, run = place.newcomer, place.newcomer.run
    grant_id = uuid5(GRANTS, f"{newcomer.pk}:{place.account_id}:{change.branch}")
    if Grant.objects.filter(pk=grant_id).exists():
        _follow(grant_id, retry)
        return
    end = last_moment(newcomer.until)
    terms = Terms(
        who=Who(WhoKind.USERS, arns=(place.user_arn,)),
        what=what,
        accounts=(place.account.account_id,),
        why=f"Onboarded into {run.version.blueprint.team.name} by {run.reference}: {run.reason}"[:1000],
        until=end,
    )
    grant = Grant.objects.create(
        id=grant_id,
        title=title_of(terms),
        terms=terms.body,
        who_kind=terms.who.kind,
        what_kind=what.kind,
        template=what.template,
        template_version=what.version,
        idempotency_key=f"onboarding:{grant_id}",
        requested_by=run.requested_by,
        requested_label=run.requested_label,
        ends_at=end,
        planned_end=end,
        begins_at=change.queued_at,
    )
    _write_entry(grant, place, change, what=what, retry=retry)
    note(grant, act=Act.ASKED, actor=None, reason=terms.why)
    settle_grant(grant)


def _write_entry(grant: Grant, place: Place, change: Change, *, what: What, retry: UUID | None) -> None:
    """Its part in the account, and what it is a reason for."""
    is_group = what.kind is WhatKind.GROUP
    part = GrantPart.objects.create(
        grant=grant,
        account=place.account,
        lane=place.lane,
        way=Way.GROUP if is_group else Way.INLINE,
        plan={"why": "The blueprint says so.", "others": [], "quotas": [], "notes": [], "ends_only": ""},
        change_set_id=place.change_set_id,
        retry_set_id=retry,
    )
    LedgerEntry.objects.create(
        part=part,
        account=place.account,
        holder_arn=place.user_arn,
        sort=Sort.MEMBER if is_group else Sort.INLINE,
        target=what.group_arn if is_group else str(change.params["policy_name"]),
        change_id=change.pk,
    )
