"""Records the events of a rotation in its timeline and in the journal, and notifies its people. Secrets are
never included.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from iam.changes.models import Change
from iam.journal.services import Actor, record
from iam.linking.owners import leads_of
from iam.moments import moment_words
from iam.notify.events import NotifyEvent
from iam.notify.pages import MessagePage, path_of
from iam.notify.services import notify
from iam.people.rotation.models import Rotation, RotationEvent, RotationOutcome, RotationStage


def record_event(
    rotation: Rotation, act: str, text: str, *, actor: Actor | None, change: Change | None = None, **data: Any
) -> None:
    """Add a line to the timeline and an entry to the journal. `actor` None is Gatehouse."""
    RotationEvent.objects.create(
        rotation=rotation,
        at=datetime.now(tz=UTC),
        act=act,
        text=text[:512],
        by=(actor.name if actor else "Gatehouse")[:128],
        change=change,
    )
    record(
        kind=f"rotation.{act}",
        actor=actor,
        subject=rotation.user.arn,
        account_id=rotation.user.account.account_id,
        data={
            "rotation": rotation.pk,
            "reference": rotation.reference,
            "key": rotation.old.aws_id,
            "new_key": rotation.new_key_id,
            "for": rotation.person.email,
            **({"change": change.reference} if change else {}),
            **data,
        },
    )


def move_to(rotation: Rotation, stage: RotationStage, **values: Any) -> None:
    """Move the rotation to another stage, where what held it in the former one is over. The caller holds its
    lock.
    """
    values = {"trouble": ""} | values
    save(rotation, stage=stage, stage_at=datetime.now(tz=UTC), tries=0, retry_at=None, **values)


def save(rotation: Rotation, **values: Any) -> None:
    """Write only these columns."""
    for name, value in values.items():
        setattr(rotation, name, value)
    rotation.save(update_fields=list(values))


def dated(text: str) -> str:
    """Return a sentence about an attempt with its time, for the page, where it stays until the next one."""
    return f"On {moment_words(datetime.now(tz=UTC))}: {text}"


def end(
    rotation: Rotation,
    outcome: RotationOutcome,
    text: str,
    *,
    actor: Actor | None,
    change: Change | None = None,
) -> None:
    """End the rotation. `text` describes the resulting state."""
    move_to(
        rotation,
        RotationStage.ENDED,
        outcome=outcome,
        ended_at=datetime.now(tz=UTC),
        trouble=text[:1024],
        wanted="",
    )
    record_event(rotation, "end", text, actor=actor, change=change, outcome=outcome.value)
    if outcome not in (RotationOutcome.DONE, RotationOutcome.CANCELLED, RotationOutcome.REFUSED):
        notify_people(
            rotation,
            subject=f"The rotation of key {rotation.old.aws_id} has ended",
            text=text,
            key="end",
            others=True,
        )


def notify_people(
    rotation: Rotation, *, subject: str, text: str, key: str, path: str = "", others: bool = False
) -> int:
    """Send a message to the rotation's person, once per key, and with `others` also to the requester. The
    leads of an owning team get every message except the link to the secret, which has its own `path`. Returns
    the number of messages.
    """
    people = {rotation.person_id: rotation.person}
    if rotation.team is not None and not path:
        leads = leads_of(rotation.team, account_id=rotation.user.account.account_id)
        people |= {lead.pk: lead for lead in leads}
    if others:
        people[rotation.begun_by_id] = rotation.begun_by
    return notify(
        NotifyEvent.ROTATION,
        people=list(people.values()),
        subject=subject,
        text=text,
        path=path or path_of(MessagePage.ROTATION, rotation.pk),
        key=f"rotation:{rotation.pk}:{key}",
    )
