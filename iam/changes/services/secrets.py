"""Handles the sealed secret that a change produces for a person: its status, reading it once, and destroying
unused ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from iam.changes.errors import RefusedError
from iam.changes.models import Change, ChangeState
from iam.guard import Viewer
from iam.sealed import services as sealed
from iam.sealed.models import Secret, SecretState
from iam.sealed.queries import secret_of, secrets_of
from iam.sealed.services import SealedError

_FOR_NOTHING = (ChangeState.FAILED, ChangeState.REJECTED, ChangeState.CANCELLED, ChangeState.EXPIRED)


@dataclass(frozen=True, slots=True)
class SecretSeal:
    """The reader and status of a change's secret; without a row, nothing is sealed yet."""

    recipient_id: UUID
    recipient_name: str
    row: Secret | None

    @property
    def is_readable(self) -> bool:
        """True if the secret can be read now."""
        return self.row is not None and self.row.state == SecretState.SEALED


def seal_of(change: Change) -> SecretSeal | None:
    """The seal of a change; None if it produces no secret for a person."""
    sealed_id = _sealed_id(change)
    return _seal(change, secret_of(sealed_id)) if sealed_id else None


def seals_of(changes: Sequence[Change]) -> list[tuple[Change, SecretSeal]]:
    """The changes that produce a secret for a person, each with its seal, in one query."""
    ids = {}
    for change in changes:
        sealed_id = _sealed_id(change)
        if sealed_id:
            ids[change.pk] = sealed_id
    rows = secrets_of(ids.values())
    return [(change, _seal(change, rows.get(ids[change.pk]))) for change in changes if change.pk in ids]


def _sealed_id(change: Change) -> UUID | None:
    person, sealed_id = change.params.get("recipient_id"), change.params.get("sealed_id")
    if not person or not sealed_id or change.params.get("typed") == "yes":
        return None
    return UUID(sealed_id)


def _seal(change: Change, row: Secret | None) -> SecretSeal:
    return SecretSeal(UUID(change.params["recipient_id"]), change.params.get("recipient_name", ""), row)


def read_secret(change: Change, *, actor: Viewer) -> str:
    """The secret, once and only for its reader; recorded in the journal. Raises RefusedError."""
    seal = seal_of(change)
    if seal is None or seal.recipient_id != actor.person_id or seal.row is None or not actor.roles:
        raise RefusedError("This change has no secret for you.")
    try:
        return sealed.open_once(seal.row.pk, person=actor)
    except SealedError as error:
        raise RefusedError(error.message) from None


def destroy_unused(change: Change) -> None:
    """Destroy what was sealed for a change that was not applied (a handler of ends). Idempotent."""
    sealed_id = change.params.get("sealed_id")
    if sealed_id and change.state in _FOR_NOTHING:
        sealed.destroy(UUID(sealed_id))
