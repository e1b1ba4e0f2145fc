"""Updates the status of moves from their changes, and the ledger: lost permissions end, gained ones get a
grant. Idempotent.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

from django.db import transaction

from iam.access.grants.grant_content import GrantContent
from iam.access.grants.models import LIVING, LedgerEntry, PermissionSort
from iam.access.grants.services.offboard_receivers import end_for_leaver
from iam.changes.models import Change, ChangeState
from iam.mirror.models import Entity
from iam.people.blueprint_grants import HoldingReason, given_by, write_grant
from iam.people.blueprints.body import FilledTemplate
from iam.people.moving.models import OF_MOVE, Move
from iam.people.moving.single_blueprint_accounts import OWN
from iam.people.onboarding.models import ProvisionedUser
from iam.people.runs.models import RunState
from iam.people.runs.reconcile import end_state, progress_state, reconcile_missed, set_state

GRANTS: Final = UUID("9be2c7f0-3f0a-4f7e-8a34-0e7f3f6a7b11")
"""The namespace for the id of a grant, derived from a move and a change."""

BATCH: Final = 100


def change_ended(change: Change) -> None:
    """Reconcile the move of a change that ended (a handler for `iam.changes.handlers`)."""
    group = change.change_set
    if group.cause_kind == OF_MOVE and group.cause_id is not None:
        reconcile(group.cause_id)


def reconcile_open(*, older_than: timedelta = timedelta(seconds=20)) -> int:
    """Reconcile moves that missed the end of a change. Returns how many were looked at."""
    before = datetime.now(tz=UTC) - older_than
    moves = Move.objects.filter(settled_at__isnull=True, created_at__lt=before).order_by("created_at")
    return reconcile_missed(moves, reconcile, most=BATCH)


def reconcile(move_id: UUID) -> None:
    """Set the status of a move from its changes. When all have ended, update the ledger."""
    with transaction.atomic():
        move = Move.objects.select_for_update(of=("self",)).filter(pk=move_id).first()
        if move is None or move.settled_at is not None or move.change_set_id is None:
            return
        changes = Change.objects.filter(change_set=move.change_set_id)
        state = progress_state(changes)
        if state == RunState.WAITING:
            return
        applied = list(changes.filter(state=ChangeState.APPLIED).select_related("account"))
        is_any_left = len(applied) < changes.count()
        ended = end_state(is_any_applied=bool(applied), is_any_left=is_any_left)
        facts = {"move": move.pk, "reference": move.reference}
        set_state(move, state or ended, kind="moving.state", subject=move.name, facts=facts)
        if state == RunState.RUNNING:
            return
        move.settled_at = datetime.now(tz=UTC)
        move.save(update_fields=["settled_at"])
    if applied:
        _follow_users(move)
        _end_former(move)
        for change in applied:
            _grant(move, change)


def _follow_users(move: Move) -> None:
    """Update the ARNs of users whose path has changed, so that their onboarding continues."""
    if move.person_id is None:
        return
    for user in Entity.objects.filter(pk__in=move.users, gone_at__isnull=True):
        places = ProvisionedUser.objects.filter(newcomer__person_id=move.person_id, account=user.account_id)
        places.filter(user_arn__endswith=f"/{user.name}").update(user_arn=user.arn)


def _end_former(move: Move) -> None:
    """End the ledger reasons for what the former blueprint gave and the new one doesn't. The permission
    remains if another grant needs it.
    """
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
        if grant.idempotency_key.startswith(OWN) and not _is_kept_by_blueprint(move, entry):
            end_for_leaver(grant, reason=f"{move.name} changed team ({move.reference}).")


def _is_kept_by_blueprint(move: Move, entry: LedgerEntry) -> bool:
    """Return True if the new blueprint gives the same permission in this account."""
    body = move.version.body
    if entry.account.account_id not in body.accounts:
        return False
    if entry.sort == PermissionSort.MEMBER:
        return entry.target.rpartition("/")[2] in body.groups
    what = entry.part.grant.terms.get("what", {})
    filled = FilledTemplate(
        str(what.get("template", "")), int(what.get("version", 0)), what.get("parameters", {})
    )
    return filled in body.templates


def _grant(move: Move, change: Change) -> None:
    """Write a grant for a membership or policy that was applied, as for an onboarded person."""
    gift = move.gives.get(str(change.position))
    if gift is None:
        return
    grant_id = uuid5(GRANTS, f"{move.pk}:{change.pk}")
    user = Entity.objects.get(pk=change.entity_id or 0)
    reason = HoldingReason(
        key="moving",
        why=f"Moved to {move.version.blueprint.team.name} by {move.reference}: {move.reason}",
        requested_by=move.requested_by,
        requested_label=move.requested_label,
        since=change.queued_at,
    )
    what = given_by(change, GrantContent.from_json(gift), holder_arn=user.arn, reason=reason, entity=user)
    write_grant(grant_id, what, reason=reason)
