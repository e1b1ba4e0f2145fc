"""What brings a thing back to how it was before a drift: each difference with the operation that turns it back, or why none does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from iam.changes.drift.reading import (
    CREDENTIALS,
    EDGE,
    INLINE,
    OWNED,
    STATE,
    TAGS,
    VERSION,
    Happened,
)  # fmt: skip
from iam.changes.operations import (
    AddToGroup,
    AttachPolicy,
    CreatePolicyVersion,
    DetachPolicy,
    Operation,
    PutInlinePolicy,
    RemoveFromGroup,
)
from iam.changes.operations.inline_policy import DeleteInlinePolicy
from iam.mirror.models import Edge, EdgeKind, Entity, EntityState, InlinePolicy, Kind, PolicyVersion, valid_at
from iam.mirror.queries.happenings import Step

MOVED_ON = (
    "It was changed again since, and undoing this would undo that, too. Look at the newer difference first."
)


@dataclass(frozen=True, slots=True)
class Reversal:
    """One difference: what there is to turn back, and by which operations; without one, why it stays."""

    what: str
    operations: tuple[Operation, ...] = ()
    why_not: str = ""
    has_moved_on: bool = False


def reversals(happened: Happened) -> list[Reversal]:
    """What turns back everything that happened, in the order in which AWS takes it."""
    state = happened.steps.get(STATE, [])
    if any(step.old is None for step in state):
        return [_created(happened.entity)]
    if any(step.new is None for step in state):
        return [_deleted(happened.entity)]
    found: list[Reversal] = []
    for table, turn in _TURNS:
        steps = happened.steps.get(table, [])
        for step in _default_step(steps) if table == VERSION else steps:
            found += turn(step, happened.entity)
    return found


def _created(entity: Entity) -> Reversal:
    what = f"{entity.get_kind_display()} {entity.name} was created"
    return Reversal(what, why_not="Deleting it from here is not possible yet. Delete it in AWS, or adopt it.")


def _deleted(entity: Entity) -> Reversal:
    noun = entity.get_kind_display()
    return Reversal(
        f"{noun} {entity.name} was deleted",
        why_not=f"What AWS has deleted does not come back: one that is made anew is another {noun}, with another unique id. "
        "Make it anew if it is needed, then adopt this.",
    )


def _is_current(step: Step) -> bool:
    """Whether what became so still is."""
    return step.new is None or step.new.valid_to is None


def _moved(what: str) -> Reversal:
    return Reversal(what, why_not=MOVED_ON, has_moved_on=True)


def _state(step: Step, entity: Entity) -> Iterator[Reversal]:
    old, new = step.old, step.new
    if old.document_id != new.document_id and old.document_id and new.document_id:
        what = f"The {'trust policy' if entity.kind == Kind.ROLE else 'document'} of {entity.name}"
        yield Reversal(what, why_not=f"Gatehouse cannot write this of {_a(entity)} yet. Change it in AWS.")
    settings = [name for name in ("name", "path") if getattr(old, name) != getattr(new, name)]
    settings += [name for name in old.attrs.keys() & new.attrs.keys() if old.attrs[name] != new.attrs[name]]
    if settings:
        what = f"Settings of {entity.name}"
        yield Reversal(what, why_not=f"Gatehouse cannot write these of {_a(entity)} yet. Change them in AWS.")


def _a(entity: Entity) -> str:
    noun = entity.get_kind_display()
    return f"{'an' if noun[0] in 'AEIO' else 'a'} {noun[0].lower() if noun.split()[0] != 'IAM' else 'I'}{noun[1:]}"


def _owned(step: Step, entity: Entity) -> Iterator[Reversal]:
    row: EntityState = step.new or step.old
    what = f"{row.get_kind_display()} {row.name.rpartition('/')[2]} of {entity.name}"
    yield Reversal(what, why_not="Gatehouse cannot turn this back yet. Do it in AWS.")


def _edge(step: Step, entity: Entity) -> Iterator[Reversal]:
    for side, gives in ((step.new, False), (step.old, True)):
        if side is not None:
            yield _one_edge(side, entity, step=step, gives=gives)


def _one_edge(row: Edge, entity: Entity, *, step: Step, gives: bool) -> Reversal:
    """`gives`: the edge was there before, and comes back."""
    other = row.target
    what = f"{entity.name} {_TIED[EdgeKind(row.kind)][1 if gives else 0]} {other.name}"
    if not _is_current(step):
        return _moved(what)
    made = _EDGE_OPERATIONS.get((row.kind, gives))
    if made is None:
        return Reversal(what, why_not="Gatehouse cannot turn this back yet. Do it in AWS.")
    if gives and other.gone_at is not None and ":iam::aws:" not in other.arn:
        return Reversal(what, why_not=f"{other.name} is gone from AWS.")
    return Reversal(what, (made(entity, other),))


_TIED = {
    EdgeKind.MEMBER: ("joined", "left"),
    EdgeKind.ATTACHED: ("got", "lost"),
    EdgeKind.BOUNDARY: ("is bounded by", "is no longer bounded by"),
    EdgeKind.PROFILE_ROLE: ("holds", "no longer holds"),
    EdgeKind.INSTANCE_PROFILE: ("uses", "no longer uses"),
}
_EDGE_OPERATIONS: dict[tuple[str, bool], Callable[[Entity, Entity], Operation]] = {
    (EdgeKind.MEMBER, True): lambda user, group: AddToGroup.of(user, group=group),
    (EdgeKind.MEMBER, False): lambda user, group: RemoveFromGroup.of(user, group=group),
    (EdgeKind.ATTACHED, True): lambda holder, policy: AttachPolicy.of(holder, policy=policy),
    (EdgeKind.ATTACHED, False): lambda holder, policy: DetachPolicy.of(holder, policy=policy),
}


def _inline(step: Step, entity: Entity) -> Iterator[Reversal]:
    row: InlinePolicy = step.new or step.old
    what = f"Inline policy {row.name} of {entity.name}"
    same = InlinePolicy.objects.filter(valid_at(None), owner=entity, name=row.name)
    if not _is_current(step) or (step.new is None and same.exists()):
        yield _moved(what)
    elif step.old is None:
        yield Reversal(what, (DeleteInlinePolicy.of(entity, name=row.name),))
    else:
        yield Reversal(what, (PutInlinePolicy.of(entity, name=row.name, text=step.old.document.text),))


def _default_step(steps: list[Step]) -> list[Step]:
    """One step tells of the text: that of the new default, with the old default beside it."""
    old = next((s.old for s in steps if s.old is not None and s.old.is_default), None)
    new = next((s.new for s in steps if s.new is not None and s.new.is_default), None)
    return [Step(old, new)] if old is not None and new is not None else [Step(None, None)]


def _version(step: Step, entity: Entity) -> Iterator[Reversal]:
    old: PolicyVersion | None = step.old
    new: PolicyVersion | None = step.new
    what = f"The text of {entity.name}"
    if old is None or new is None:
        what = f"Versions of {entity.name} that are not in force"
        yield Reversal(
            what,
            why_not="AWS numbers versions itself, and none of these is in force: nobody can do more or less by them.",
        )
    elif not PolicyVersion.objects.filter(
        valid_at(None), policy=entity, is_default=True, document=new.document_id
    ).exists():
        yield _moved(what)
    elif old.document_id != new.document_id:
        yield Reversal(what, (CreatePolicyVersion.of(entity, text=old.document.text),))


def _tags(step: Step, entity: Entity) -> Iterator[Reversal]:
    yield Reversal(f"Tags of {entity.name}", why_not="Gatehouse cannot write tags yet. Change them in AWS.")


def _credentials(step: Step, entity: Entity) -> Iterator[Reversal]:
    old, new = step.old, step.new
    if old is None or new is None:
        return
    if new.mfa == "none" and old.mfa not in ("none", "unread"):
        yield Reversal(
            f"MFA of {entity.name}",
            why_not="A device that was removed does not come back: the person enrols one anew.",
        )
    if old.has_password and new.has_password is False:
        yield Reversal(
            f"The console password of {entity.name}",
            why_not="A deleted password does not come back: give a new one.",
        )
    if old.has_password is False and new.has_password:
        yield Reversal(
            f"The console password of {entity.name}", why_not="Gatehouse cannot take it yet. Do it in AWS."
        )


_Turn = Callable[[Step, Entity], Iterator[Reversal]]
_TURNS: tuple[tuple[str, _Turn], ...] = (
    (CREDENTIALS, _credentials),
    (OWNED, _owned),
    (STATE, _state),
    (VERSION, _version),
    (INLINE, _inline),
    (EDGE, _edge),
    (TAGS, _tags),
)
