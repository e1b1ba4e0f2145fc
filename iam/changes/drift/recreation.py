"""Builds reversals for entities that were deleted, by recreating them with all they had, or created."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.db.models import Q, QuerySet

from iam.changes.drift.mirror_history import EDGE, INLINE, OWNED, STATE, TAGS, VERSION, ObservedSteps
from iam.changes.drift.reversal import DriftReversal, moved_on_reversal
from iam.changes.errors import RefusedError
from iam.changes.operations import (
    ATTACH_POLICY,
    Attachment,
    CreatePolicy,
    Operation,
    PutInlinePolicy,
)
from iam.changes.operations.group_membership import ADD_TO_GROUP, Membership, MembershipParams
from iam.changes.operations.instance_profile import CreateInstanceProfile
from iam.changes.operations.principals import CreateGroup, CreateRole, CreateUser, RoleSettings
from iam.changes.services.deletion import deletion_of, lost_for_good
from iam.mirror.models import (
    Cause,
    Edge,
    EdgeKind,
    Entity,
    EntityState,
    InlinePolicy,
    Kind,
    PolicyVersion,
    TagSet,
)

ANOTHER = (
    "AWS gives it another unique id, and the day of today; passwords, keys and MFA devices do not come back."
)
_HOLDERS = (Kind.USER, Kind.GROUP, Kind.ROLE)


def delete_created(happened: ObservedSteps) -> DriftReversal:
    """The operations that delete an entity that was created outside Gatehouse."""
    entity = happened.entity
    what = f"{entity.get_kind_display()} {entity.name}, which was created"
    if entity.gone_at is not None:
        return moved_on_reversal(what)
    if _was_worked_on(happened):
        why = (
            "Approved changes were made to it since then, and deleting it would undo them too. "
            "Delete it on its page."
        )
        return DriftReversal(what, why_not=why, has_moved_on=True)
    try:
        operations = deletion_of(entity)
    except RefusedError as refused:
        return DriftReversal(what, why_not=refused.message)
    lost = " ".join(lost_for_good(operations))
    return DriftReversal(f"{what}, with all that it has now{': ' + lost if lost else ''}", tuple(operations))


def _was_worked_on(happened: ObservedSteps) -> bool:
    """True if a change of Gatehouse has modified it since."""
    entity = happened.entity
    later = Q(cause_kind=Cause.CHANGE, valid_from__gt=happened.when) | Q(
        end_cause_kind=Cause.CHANGE, valid_to__gt=happened.when
    )
    rows: list[QuerySet[Any]] = [
        EntityState.objects.filter(Q(entity=entity) | Q(entity__owner=entity)),
        Edge.objects.filter(Q(source=entity) | Q(target=entity)),
        InlinePolicy.objects.filter(owner=entity),
        PolicyVersion.objects.filter(policy=entity),
        TagSet.objects.filter(entity=entity),
    ]
    return any(queryset.filter(later).exists() for queryset in rows)


def recreate_deleted(happened: ObservedSteps) -> list[DriftReversal]:
    """The operations that recreate a deleted entity and what it had, and what AWS can't restore."""
    entity = happened.entity
    what = f"{entity.get_kind_display()} {entity.name}, which was deleted"
    again = Entity.objects.filter(
        account=entity.account_id, kind=entity.kind, name=entity.name, gone_at__isnull=True
    )
    if again.exists():
        return [DriftReversal(what, why_not=f"Another {entity.name} already exists.", has_moved_on=True)]
    state: EntityState = happened.steps[STATE][0].old
    make = _MAKERS.get(Kind(entity.kind))
    if make is None or state.path.startswith("/aws-"):
        why = "Gatehouse can’t create it again. Create it in AWS, or accept this."
        return [DriftReversal(what, why_not=why)]
    reversals = [DriftReversal(f"{what}: {ANOTHER}", (make(happened, state),))]
    if entity.kind in _HOLDERS:
        reversals += _given_back(happened)
    return [*reversals, *_cannot_return(happened)]


def _given_back(happened: ObservedSteps) -> Iterator[DriftReversal]:
    entity = happened.entity
    holder = {
        "holder_kind": entity.kind, "holder_name": entity.name, "holder_id": "", "holder_arn": entity.arn,
    }  # fmt: skip
    for target in _targets(happened, EdgeKind.MEMBER):
        names = {"user_name": entity.name, "user_id": "", "user_arn": entity.arn}
        group = {"group_name": target.name, "group_id": target.aws_id, "group_arn": target.arn}
        joins = Membership(entity.account, MembershipParams(**names, **group), ADD_TO_GROUP)
        yield _unless_gone(target, f"{entity.name} is in {target.name} again", joins)
    for target in _targets(happened, EdgeKind.ATTACHED):
        of_aws = ":iam::aws:" in target.arn
        policy_id = "" if of_aws else target.aws_id
        gets = Attachment.given_as(
            ATTACH_POLICY, entity.account, **holder, policy_arn=target.arn, policy_id=policy_id
        )
        yield _unless_gone(target, f"{entity.name} has {target.name} again", gets)
    for step in happened.steps.get(INLINE, []):
        if step.old is not None:
            text = step.old.document.text
            put = PutInlinePolicy.given_as(entity.account, **holder, name=step.old.name, text=text)
            yield DriftReversal(f"Inline policy {step.old.name} of {entity.name}", (put,))


def _unless_gone(target: Entity, what: str, operation: Operation) -> DriftReversal:
    if target.gone_at is not None and ":iam::aws:" not in target.arn:
        return DriftReversal(what, why_not=f"{target.name} is gone from AWS.")
    return DriftReversal(what, (operation,))


def _cannot_return(happened: ObservedSteps) -> Iterator[DriftReversal]:
    gone = [step.old for step in happened.steps.get(OWNED, []) if step.old is not None]
    if gone:
        names = ", ".join(row.name.rpartition("/")[2] for row in gone)
        yield DriftReversal(
            f"Credentials of {happened.entity.name} ({names})", why_not="AWS can’t restore them."
        )


def _targets(happened: ObservedSteps, kind: EdgeKind) -> list[Entity]:
    steps = happened.steps.get(EDGE, [])
    return [step.old.target for step in steps if step.old is not None and step.old.kind == kind]


def _tags(happened: ObservedSteps) -> Mapping[str, str]:
    return next((step.old.tags for step in happened.steps.get(TAGS, []) if step.old is not None), {})


def _boundary(happened: ObservedSteps) -> str:
    return next((target.arn for target in _targets(happened, EdgeKind.BOUNDARY)), "")


def _user(happened: ObservedSteps, state: EntityState) -> Operation:
    return CreateUser.of(
        state.account, name=state.name, path=state.path, boundary=_boundary(happened), tags=_tags(happened)
    )


def _group(_: ObservedSteps, state: EntityState) -> Operation:
    return CreateGroup.of(state.account, name=state.name, path=state.path)


def _role(happened: ObservedSteps, state: EntityState) -> Operation:
    trust = state.document.text if state.document else ""
    return CreateRole.of(
        state.account,
        name=state.name,
        trust=trust,
        path=state.path,
        settings=RoleSettings.from_state(state),
        boundary=_boundary(happened),
        tags=_tags(happened),
    )


def _policy(happened: ObservedSteps, state: EntityState) -> Operation:
    versions = [step.old for step in happened.steps.get(VERSION, []) if step.old is not None]
    ordered = sorted(versions, key=lambda version: int(version.version_id[1:]))
    others = {
        str(place): version.document_id for place, version in enumerate(ordered) if not version.is_default
    }
    default: Any = next(version for version in ordered if version.is_default)
    return CreatePolicy.of(
        state.account,
        name=state.name,
        text=default.document.text,
        path=state.path,
        description=str(state.attrs.get("Description") or ""),
        tags=_tags(happened),
        others=others,
    )


def _profile(happened: ObservedSteps, state: EntityState) -> Operation:
    return CreateInstanceProfile.of(state.account, name=state.name, path=state.path, tags=_tags(happened))


_MAKERS: dict[Kind, Callable[[ObservedSteps, EntityState], Operation]] = {
    Kind.USER: _user,
    Kind.GROUP: _group,
    Kind.ROLE: _role,
    Kind.POLICY: _policy,
    Kind.INSTANCE_PROFILE: _profile,
}
