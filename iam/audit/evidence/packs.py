"""Requests evidence packs and samples, and finds the packs that a viewer sees."""

from __future__ import annotations

from collections.abc import Mapping
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
from iam.changes.errors import FieldChecks
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
    """Raised if a pack is refused; `errors` has the message of each form field, under "" that of the whole
    form, and `message` and `field` are the first of them.
    """

    def __init__(self, errors: Mapping[str, str]) -> None:
        self.field, self.message = next(iter(errors.items()))
        super().__init__(" ".join(errors.values()))
        self.errors = dict(errors)


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


def subject_problems(order: PackOrder, actor: Viewer) -> dict[str, str]:
    """Return what is wrong with the topic of an order, by field."""
    limits, is_framework = actor.limits, order.kind is PackKind.FRAMEWORK
    if limits is not None and is_framework and not limits.sees_framework(order.subject):
        return {"subject": "Your audit doesn’t cover this framework."}
    if limits is not None and not is_framework and not limits.is_period_only:
        return {"kind": "Your audit covers frameworks or packs that were chosen for you, nothing else."}
    if is_framework and order.subject not in all_frameworks():
        return {"subject": f"Choose one of these frameworks: {', '.join(all_frameworks())}."}
    if order.kind is PackKind.REVIEW and find_campaign(order.subject, actor) is None:
        return {"subject": "No access review that you see whole has this reference."}
    return {}


def period_problems(
    since: datetime | None, until: datetime | None, limits: AuditLimits | None
) -> dict[str, str]:
    """Return what is wrong with a period, by field; None is a day that is missing."""
    checks = FieldChecks()
    if since and limits and limits.since and since < limits.since:
        checks.add("since", f"Your audit begins on {limits.since:%Y-%m-%d}.")
    if until and limits and limits.until and until > limits.until:
        last = limits.until - timedelta(seconds=1)
        checks.add("until", f"Your audit ends on {last:%Y-%m-%d}.")
    if since and since > timezone.now():
        checks.add("since", "The period must begin in the past.")
    if since and until and since >= until:
        checks.add("until", "The period must end after it begins.")
    if since and until and until - since > LONGEST:
        checks.add("since", "A period has at most three years.")
    return checks.errors


def seed_problem(seed: str) -> str:
    """Return what is wrong with a seed, or ""; no seed means a random one."""
    if seed and not SEED.match(seed):
        return "Use up to 64 letters, digits, dots, hyphens and underscores."
    return ""


def as_of_for(limits: AuditLimits | None, *, now: datetime) -> datetime:
    """The moment that a pack describes: now, or the end of an auditor's period once it has passed."""
    return (limits.last_moment(now=now) if limits else None) or now


def request_pack(order: PackOrder, *, actor: Viewer, now: datetime) -> EvidencePack:
    """Store the pack and have a worker build it. Raises PackRefusedError."""
    if not may_request(actor):
        raise PackRefusedError({"": "You can’t build evidence packs."})
    check_order(order, actor)
    try:
        key = str(signer().verifier)
    except NoSigningKeyError as error:
        raise PackRefusedError({"": str(error)}) from None
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
        raise PackRefusedError({"": "You can’t draw samples."})
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
    """Raise PackRefusedError with all the reasons why the order can't be fulfilled."""
    checks = FieldChecks(subject_problems(order, actor))
    for name, problem in period_problems(order.since, order.until, actor.limits).items():
        checks.add(name, problem)
    if problem := seed_problem(order.seed):
        checks.add("seed", problem)
    if not 0 <= order.sample_size <= MOST:
        checks.add("sample_size", f"A sample has at most {MOST} changes.")
    known = set(whole_accounts(actor).values_list("account_id", flat=True))
    if not known:
        checks.add("accounts", "No account is connected that you see.")
    elif not known.issuperset(order.accounts):
        checks.add("accounts", "You don’t see all of these accounts.")
    if checks.errors:
        raise PackRefusedError(checks.errors)


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
