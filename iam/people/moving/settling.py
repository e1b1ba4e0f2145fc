"""Keeps moves true to their changes: their state, and the ledger, in which what was lost is over and what was gained has its reason. Idempotent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

from django.db import transaction

from iam.access.grants.models import LIVING, Act, Grant, GrantPart, LedgerEntry, Sort
from iam.access.grants.plans import Way
from iam.access.grants.services import settle
from iam.access.grants.services.asking import note
from iam.access.grants.services.parting import end_for_leaver
from iam.access.grants.terms import Terms, What, WhatKind, Who, WhoKind
from iam.access.grants.titles import title_of
from iam.changes.models import OPEN, Change, ChangeState
from iam.journal.services import record
from iam.mirror.models import Entity
from iam.people.blueprints.body import Filled
from iam.people.moving.models import OF_MOVE, Move, MoveState
from iam.people.moving.planning import OWN

GRANTS: Final = UUID("9be2c7f0-3f0a-4f7e-8a34-0e7f3f6a7b11")
"""The name space in which a move and a change give a grant its id."""


def change_ended(change: Change) -> None:
    """A handler of ends (`iam.changes.handlers`)."""
    group = change.change_set
    if group.cause_kind == OF_MOVE and group.cause_id is not None:
        settle_move(group.cause_id)


def settle_open(*, older_than: timedelta = timedelta(seconds=20)) -> int:
    """Settle what nobody was told of. Returns how many were looked at."""
    before = datetime.now(tz=UTC) - older_than
    found = Move.objects.filter(settled_at__isnull=True, created_at__lt=before).order_by("created_at")
    pks = list(found.values_list("pk", flat=True)[:100])
    for pk in pks:
        settle_move(pk)
    return len(pks)


def settle_move(move_id: UUID) -> None:
    """Its state follows from its changes; when all have ended, the ledger is brought up to date."""
    with transaction.atomic():
        move = Move.objects.select_for_update(of=("self",)).filter(pk=move_id).first()
        if move is None or move.settled_at is not None or move.change_set_id is None:
            return
        changes = list(Change.objects.filter(change_set=move.change_set_id).select_related("account"))
        states = {ChangeState(one.state) for one in changes}
        if ChangeState.AWAITING in states:
            return
        if states & set(OPEN):
            _set_state(move, MoveState.RUNNING)
            return
        applied = [one for one in changes if one.state == ChangeState.APPLIED]
        state = MoveState.DONE if len(applied) == len(changes) else MoveState.PARTLY
        _set_state(move, state if applied else MoveState.CLOSED)
        move.settled_at = datetime.now(tz=UTC)
        move.save(update_fields=["settled_at"])
    if applied:
        _end_former(move)
        for change in applied:
            _grant(move, change)


def _set_state(move: Move, state: MoveState) -> None:
    if move.state == state:
        return
    before, move.state = move.state, state
    move.ended_at = None if move.is_open else datetime.now(tz=UTC)
    move.save(update_fields=["state", "ended_at"])
    data = {"move": move.pk, "reference": move.reference, "from": before, "to": state.value}
    record(kind="moving.state", actor=None, subject=move.name, data=data)


def _end_former(move: Move) -> None:
    """What the former blueprint gave and the new one does not is a reason no more; the permission stays where another grant needs it."""
    numbers = set(move.former.body.accounts)
    entries = LedgerEntry.objects.filter(
        entity__in=move.users,
        account__account_id__in=numbers,
        since__isnull=False,
        until__isnull=True,
        part__grant__state__in=LIVING,
    ).select_related("part__grant", "account")
    for entry in entries.order_by("pk"):
        grant = entry.part.grant
        if grant.idempotency_key.startswith(OWN) and not _stays(move, entry):
            end_for_leaver(grant, reason=f"{move.name} moved ({move.reference}).")


def _stays(move: Move, entry: LedgerEntry) -> bool:
    """Whether the new blueprint gives the same in this account."""
    body = move.version.body
    if entry.account.account_id not in body.accounts:
        return False
    if entry.sort == Sort.MEMBER:
        return entry.target.rpartition("/")[2] in body.groups
    what = entry.part.grant.terms.get("what", {})
    given = Filled(str(what.get("template", "")), int(what.get("version", 0)), what.get("parameters", {}))
    return given in body.templates


def _grant(move: Move, change: Change) -> None:
    """Each membership and each policy that came true is a grant, as for somebody who joins."""
    given = move.gives.get(str(change.position))
    grant_id = uuid5(GRANTS, f"{move.pk}:{change.pk}")
    if given is None or Grant.objects.filter(pk=grant_id).exists():
        return
    what = What.of(given)
    user = Entity.objects.get(pk=change.entity_id or 0)
    is_group = what.kind is WhatKind.GROUP
    terms = Terms(
        who=Who(WhoKind.USERS, arns=(user.arn,)),
        what=what,
        accounts=(change.account.account_id,),
        why=f"Moved to {move.version.blueprint.team.name} by {move.reference}: {move.reason}"[:1000],
    )
    grant = Grant.objects.create(
        id=grant_id,
        title=title_of(terms),
        terms=terms.body,
        who_kind=terms.who.kind,
        what_kind=what.kind,
        template=what.template,
        template_version=what.version,
        idempotency_key=f"moving:{grant_id}",
        requested_by=move.requested_by,
        requested_label=move.requested_label,
        begins_at=change.queued_at,
    )
    part = GrantPart.objects.create(
        grant=grant,
        account=change.account,
        lane=change.lane,
        way=Way.GROUP if is_group else Way.INLINE,
        plan={"why": "The blueprint says so.", "others": [], "quotas": [], "notes": [], "ends_only": ""},
        change_set_id=change.change_set_id,
    )
    LedgerEntry.objects.create(
        part=part,
        account=change.account,
        entity=user,
        holder_arn=user.arn,
        sort=Sort.MEMBER if is_group else Sort.INLINE,
        target=what.group_arn if is_group else str(change.params["policy_name"]),
        change=change,
    )
    note(grant, act=Act.ASKED, actor=None, reason=terms.why)
    settle(grant)
