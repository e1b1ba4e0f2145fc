"""Requests the update of grants to a template version, and completes it once AWS has it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from iam.access.grants.models import Grant, GrantAct
from iam.access.grants.services.requests import record_act
from iam.access.rollout.models import Rollout, RolloutGrant
from iam.access.rollout.plans import RolloutPlan, living_grants, plan_rollout
from iam.access.templates.models import Template, TemplateVersion
from iam.access.templates.queries import body_of
from iam.changes import services as changes
from iam.changes.errors import RefusedError
from iam.changes.models import OPEN, Change, ChangeSet, ChangeState
from iam.changes.queries import visible_changes
from iam.changes.services import SetCause
from iam.guard import Viewer

OF_ROLLOUT: Final = "rollout"
"""The cause kind of sets that update grants to a template version."""
LOOKED_BACK: Final = timedelta(hours=1)
"""How far back the sweep looks for undone rollouts with a missed handler."""


def plan_version(viewer: Viewer, *, version: TemplateVersion) -> RolloutPlan:
    """Plan the update of all visible active grants of the template to this version. Writes nothing."""
    grants = living_grants(version.template, viewer=viewer, but=version.number)
    return plan_rollout(grants, body=body_of(version))


def request_rollout(actor: Viewer, *, version: TemplateVersion, reason: str, idempotency_key: str) -> Change:
    """Request the update as one set and return its first change. Idempotent by key. Raises RefusedError."""
    standing = _asked_before(actor, idempotency_key)
    if standing is not None:
        return standing
    plan = plan_version(actor, version=version)
    if not plan.operations:
        raise RefusedError("No policy would change, so there is nothing to request.")
    planned = changes.plan_set(plan.operations, viewer=actor)
    with transaction.atomic():
        rollout = Rollout.objects.create(
            version=version, asked_by=actor.person_id, asked_label=actor.name[:128]
        )
        written = changes.request_changes(
            planned,
            actor=actor,
            reason=reason,
            idempotency_key=idempotency_key,
            title=f"Update {_counted(plan)} to version {version.number} of {version.title}",
            cause=SetCause(OF_ROLLOUT, rollout.pk),
        )
        RolloutGrant.objects.bulk_create(
            RolloutGrant(rollout=rollout, grant=followed.grant, positions=list(followed.places))
            for followed in plan.followed
        )
    return written[0]


def waiting_rollouts(viewer: Viewer, *, template: Template) -> list[Change]:
    """Return the first visible change of each open request that gives grants a version of the template."""
    rollouts = Rollout.objects.filter(version__template=template, done_at__isnull=True)
    open_changes = visible_changes(viewer).filter(
        change_set__cause_kind=OF_ROLLOUT, change_set__cause_id__in=rollouts.values("pk"), state__in=OPEN
    )
    first_by_set: dict[UUID, Change] = {}
    for change in open_changes.select_related("change_set").order_by("position"):
        first_by_set.setdefault(change.change_set_id, change)
    return list(first_by_set.values())


def _asked_before(actor: Viewer, idempotency_key: str) -> Change | None:
    """The set that this person already requested with this key."""
    key = f"{actor.person_id}:{idempotency_key[:64]}:0"
    return Change.objects.filter(idempotency_key=key, change_set__cause_kind=OF_ROLLOUT).first()


def _counted(plan: RolloutPlan) -> str:
    return "one grant" if len(plan.followed) == 1 else f"{len(plan.followed)} grants"


def change_ended(change: Change) -> None:
    """Update grants whose changes have all ended, or revert them after an undo (a handler of ends).
    Idempotent.
    """
    if change.reverts_id is not None and change.state == ChangeState.APPLIED:
        _undone(change)
    whole = change.change_set
    if whole.cause_kind == OF_ROLLOUT and whole.cause_id is not None:
        settle(
            Rollout.objects.select_related("version__template").filter(pk=whole.cause_id).first(), whole.pk
        )


def settle_open() -> int:
    """Settle all open rollouts, in case a handler was missed. Returns how many it looked at."""
    rollouts = list(Rollout.objects.filter(done_at__isnull=True).select_related("version__template"))
    sets = dict(
        ChangeSet.objects.filter(
            cause_kind=OF_ROLLOUT, cause_id__in=[rollout.pk for rollout in rollouts]
        ).values_list("cause_id", "pk")
    )
    for rollout in rollouts:
        if rollout.pk in sets:
            settle(rollout, sets[rollout.pk])
    since = datetime.now(tz=UTC) - LOOKED_BACK
    for change in _undoing().filter(ended_at__gt=since).select_related("reverts__change_set"):
        _undone(change)
    return len(rollouts)


def settle(rollout: Rollout | None, change_set: UUID) -> None:
    """Update the grants of a rollout whose changes are all applied."""
    if rollout is None or rollout.done_at is not None:
        return
    states = dict(Change.objects.filter(change_set=change_set).values_list("position", "state"))
    with transaction.atomic():
        locked_rollout = Rollout.objects.select_for_update().get(pk=rollout.pk)
        for grant in locked_rollout.grants.filter(done_at__isnull=True):
            if all(states.get(position) == ChangeState.APPLIED for position in grant.positions):
                _follow(grant, rollout.version)
        if not set(states.values()) & set(OPEN):
            locked_rollout.done_at = datetime.now(tz=UTC)
            locked_rollout.save(update_fields=["done_at"])


def _follow(rollout_grant: RolloutGrant, version: TemplateVersion) -> None:
    """Set the new version in the grant's terms."""
    grant = Grant.objects.select_for_update().get(pk=rollout_grant.grant_id)
    if grant.template == version.template.slug and grant.template_version != version.number:
        what = {**grant.terms["what"], "version": version.number}
        kept = {parameter.name for parameter in body_of(version).parameters}
        what["parameters"] = {
            name: value for name, value in what.get("parameters", {}).items() if name in kept
        }
        grant.terms = {**grant.terms, "what": what}
        grant.template_version = version.number
        grant.save(update_fields=["terms", "template_version"])
        record_act(
            grant, act=GrantAct.FOLLOWED, actor=None, reason=f"Version {version.number} of {version.title}"
        )
    rollout_grant.done_at = datetime.now(tz=UTC)
    rollout_grant.save(update_fields=["done_at"])


def _undoing() -> QuerySet[Change]:
    """The changes that undid one of a rollout."""
    return Change.objects.filter(reverts__change_set__cause_kind=OF_ROLLOUT, state=ChangeState.APPLIED)


def _undone(change: Change) -> None:
    """Revert grants for which everything the rollout wrote was undone."""
    whole = change.reverts.change_set if change.reverts else None
    if whole is None or whole.cause_kind != OF_ROLLOUT or whole.cause_id is None:
        return
    rollout = Rollout.objects.select_related("version__template").filter(pk=whole.cause_id).first()
    if rollout is None:
        return
    gone = set(_undoing().filter(reverts__change_set=whole).values_list("reverts__position", flat=True))
    with transaction.atomic():
        for grant in rollout.grants.filter(done_at__isnull=False):
            if grant.positions and gone.issuperset(grant.positions):
                _go_back(grant.grant_id, rollout.version)


def _go_back(grant_id: UUID, version: TemplateVersion) -> None:
    """Restore the grant's previous terms, unless it has got another version since."""
    grant = Grant.objects.select_for_update().get(pk=grant_id)
    if (grant.template, grant.template_version) != (version.template.slug, version.number):
        return
    acts = list(grant.versions.order_by("number"))
    followed = [act for act in acts if act.act == GrantAct.FOLLOWED]
    before = [act for act in acts if followed and act.number < followed[-1].number]
    if not before:
        return
    what = before[-1].terms["what"]
    grant.terms = {**grant.terms, "what": what}
    grant.template_version = what["version"]
    grant.save(update_fields=["terms", "template_version"])
    record_act(
        grant,
        act=GrantAct.FOLLOWED,
        actor=None,
        reason=f"Version {what['version']} of {version.title} again: version {version.number} was undone",
    )
