"""Builds reversals for changed credentials of a user, using reversible operations where possible."""

from __future__ import annotations

from collections.abc import Iterator

from iam.changes.drift.reversal import DriftReversal, moved_on_reversal
from iam.changes.operations.login_profile import DeleteLoginProfile
from iam.changes.operations.user_credential import ACTIVATE, DEACTIVATE, SetStatus
from iam.mirror.models import Entity, EntityState, Kind, UserCredentials, valid_at
from iam.mirror.queries.history_events import NOUNS, FactStep

_TURNS = {"Active": ACTIVATE, "Inactive": DEACTIVATE}
"""By the status to restore: the operations by kind of credential."""


def owned(step: FactStep, entity: Entity) -> Iterator[DriftReversal]:
    """The reversal for keys, certificates and devices: new ones are deactivated, changed ones get their
    former status.
    """
    row: EntityState = step.new or step.old
    noun = NOUNS.get(Kind(row.kind), (row.get_kind_display(), ""))[0]
    what = f"{noun} {row.name.rpartition('/')[2]} of {entity.name}"
    if step.new is None:
        yield DriftReversal(what, why_not="It was deleted, and AWS can’t restore it. Create a new one.")
    elif row.valid_to is not None:
        yield moved_on_reversal(what)
    elif step.old is None:
        yield from _turned_off(row, what)
    elif step.old.category != row.category and row.kind in ACTIVATE and step.old.category in _TURNS:
        spec = _TURNS[step.old.category][row.kind]
        yield DriftReversal(what, (SetStatus.of(spec, row.entity),))
    else:
        yield DriftReversal(what, why_not="Gatehouse can’t undo this. Change it back in AWS, or accept it.")


def _turned_off(row: EntityState, what: str) -> Iterator[DriftReversal]:
    if row.kind in DEACTIVATE and row.category == "Active":
        operation = SetStatus.of(DEACTIVATE[row.kind], row.entity)
        yield DriftReversal(f"{what}, which is turned off and not deleted", (operation,))
    elif row.kind in DEACTIVATE:
        yield DriftReversal(what, why_not="It is already inactive. Delete it on the page of the IAM user.")
    else:
        yield DriftReversal(what, why_not="Gatehouse can’t undo this. Change it back in AWS, or accept it.")


def credentials(step: FactStep, entity: Entity) -> Iterator[DriftReversal]:
    """The reversal for the console password and MFA."""
    old, new = step.old, step.new
    if old is None or new is None:
        return
    if new.mfa == "none" and old.mfa not in ("none", "unread"):
        why = "A removed MFA device can’t be restored. The person must enroll a new one."
        yield DriftReversal(f"MFA of {entity.name}", why_not=why)
    what = f"The console password of {entity.name}"
    if old.has_password and new.has_password is False:
        yield DriftReversal(what, why_not="A deleted password can’t be restored. The person needs a new one.")
    if old.has_password is False and new.has_password:
        now = UserCredentials.objects.filter(valid_at(None), user=entity).first()
        if now is None or not now.has_password:
            yield moved_on_reversal(what)
        else:
            yield DriftReversal(what, (DeleteLoginProfile.of(entity),))
