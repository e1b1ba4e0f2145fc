"""Plans and requests grants. Planning writes nothing; requesting checks every rule again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from typing import Final
from uuid import UUID, uuid4, uuid5

from django.db import IntegrityError, transaction

from iam.access.grants.accepted_warnings import accepted_with, summary_for
from iam.access.grants.models import (
    FINAL_STATES,
    Grant,
    GrantAct,
    GrantPart,
    GrantState,
    GrantVersion,
    LedgerEntry,
)
from iam.access.grants.phrases import duration
from iam.access.grants.planning import plan_parts
from iam.access.grants.plans import GrantPlan, PartPlan, steps_of
from iam.access.grants.terms import GrantTerms, TermsError, WhatKind, WhoKind
from iam.access.grants.titles import title_of
from iam.access.grants.warnings import warnings_for
from iam.changes import services as changes
from iam.changes.errors import RefusedError
from iam.changes.models import OF_GRANT, Change
from iam.changes.operations.spec import OF_AWS
from iam.changes.receipts import set_receipt_of
from iam.changes.services import SetCause, SetLane
from iam.changes.services.plans import MAX_CHANGES
from iam.guard import Right, Viewer
from iam.journal.services import record
from iam.mirror.models import Entity

KEYS: Final = UUID("5f0e3a3c-7c53-4a0e-9a55-6d5f3f0f8f11")
"""The UUID namespace in which person and form key determine the id of a grant."""
NOT_ACCEPTED: Final = (
    "Part of this access ends only while Gatehouse runs. Accept that, or choose permissions that AWS can end."
)


def plan_grant(terms: GrantTerms, *, viewer: Viewer, key: str = "") -> GrantPlan:
    """Plan the grant as if it were requested now. Impossible parts have a `refusal`; the others are planned
    anyway.

    With the `key` of the later request, created resources get the same names as then. Raises TermsError for
    invalid terms, and RefusedError for what this viewer can't request at all.
    """
    grant_id = id_for(viewer, key) if key else uuid4()
    return plan_for(terms, viewer=viewer, grant_id=grant_id)


def check_terms(terms: GrantTerms, *, viewer: Viewer, grant_id: UUID) -> None:
    """Check what needs no plan: that the terms are valid and this viewer can request them. Raises TermsError
    or RefusedError.
    """
    terms.check(now=datetime.now(tz=UTC))
    _check_asker(terms, viewer)
    _check_external_id(terms, grant_id)


def plan_for(terms: GrantTerms, *, viewer: Viewer, grant_id: UUID, with_receipt: bool = True) -> GrantPlan:
    """Plan the grant with this id; see plan_grant."""
    check_terms(terms, viewer=viewer, grant_id=grant_id)
    now = datetime.now(tz=UTC)
    title, end = title_of(terms), terms.end_when(begun=now)
    parts = plan_parts(terms, viewer=viewer, title=title, mark=grant_id.hex[:8], end=end)
    plan = GrantPlan(terms=terms, title=title, parts=parts, ends_at=end, warnings=warnings_for(terms, parts))
    if len(plan.operations) > MAX_CHANGES:
        raise RefusedError(
            f"This needs {len(plan.operations):,} changes in AWS. The limit is {MAX_CHANGES:,} in one "
            "request. Split it into several requests."
        )
    return replace(plan, receipt=set_receipt_of(plan.operations)) if with_receipt else plan


def request_grant(
    terms: GrantTerms, *, actor: Viewer, idempotency_key: str, accepts_end: bool = True
) -> Grant:
    """Request a grant: one request for all accounts, approved as a whole. Idempotent by person and key.

    Raises TermsError or RefusedError, and then writes nothing. See `large_requests.submit_grant` for large
    grants.
    """
    standing = already_requested(terms, actor=actor, key=idempotency_key)
    if standing is not None:
        return standing
    grant_id = id_for(actor, idempotency_key)
    try:
        plan = plan_for(terms, viewer=actor, grant_id=grant_id, with_receipt=False)
        check_plan(plan, accepts_end=accepts_end)
        weighed = examine_plan(plan, actor=actor)
        with transaction.atomic():
            # Create the grant first, because mails about the changes include its end date.
            grant = write_grant(terms, actor=actor, key=idempotency_key, ends_at=plan.ends_at)
            written = ask_for_changes(plan, actor=actor, grant_id=grant_id, weighed=weighed)
            write_parts(grant, plan, written)
            return grant
    except (IntegrityError, RefusedError):
        standing = already_requested(terms, actor=actor, key=idempotency_key)
        if standing is None:
            raise
        return standing


def check_plan(plan: GrantPlan, *, accepts_end: bool) -> None:
    """Check that the plan can be requested. Raises RefusedError or TermsError."""
    if plan.refusals:
        raise RefusedError(" ".join(plan.refusals))
    if plan.ends_only and not accepts_end:
        raise TermsError(NOT_ACCEPTED, part="preview")


def examine_plan(plan: GrantPlan, *, actor: Viewer) -> changes.WeighedRequest:
    """Examine each operation of the plan and their combined effect. Raises RefusedError."""
    return changes.examine(plan.operations, actor=actor, for_grant=True)


def _check_asker(terms: GrantTerms, viewer: Viewer) -> None:
    """Check that the viewer can request this: any IAM user for themselves, otherwise people who can request
    changes in each account.
    """
    own = terms.who.kind is WhoKind.USERS and set(terms.who.arns) <= viewer.scope.user_arns
    if own and terms.what.kind is not WhatKind.ROLE:
        return
    for number in terms.accounts:
        if not viewer.may(Right.REQUEST_CHANGE, account_id=number):
            can = "can only request access for yourself" if viewer.scope.user_arns else "can’t request access"
            raise RefusedError(f"You {can} in account {number}.")


def _check_external_id(terms: GrantTerms, grant_id: UUID) -> None:
    """Check that no other partner uses the external ID, since they could assume each other's roles. Raises
    TermsError.
    """
    who = terms.who
    if who.kind is not WhoKind.PARTNER:
        return
    others = Grant.objects.filter(who_kind=WhoKind.PARTNER, terms__who__external_id=who.external_id)
    others = others.exclude(terms__who__account_id=who.account_id).exclude(pk=grant_id)
    if others.exclude(state__in=FINAL_STATES).exists():
        raise TermsError(
            "Another partner already has this external ID. Each partner needs their own.", part="who"
        )


def id_for(actor: Viewer, key: str) -> UUID:
    """The id of the grant that a person requests with this form key."""
    return uuid5(KEYS, f"{actor.person_id}:{key}")


def already_requested(terms: GrantTerms, *, actor: Viewer, key: str) -> Grant | None:
    """The grant that this person already requested with this key, or None. Raises RefusedError if its terms
    were different.
    """
    changes = Grant.objects.filter(pk=id_for(actor, key)).first()
    if changes is None:
        return None
    first = changes.versions.order_by("number").first()
    if first is not None and first.terms != terms.body:
        raise RefusedError("This form was already submitted with different content. Open it again.")
    return changes


def write_grant(
    terms: GrantTerms,
    *,
    actor: Viewer,
    key: str,
    ends_at: datetime | None,
    state: GrantState = GrantState.WAITING,
) -> Grant:
    """Create the grant without its parts, in the caller's transaction."""
    grant = Grant.objects.create(
        id=id_for(actor, key),
        title=title_of(terms),
        terms=terms.body,
        who_kind=terms.who.kind,
        what_kind=terms.what.kind,
        template=terms.what.template,
        template_version=terms.what.version,
        state=state,
        idempotency_key=f"{actor.person_id}:{key[:64]}",
        requested_by=actor.person_id,
        requested_label=actor.name[:128],
        ends_at=ends_at,
        planned_end=ends_at,
    )
    record_act(grant, act=GrantAct.ASKED, actor=actor, reason=terms.why)
    return grant


def write_parts(grant: Grant, plan: GrantPlan, written: Sequence[Change]) -> None:
    """Create the parts and their ledger entries; `written` are the changes of the plan."""
    by_lane: dict[int, list[Change]] = defaultdict(list)
    for change in written:
        by_lane[change.lane].append(change)
    for lane, part in enumerate(plan.parts):
        row = GrantPart.objects.create(
            grant=grant,
            account=part.account,
            lane=lane,
            way=part.way,
            plan=part.body,
            change_set=written[0].change_set,
        )
        write_entries(row, part, by_lane[lane])


def ask_for_changes(
    plan: GrantPlan, *, actor: Viewer, grant_id: UUID, weighed: changes.WeighedRequest, again: int = 0
) -> list[Change]:
    """Request one change set for the whole grant, with a lane per account. Raises RefusedError.

    `again` numbers the replacements of a reduced request.
    """
    key = f"grant-{grant_id.hex}-{again}" if again else f"grant-{grant_id.hex}"
    return changes.request_changes(
        weighed,
        actor=actor,
        reason=plan.terms.why.strip(),
        idempotency_key=key,
        title=plan.title,
        cause=SetCause(OF_GRANT, grant_id),
        lanes=[SetLane(lane, step.branch) for lane, step in steps_of(plan.parts)],
        notes=[*accepted_with(plan), *_lasts(plan)],
        summary=summary_for(plan),
    )


def _lasts(plan: GrantPlan) -> list[str]:
    """A note on the duration, if the end date is set only at approval."""
    if not plan.terms.lasts:
        return []
    return [f"Access ends {duration(plan.terms.lasts)} after approval. The end date is set at approval."]


def write_entries(row: GrantPart, part: PartPlan, written: list[Change]) -> None:
    """Create the ledger entries of a part, not begun yet; `written` has one change per step."""
    arns: set[str] = set()
    for permission in chain.from_iterable(step.permissions for step in part.steps):
        arns |= {permission.holder_arn, permission.target}
    # The mirror has AWS managed policies only while something uses them, so entries refer to them by ARN.
    known = Entity.objects.filter(arn__in=arns, gone_at__isnull=True).exclude(arn__contains=OF_AWS)
    entities = {(entity.account_id, entity.arn): entity.pk for entity in known}
    entries = []
    for step, change in zip(part.steps, written, strict=True):
        entries += [
            LedgerEntry(
                part=row,
                account=change.account,
                entity_id=entities.get((change.account_id, permission.holder_arn)),
                target_entity_id=entities.get((change.account_id, permission.target)),
                holder_arn=permission.holder_arn,
                sort=permission.sort,
                target=permission.target,
                change=change,
            )
            for permission in step.permissions
        ]
    LedgerEntry.objects.bulk_create(entries)


def record_act(grant: Grant, *, act: GrantAct, actor: Viewer | None, reason: str, number: int = 0) -> None:
    """Add an action to the history of the grant and to the journal, in the caller's transaction.

    `number` is the number of the new version, if known.
    """
    by_id, by_label = (actor.person_id, actor.name[:128]) if actor else (None, "Gatehouse")
    GrantVersion.objects.create(
        grant=grant,
        number=number or grant.versions.count() + 1,
        act=act,
        terms=grant.terms,
        by_id=by_id,
        by_label=by_label,
        reason=reason.strip()[:1024],
    )
    record(
        kind=f"grant.{act}",
        actor=actor,
        subject=grant.title,
        data={
            "grant": grant.pk,
            "reference": grant.reference,
            "terms": grant.terms,
            "reason": reason.strip(),
        },
    )


__all__ = ["TermsError", "plan_grant", "request_grant"]
