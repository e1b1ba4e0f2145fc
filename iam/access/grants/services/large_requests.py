"""Requests grants that take too long to plan within a page request: a worker plans them, all or nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F, Q

from iam import nudge
from iam.access.grants.models import Grant, GrantAct, GrantPreparation, GrantState
from iam.access.grants.services.notifications import tell_refused
from iam.access.grants.services.requests import (
    already_requested,
    ask_for_changes,
    check_plan,
    check_terms,
    examine_plan,
    id_for,
    plan_for,
    record_act,
    request_grant,
    write_grant,
    write_parts,
)
from iam.access.grants.terms import GrantTerms, TermsError
from iam.changes.errors import RefusedError
from iam.directory.models import Person
from iam.guard import Viewer, viewer_for
from iam.journal.services import Actor, record

PREPARE_GRANT: Final = "iam.access.grants.tasks.prepare_grant"
MAX_ACCOUNTS_AT_ONCE: Final = 5
MAX_RECEIVERS_AT_ONCE: Final = 25
"""Requests with more accounts or more named recipients are prepared by a worker."""
LEASE: Final = timedelta(minutes=2)
TRIALS: Final = 5
"""How many workers can be lost with a request before it is given up."""
BATCH: Final = 5


def is_large(terms: GrantTerms) -> bool:
    """True if planning takes longer than a page should make people wait."""
    return len(terms.accounts) > MAX_ACCOUNTS_AT_ONCE or len(terms.who.arns) > MAX_RECEIVERS_AT_ONCE


def submit_grant(terms: GrantTerms, *, actor: Viewer, idempotency_key: str, accepts_end: bool) -> Grant:
    """Request a grant; a large one is only stored here (`GrantState.PREPARING`), and a worker requests it
    soon after.

    `accepts_end`: the requester accepts that a part ends only while Gatehouse runs. Idempotent by person and
    key. Raises TermsError or RefusedError, and then writes nothing.
    """
    if not is_large(terms):
        return request_grant(terms, actor=actor, idempotency_key=idempotency_key, accepts_end=accepts_end)
    standing = already_requested(terms, actor=actor, key=idempotency_key)
    if standing is not None:
        return standing
    check_terms(terms, viewer=actor, grant_id=id_for(actor, idempotency_key))
    end = terms.end_when(begun=datetime.now(tz=UTC))
    try:
        with transaction.atomic():
            grant = write_grant(
                terms, actor=actor, key=idempotency_key, ends_at=end, state=GrantState.PREPARING
            )
            GrantPreparation.objects.create(grant=grant, accepts_end=accepts_end)
            nudge.send_after_commit(PREPARE_GRANT, grant.pk)
            return grant
    except IntegrityError:
        standing = already_requested(terms, actor=actor, key=idempotency_key)
        if standing is None:
            raise
        return standing


def prepare_open(*, older_than: timedelta = timedelta(seconds=15)) -> int:
    """Prepare grants whose worker was lost or never notified. Returns their number. One query if there are
    none.
    """
    now = datetime.now(tz=UTC)
    free = Q(lease_until__isnull=True, grant__created_at__lt=now - older_than) | Q(lease_until__lt=now)
    waiting = GrantPreparation.objects.filter(free, grant__state=GrantState.PREPARING)
    waiting_ids = list(waiting.order_by("grant__created_at").values_list("pk", flat=True)[:BATCH])
    for pk in waiting_ids:
        prepare(pk)
    return len(waiting_ids)


def prepare(grant_id: UUID) -> None:
    """Plan an accepted grant and request it, or store why it can't be requested. Idempotent."""
    preparation = _claimed(grant_id)
    if preparation is None:
        return
    grant = preparation.grant
    if preparation.attempts > TRIALS:
        _refuse(
            grant,
            [f"Preparing this request failed {TRIALS} times. Request fewer accounts."],
        )
        return
    try:
        _ask(grant, accepts_end=preparation.accepts_end)
    except _CannotError as why:
        _refuse(grant, why.problems)
    except (RefusedError, TermsError) as error:
        _refuse(grant, [error.message])


def call_off(grant: Grant, *, actor: Viewer) -> bool:
    """Withdraw a grant that is still being prepared. Returns False if it no longer is."""
    with transaction.atomic():
        if not _move(grant, to=GrantState.WITHDRAWN, actor=actor):
            return False
        record_act(grant, act=GrantAct.WITHDRAWN, actor=actor, reason="")
    return True


class _CannotError(Exception):
    """Raised if the grant can't be requested in some accounts; `problems` has a sentence for each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


def _claimed(grant_id: UUID) -> GrantPreparation | None:
    """Claim the preparation with a lease. None if another process holds it or it is over."""
    now = datetime.now(tz=UTC)
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    claimed = GrantPreparation.objects.filter(free, pk=grant_id, grant__state=GrantState.PREPARING)
    if not claimed.update(lease_until=now + LEASE, attempts=F("attempts") + 1):
        return None
    return GrantPreparation.objects.select_related("grant").get(pk=grant_id)


def _ask(grant: Grant, *, accepts_end: bool) -> None:
    """Plan and request the grant with the requester's current rights. Raises _CannotError, RefusedError or
    TermsError.
    """
    actor = _requester(grant)
    plan = plan_for(grant.agreed, viewer=actor, grant_id=grant.pk, with_receipt=False)
    if plan.refusals:
        raise _CannotError(plan.refusals)
    check_plan(plan, accepts_end=accepts_end)
    weighed = examine_plan(plan, actor=actor)
    with transaction.atomic():
        if not _move(
            grant, to=GrantState.WAITING, actor=None, ends_at=plan.ends_at, planned_end=plan.ends_at
        ):
            # It was withdrawn, or another worker was faster.
            return
        written = ask_for_changes(plan, actor=actor, grant_id=grant.pk, weighed=weighed)
        write_parts(grant, plan, written)


def _requester(grant: Grant) -> Viewer:
    person = Person.objects.filter(pk=grant.requested_by, is_active=True).first()
    if person is None:
        raise RefusedError(f"{grant.requested_label}, who requested this, no longer has a sign-in.")
    return viewer_for(person)


def _refuse(grant: Grant, problems: list[str]) -> None:
    with transaction.atomic():
        if _move(grant, to=GrantState.REFUSED, actor=None, data={"problems": problems[:20]}):
            GrantPreparation.objects.filter(pk=grant.pk).update(problems=problems, lease_until=None)
            tell_refused(grant, problems)


def _move(
    grant: Grant,
    *,
    to: GrantState,
    actor: Actor | None,
    data: dict[str, object] | None = None,
    **fields: object,
) -> bool:
    """Move the grant out of preparation by compare-and-set. Returns False if another process did so first."""
    with transaction.atomic():
        preparing = Grant.objects.filter(pk=grant.pk, state=GrantState.PREPARING)
        if not preparing.update(state=to, **fields):
            return False
        about = {"grant": grant.pk, "reference": grant.reference, "from": GrantState.PREPARING, "to": to}
        record(kind="grant.state", actor=actor, subject=grant.title, data=about | (data or {}))
    grant.refresh_from_db()
    return True
