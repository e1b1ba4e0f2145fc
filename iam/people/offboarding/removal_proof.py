"""Verifies that someone's access has ended: it reads AWS again, and ends access that is still open."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import structlog
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from iam.changes.errors import RefusedError
from iam.changes.models import OPEN, Change
from iam.changes.operations import Operation
from iam.changes.operations.user_credential import ACTIVE
from iam.changes.services import SetCause, SetLane
from iam.changes.services.accepted_changes import queue_accepted
from iam.changes.services.plans import examine
from iam.mirror.models import Entity, Kind
from iam.mirror.refresh.user_access import (
    ATTACHED,
    CALLS,
    GROUPS,
    INLINE,
    UnreadableUserError,
    UserAccess,
    reread_user_access,
)
from iam.people.offboarding.models import OF_REST, OffboardedUser, OffboardingStage
from iam.people.offboarding.open_access import DENY, DENY_ALL, closing_of, deny_of, says_deny, sign_in_of

logger = structlog.get_logger(__name__)
MAX_TRIALS: Final = 3
"""How often remaining access is ended automatically before a person has to look."""
_WORDS: Final = {
    "login_profiles": ("Console password", "password"),
    "access_keys": ("Access keys", "active key"),
    "service_credentials": ("Service credentials", "active credential"),
    "ssh_keys": ("SSH keys", "active key"),
    "signing_certificates": ("Signing certificates", "active certificate"),
    "user_mfa": ("MFA devices", "device"),
}


def prove_user(seat_id: UUID) -> bool:
    """Read AWS again for a seat whose changes have ended. Returns True if it shows no open access. Remaining
    access is queued to be ended, a limited number of times.

    It is safe to run at any time and from several workers.
    """
    seat = OffboardedUser.objects.select_related("leaver__run", "account", "user__account", "change_set").get(
        pk=seat_id
    )
    if seat.proved_at is not None or seat.leaver.stage not in (
        OffboardingStage.CLOSING,
        OffboardingStage.OPEN,
        OffboardingStage.SUSPENDING,
    ):
        return seat.proved_at is not None
    if is_busy(seat):
        return False
    try:
        access = reread_user_access(seat.account, seat.user, policies=(DENY,))
    except UnreadableUserError as error:
        _keep(seat, rows=seat.proof, trouble=f"AWS couldn’t be checked: {error}")
        return False
    rows = list(proof_rows(access, is_suspension=seat.leaver.run.is_suspension))
    left = _still_to_end(seat) if access.exists else []
    is_open = access.exists and (bool(left) or any(row["open"] for row in rows))
    if not is_open:
        now = datetime.now(tz=UTC)
        OffboardedUser.objects.filter(pk=seat.pk, proved_at__isnull=True).update(
            proof=rows, read_at=now, proved_at=now, trouble=""
        )
        return True
    outcome = _end_rest(seat, left)
    _keep(seat, rows=rows, trouble=outcome)
    return False


def is_busy(seat: OffboardedUser) -> bool:
    """Return True if changes of the seat are in progress."""
    return changes_of(seat).filter(state__in=OPEN).exists()


def changes_of(seat: OffboardedUser) -> QuerySet[Change]:
    """Return all changes that end the access of a seat: the first ones and those for remaining access."""
    first = Change.objects.filter(change_set=seat.change_set_id, lane=seat.lane)
    again = Change.objects.filter(change_set__cause_kind=OF_REST, change_set__cause_id=seat.pk)
    return first | again


def turned_changes_of(seat: OffboardedUser) -> QuerySet[Change]:
    """Return those changes, and the changes of suspensions of the same user that this offboarding continued.
    A restore reverts them all.
    """
    turned = changes_of(seat)
    before = OffboardedUser.objects.filter(user=seat.user_id, leaver__followed_by=seat.leaver_id)
    for suspended in before.select_related("leaver"):
        turned = turned | changes_of(suspended)
    return turned


def proof_rows(access: UserAccess, *, is_suspension: bool = False) -> Iterator[dict[str, Any]]:
    """Yield what was read, when, and what it showed, in order. A suspension keeps MFA devices and memberships
    under the deny.
    """
    if not access.exists:
        yield _row("User", "iam:GetUser", access, "Deleted", is_open=False)
        return
    exists = f"Exists, renamed to {access.new_name} in AWS" if access.new_name else "Exists"
    yield _row("User", "iam:GetUser", access, exists, is_open=False)
    denied = says_deny(access.texts.get(DENY, "")) or any(
        arn.endswith(f":iam::aws:{DENY_ALL}") for arn in access.attached
    )
    status = "In force" if denied else "Missing"
    yield _row("Deny for everything", INLINE, access, status, is_open=not denied)
    for section, call in CALLS.items():
        what, noun = _WORDS[section]
        records = access.credentials[section].records
        live = [record for record in records if getattr(record, "status", ACTIVE) == ACTIVE]
        status = "None"
        if live:
            plural = "" if len(live) == 1 else "s"
            status = f"{len(live)} {noun}{plural}"
        elif records:
            status = f"{len(records)} inactive, none active"
        is_kept = is_suspension and section == "user_mfa" and denied
        yield _row(what, call, access, status, is_open=bool(live) and not is_kept)
    count = len(access.groups)
    status = f"Member of {count}" if count else "None"
    if count and is_suspension and denied:
        status = f"Member of {count}, all denied"
    yield _row("Groups", GROUPS, access, status, is_open=bool(count) and not (is_suspension and denied))
    attached = len(access.attached)
    status = "None"
    if attached:
        status = f"{attached} attached, all denied" if denied else f"{attached} attached"
    yield _row("Attached policies", ATTACHED, access, status, is_open=bool(attached) and not denied)


def _row(what: str, call: str, access: UserAccess, says: str, *, is_open: bool) -> dict[str, Any]:
    return {"what": what, "call": call, "at": access.at[call].isoformat(), "says": says, "open": is_open}


def _still_to_end(seat: OffboardedUser) -> list[Operation]:
    """Return the operations that are still needed, according to the mirror after the sync."""
    user = Entity.objects.select_related("account").get(pk=seat.user_id)
    if user.kind != Kind.USER or user.gone_at is not None:
        return []
    remaining: list[Operation] = []
    try:
        deny = deny_of(user)
        remaining += [deny] if deny else []
    except RefusedError as refused:
        logger.warning("leaving.no_deny", seat=str(seat.pk), error=refused.message)
    rest = sign_in_of(user) if seat.leaver.run.is_suspension else closing_of(user)
    return remaining + rest


def _end_rest(seat: OffboardedUser, left: list[Operation]) -> str:
    """Queue the remaining operations. Returns a sentence if that isn't possible or was tried too often."""
    names = "; ".join(operation.title for operation in left)
    if seat.trials >= MAX_TRIALS:
        return f"Still not removed after {MAX_TRIALS} attempts: {names}."[:1024]
    fit: list[Operation] = []
    refused_now: list[str] = []
    for operation in left:
        try:
            examine(operation, earlier=fit)
            fit.append(operation)
        except RefusedError as refused:
            refused_now.append(f"{operation.title}: {refused.message}")
    if not fit:
        return f"Still not removed: {'; '.join(refused_now) or names}."[:1024]
    assert seat.change_set is not None
    try:
        with transaction.atomic():
            if not OffboardedUser.objects.filter(pk=seat.pk, trials=seat.trials).update(
                trials=seat.trials + 1
            ):
                return ""
            queue_accepted(
                fit,
                with_set=seat.change_set,
                actor=None,
                reason=f"{seat.leaver.run.reference}: AWS still showed it after the changes.",
                title=f"Remove the remaining access of {seat.leaver.name}",
                cause=SetCause(OF_REST, seat.pk),
                key=f"leaving-rest-{seat.pk.hex}-{seat.trials + 1}",
                lanes=[SetLane(0, branch) for branch in range(1, len(fit) + 1)],
            )
    except IntegrityError:
        return ""
    except RefusedError as refused:
        return f"Still not removed: {names}. {refused.message}"[:1024]
    return "; ".join(refused_now)[:1024]


def _keep(seat: OffboardedUser, *, rows: list[dict[str, Any]], trouble: str) -> None:
    OffboardedUser.objects.filter(pk=seat.pk, proved_at__isnull=True).update(
        proof=rows, read_at=datetime.now(tz=UTC), trouble=trouble[:1024]
    )
