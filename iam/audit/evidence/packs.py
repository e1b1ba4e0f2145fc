"""Requests evidence packs and samples, and finds the packs that a viewer sees."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from iam.audit.evidence.change_sample import MOST, SEED, USUAL_SIZE, ChangeSample, new_seed
from iam.audit.evidence.contents import (
    sample_of,
    scope_of,
    title_of,
    whole_accounts,
)
from iam.audit.evidence.models import EvidencePack, PackKind, PackState
from iam.audit.evidence.review_facts import find_campaign
from iam.audit.frameworks.definitions import all_frameworks
from iam.changes.models import Change
from iam.guard import AuditLimits, Right, Viewer
from iam.journal.services import record
from iam.journal.signing_keys import NoSigningKeyError, signer
from iam.nudge import send_after_commit

logger = structlog.get_logger(__name__)
BUILD_TASK: Final = "iam.audit.evidence.tasks.build_pack"
LONGEST: Final = timedelta(days=366 * 3)
LEASE: Final = timedelta(minutes=5)
"""Workers renew the lease as they progress."""


class PackRefusedError(Exception):
    """Raised if a pack is refused; `field` is the form field, or "" for the whole form."""

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.message, self.field = message, field


@dataclass(frozen=True, slots=True)
class PackOrder:
    """The content of a request. No accounts means all that the person sees; no seed means a random one."""

    kind: PackKind
    since: datetime
    until: datetime
    subject: str = ""
    accounts: tuple[str, ...] = ()
    seed: str = ""
    sample_size: int = USUAL_SIZE


def may_request(viewer: Viewer) -> bool:
    """True if the viewer can build packs: people who see whole accounts and can export. Auditors who were
    given only packs can't.
    """
    is_covered = viewer.limits is None or viewer.limits.sees_frameworks
    return is_covered and may_see(viewer)


def may_sample(viewer: Viewer) -> bool:
    """True if the viewer can sample all changes; auditors limited to frameworks or packs can't."""
    return may_see(viewer) and (viewer.limits is None or viewer.limits.is_period_only)


def may_see(viewer: Viewer) -> bool:
    """True if the viewer can see packs at all."""
    return viewer.may(Right.SEE_ACCOUNT) and viewer.may(Right.EXPORT)


def visible_packs(viewer: Viewer) -> QuerySet[EvidencePack]:
    """The viewer's own packs; all packs for people who see all accounts and the whole journal.

    An auditor with limits sees the packs they were given, and their own within the limits.
    """
    packs = EvidencePack.objects.order_by("-requested_at", "-id")
    if viewer.limits is not None:
        return packs.filter(Q(pk__in=viewer.limits.packs) | _within(viewer.limits, viewer.person_id))
    sees_all = viewer.scope.sees_everything and viewer.may(Right.SEE_JOURNAL, account_id="")
    return packs if sees_all else packs.filter(requested_by=viewer.person_id)


def _within(limits: AuditLimits, person_id: UUID) -> Q:
    own = Q(requested_by=person_id, requested_at__gte=limits.set_at)
    if limits.frameworks:
        own &= Q(kind=PackKind.FRAMEWORK, subject__in=limits.frameworks)
    elif not limits.sees_frameworks:
        return Q(pk__in=())
    if limits.since:
        own &= Q(since__gte=limits.since)
    if limits.until:
        own &= Q(until__lte=limits.until)
    return own


def why_not_covered(order: PackOrder, limits: AuditLimits) -> tuple[str, str]:
    """The field of an order that exceeds an auditor's limits, and the reason; two empty strings if
    none does.
    """
    is_framework = order.kind is PackKind.FRAMEWORK
    if is_framework and not limits.sees_framework(order.subject):
        return "subject", "Your audit doesn’t cover this framework."
    if not is_framework and not limits.is_period_only:
        return "kind", "Your audit covers frameworks or packs that were chosen for you, nothing else."
    if limits.since and order.since < limits.since:
        return "since", f"Your audit begins on {limits.since:%Y-%m-%d}."
    if limits.until and order.until > limits.until:
        last = limits.until - timedelta(seconds=1)
        return "until", f"Your audit ends on {last:%Y-%m-%d}."
    return "", ""


def as_of_for(limits: AuditLimits | None, *, now: datetime) -> datetime:
    """The moment that a pack describes: now, or the end of an auditor's period once it has passed."""
    return (limits.last_moment(now=now) if limits else None) or now


def request_pack(order: PackOrder, *, actor: Viewer, now: datetime) -> EvidencePack:
    """Store the pack and have a worker build it. Raises PackRefusedError."""
    if not may_request(actor):
        raise PackRefusedError("You can’t build evidence packs.")
    check_order(order, actor)
    try:
        key = str(signer().verifier)
    except NoSigningKeyError as error:
        raise PackRefusedError(str(error)) from None
    pack = new_pack(order, actor=actor, now=now)
    pack.key = key
    with transaction.atomic():
        pack.save(force_insert=True)
        note_pack(pack, "request", actor)
        send_after_commit(BUILD_TASK, pack.pk)
    return pack


@dataclass(frozen=True, slots=True)
class DrawnSample:
    """A sample without a pack, with the changes it was drawn from."""

    sample: ChangeSample
    changes: QuerySet[Change]


def draw_sample(order: PackOrder, *, actor: Viewer, now: datetime) -> DrawnSample:
    """Draw the sample of this order and record it in the journal, so that no one can try several seeds
    unseen. Raises PackRefusedError.
    """
    if not may_sample(actor):
        raise PackRefusedError("You can’t draw samples.")
    check_order(order, actor)
    pack = new_pack(order, actor=actor, now=now)
    scope = scope_of(pack, actor)
    sample = sample_of(pack, scope)
    data = {
        "accounts": pack.accounts,
        "since": pack.since,
        "until": pack.until,
        "drawn_with": sample.seed,
        "sample": len(sample.ids),
        "population": sample.population,
    }
    record(kind="evidence.sample", actor=actor, data=data)
    return DrawnSample(sample, scope.changes)


def new_pack(order: PackOrder, *, actor: Viewer, now: datetime) -> EvidencePack:
    """The unsaved pack of an order."""
    return EvidencePack(
        kind=order.kind,
        subject=order.subject,
        title=title_of(order.kind, order.subject, since=order.since, until=order.until),
        accounts=sorted(order.accounts),
        since=order.since,
        until=min(order.until, now),
        seed=order.seed or new_seed(),
        sample_size=order.sample_size,
        requested_by=actor.person_id,
        requested_name=actor.name,
        requested_at=now,
    )


def check_order(order: PackOrder, actor: Viewer) -> None:
    """Raise PackRefusedError if the order can't be fulfilled."""
    if actor.limits is not None:
        field, why = why_not_covered(order, actor.limits)
        if why:
            raise PackRefusedError(why, field=field)
    if order.kind is PackKind.FRAMEWORK and order.subject not in all_frameworks():
        names = ", ".join(all_frameworks())
        raise PackRefusedError(f"Choose one of these frameworks: {names}.", field="subject")
    if order.kind is PackKind.REVIEW and find_campaign(order.subject, actor) is None:
        raise PackRefusedError("No access review that you see whole has this reference.", field="subject")
    if order.since >= order.until:
        raise PackRefusedError("The period must end after it begins.", field="until")
    if order.until - order.since > LONGEST:
        raise PackRefusedError("A period has at most three years.", field="since")
    if order.seed and not SEED.match(order.seed):
        raise PackRefusedError("Use up to 64 letters, digits, dots, hyphens and underscores.", field="seed")
    if not 0 <= order.sample_size <= MOST:
        raise PackRefusedError(f"A sample has at most {MOST} changes.", field="sample_size")
    known = set(whole_accounts(actor).values_list("account_id", flat=True))
    if not known:
        raise PackRefusedError("No account is connected that you see.", field="accounts")
    if not known.issuperset(order.accounts):
        raise PackRefusedError("You don’t see all of these accounts.", field="accounts")


def waiting_packs() -> list[UUID]:
    """Packs that no worker has claimed."""
    rows = EvidencePack.objects.filter(unclaimed(timezone.now())).exclude(state__in=FINAL)
    return list(rows.order_by("requested_at").values_list("pk", flat=True))


FINAL: Final = (PackState.DONE, PackState.FAILED)


def unclaimed(now: datetime) -> Q:
    """A filter for packs that no worker has claimed at a moment."""
    return Q(lease_until__isnull=True) | Q(lease_until__lt=now)


def note_pack(pack: EvidencePack, act: str, actor: Viewer | None) -> None:
    """Record an action on a pack in the journal."""
    data = {
        "pack": pack.reference,
        "accounts": pack.accounts,
        "since": pack.since,
        "until": pack.until,
        # Not “seed”, because the journal refuses values under names that look like secrets.
        "drawn_with": pack.seed,
        "sample": pack.sample_size,
    }
    if pack.sha256:
        data["sha256"] = pack.sha256
    record(kind=f"evidence.{act}", actor=actor, subject=pack.title, data=data)
