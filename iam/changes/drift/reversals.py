"""Builds the operations that restore an entity to its state before a drift, or the reasons why it can't be
restored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from iam.changes.drift.edge_reversals import edge
from iam.changes.drift.mirror_history import (
    CREDENTIALS,
    EDGE,
    INLINE,
    OWNED,
    STATE,
    TAGS,
    VERSION,
    ObservedSteps,
)
from iam.changes.drift.recreation import delete_created, recreate_deleted
from iam.changes.drift.reversal import DriftReversal, moved_on_reversal
from iam.changes.drift.sign_in_reversals import credentials, owned
from iam.changes.operations import CreatePolicyVersion, PutInlinePolicy
from iam.changes.operations.inline_policy import DeleteInlinePolicy
from iam.changes.operations.principals import (
    ReplaceTrustPolicy,
    RoleSettings,
    UpdateGroup,
    UpdateRole,
    UpdateUser,
)
from iam.changes.operations.sign_in_session import LimitRoleSignIn
from iam.changes.operations.tags import SET_TAGS, SetTags
from iam.mirror.models import Entity, InlinePolicy, Kind, PolicyVersion, TagSet, valid_at
from iam.mirror.pull.transform.credentials import MAX_SIGN_IN
from iam.mirror.queries.history_events import QUIET, FactStep

IN_AWS = "Gatehouse can’t undo this. Change it back in AWS, or accept it."
_TAGGED = frozenset(SET_TAGS) - {Kind.MFA_DEVICE}
_RENAMES = {Kind.USER: UpdateUser, Kind.GROUP: UpdateGroup}
_SETTINGS = {"Description", "MaxSessionDuration"}


def reversals(happened: ObservedSteps) -> list[DriftReversal]:
    """The reversals of everything that happened, in an order that AWS accepts."""
    states = happened.steps.get(STATE, [])
    if any(step.old is None for step in states):
        return [delete_created(happened)]
    if any(step.new is None for step in states):
        return recreate_deleted(happened)
    reversals: list[DriftReversal] = []
    for table, turn in _TURNS:
        steps = happened.steps.get(table, [])
        for step in _default_step(steps) if table == VERSION else steps:
            reversals += turn(step, happened.entity)
    return reversals


def _state(step: FactStep, entity: Entity) -> Iterator[DriftReversal]:
    old, new = step.old, step.new
    is_current = new.valid_to is None
    if old.document_id != new.document_id and old.document_id and new.document_id:
        what = f"The {'trust policy' if entity.kind == Kind.ROLE else 'document'} of {entity.name}"
        if not is_current:
            yield moved_on_reversal(what)
        elif entity.kind == Kind.ROLE:
            yield DriftReversal(what, (ReplaceTrustPolicy.of(entity, document=old.document.text),))
        else:
            yield DriftReversal(what, why_not=IN_AWS)
    yield from _settings(step, entity, is_current=is_current)


def _settings(step: FactStep, entity: Entity, *, is_current: bool) -> Iterator[DriftReversal]:
    old, new = step.old, step.new
    differing = {name for name in old.attrs.keys() & new.attrs.keys() if old.attrs[name] != new.attrs[name]}
    differing -= QUIET
    if differing:
        what = f"Settings of {entity.name}"
        if not is_current:
            yield moved_on_reversal(what)
        elif entity.kind == Kind.ROLE and differing <= _SETTINGS:
            yield DriftReversal(what, (UpdateRole.of(entity, **RoleSettings.from_state(old).params),))
        elif entity.kind == Kind.ROLE and differing <= {*_SETTINGS, MAX_SIGN_IN}:
            yield DriftReversal(what, (LimitRoleSignIn.on(entity, old, seconds=old.attrs[MAX_SIGN_IN]),))
        else:
            yield DriftReversal(what, why_not=IN_AWS)
    if (old.name, old.path) != (new.name, new.path):
        what = (
            f"The name of {old.name}, which is {new.name} now"
            if old.name != new.name
            else f"The path of {new.name}"
        )
        rename = _RENAMES.get(Kind(entity.kind))
        if not is_current:
            yield moved_on_reversal(what)
        elif rename is not None:
            yield DriftReversal(what, (rename.of(entity, new_name=old.name, new_path=old.path),))
        else:
            yield DriftReversal(what, why_not=IN_AWS)


def _inline(step: FactStep, entity: Entity) -> Iterator[DriftReversal]:
    row: InlinePolicy = step.new or step.old
    what = f"Inline policy {row.name} of {entity.name}"
    if step.new is None:
        has_moved_on = InlinePolicy.objects.filter(valid_at(None), owner=entity, name=row.name).exists()
    else:
        has_moved_on = step.new.valid_to is not None
    if has_moved_on:
        yield moved_on_reversal(what)
    elif step.old is None:
        yield DriftReversal(what, (DeleteInlinePolicy.of(entity, policy_name=row.name),))
    elif step.new is None or step.old.document_id != step.new.document_id:
        put = PutInlinePolicy.of(entity, name=row.name, text=step.old.document.text)
        yield DriftReversal(what, (put,))


def _default_step(steps: list[FactStep]) -> list[FactStep]:
    """One step for the policy's text: the new default version beside the old one, or an empty step if the
    default stays.

    Empty list without steps.
    """
    if not steps:
        return []
    old_versions = [step.old for step in steps if step.old is not None and step.old.is_default]
    new_versions = [step.new for step in steps if step.new is not None and step.new.is_default]
    if old_versions and new_versions:
        return [FactStep(old_versions[0], new_versions[0])]
    return [FactStep(None, None)]


def _version(step: FactStep, entity: Entity) -> Iterator[DriftReversal]:
    old: PolicyVersion | None = step.old
    new: PolicyVersion | None = step.new
    what = f"The text of {entity.name}"
    if old is None or new is None:
        yield DriftReversal(
            f"Versions of {entity.name}",
            why_not=(
                "None of the versions that were created or deleted is the default, so no "
                "permissions changed. AWS numbers versions itself."
            ),
        )
    elif old.document_id == new.document_id:
        yield DriftReversal(what, why_not="Another version with the same text is the default.")
    elif not PolicyVersion.objects.filter(
        valid_at(None), policy=entity, is_default=True, document=new.document_id
    ).exists():
        yield moved_on_reversal(what)
    else:
        yield DriftReversal(what, (CreatePolicyVersion.of(entity, text=old.document.text),))


def _tags(step: FactStep, entity: Entity) -> Iterator[DriftReversal]:
    what = f"Tags of {entity.name}"
    now = TagSet.objects.filter(valid_at(None), entity=entity).first()
    wanted = step.new.tags if step.new else {}
    if (now.tags if now else {}) != wanted:
        yield moved_on_reversal(what)
        return
    before = step.old.tags if step.old else {}
    if entity.kind in _TAGGED:
        yield DriftReversal(what, (SetTags.of(entity, tags=before),))
    else:
        yield DriftReversal(what, why_not=IN_AWS)


_Turn = Callable[[FactStep, Entity], Iterator[DriftReversal]]
_TURNS: tuple[tuple[str, _Turn], ...] = (
    (CREDENTIALS, credentials),
    (OWNED, owned),
    (VERSION, _version),
    (INLINE, _inline),
    (EDGE, edge),
    (TAGS, _tags),
    # A rename comes last, because the other operations use the current name.
    (STATE, _state),
)
