"""Seals secrets, reads them once, uses them once, destroys them. Only the fact that this happened
is logged.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

import structlog
from django.db import transaction

from iam.journal.services import Actor, person_id_of, record
from iam.moments import moment_words
from iam.sealed.cipher import UnreadableError, decrypt, encrypt
from iam.sealed.models import LIVING, Secret, SecretState

logger = structlog.get_logger(__name__)

MAX_TTL: Final = timedelta(days=7)
MAX_SECRET_LENGTH: Final = 32 * 1024
"""Maximum number of characters of a secret. Private keys are the longest."""


class SealedError(Exception):
    """The secret isn't available. `message` says why, for a person."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


NOT_YOURS: Final = "This secret doesn’t exist, or it isn’t yours."
UNREADABLE: Final = (
    "The secret was encrypted with a key that Gatehouse no longer has (GATEHOUSE_SEALED_KEY). Create a new "
    "one in AWS."
)


def seal(
    text: str,
    *,
    for_person: UUID | None,
    purpose: str,
    ttl: timedelta,
    label: str = "",
    account_id: str = "",
    session: str = "",
    secret_id: UUID | None = None,
    is_held: bool = False,
) -> UUID:
    """Encrypt a secret and return its id, under which it is available for `ttl`.

    Only `for_person` can read it, and with `session` only in that browser session; without a person, only a
    worker can take it. `is_held` prevents reading before `release`. With a `secret_id` that is still held,
    its text is replaced; one that could be read is never replaced. Raises ValueError for an empty text, one
    beyond `MAX_SECRET_LENGTH` characters, and a duration beyond `MAX_TTL`.
    """
    if not text or len(text) > MAX_SECRET_LENGTH or not timedelta(0) < ttl <= MAX_TTL:
        raise ValueError("A secret has 1 to 32,768 characters, and is kept for seven days at most.")
    secret_id = secret_id or uuid4()
    now = datetime.now(tz=UTC)
    values = {
        "purpose": purpose,
        "label": label[:512],
        "account_id": account_id,
        "person_id": for_person,
        "browser": _digest(session),
        "ciphertext": encrypt(text, secret_id=secret_id, person_id=for_person, purpose=purpose),
        "state": SecretState.HELD if is_held else SecretState.SEALED,
        "sealed_at": now,
        "released_at": None if is_held else now,
        "expires_at": now + ttl,
    }
    with transaction.atomic():
        replaced = Secret.objects.filter(pk=secret_id, state=SecretState.HELD, purpose=purpose).update(
            **values
        )
        if not replaced:
            Secret.objects.create(id=secret_id, **values)
        _record("sealed", Secret.objects.get(pk=secret_id), actor=None)
    return secret_id


def release(secret_id: UUID, *, label: str = "") -> bool:
    """Allow a held secret to be read. Returns False if it isn't held (any more). It is safe to run again."""
    values = {"label": label[:512]} if label else {}
    held_secrets = Secret.objects.filter(pk=secret_id, state=SecretState.HELD)
    return bool(held_secrets.update(state=SecretState.SEALED, released_at=datetime.now(tz=UTC), **values))


def open_once(secret_id: UUID, *, person: Actor, session: str = "") -> str:
    """Return the text for its person, once. Of several concurrent callers, one gets it. Raises
    SealedError.
    """
    secret = _own_secret(secret_id, person)
    if secret.browser and secret.browser != _digest(session):
        raise SealedError("You can see this only in the browser session in which you requested it.")
    if secret.state == SecretState.HELD:
        raise SealedError("AWS has not accepted it yet. You can see it as soon as it has.")
    return _end(secret, to=SecretState.OPENED, actor=person)


def show_text(secret_id: UUID, *, person: Actor, session: str) -> str:
    """Return the text for its person, in the browser session for which it was sealed, repeatedly until
    `destroy`. Raises SealedError.

    It is for what must be visible for a while, such as a seed to scan, which a reload must not lose. It
    writes nothing.
    """
    secret = _own_secret(secret_id, person)
    if not secret.browser or secret.browser != _digest(session) or secret.state == SecretState.HELD:
        raise SealedError(NOT_YOURS)
    if secret.is_there and secret.expires_at <= datetime.now(tz=UTC):
        raise SealedError("Its time is over.")
    return _text(secret)


def reveal(secret_id: UUID, *, person: Actor, session: str, until: datetime) -> str:
    """Return the text for its person. The first browser session that asks can see it again until `until` at
    the latest.

    A password shown only once would be lost by a reload of the page. Other browsers are refused from the
    first view on. Raises SealedError.
    """
    secret = _own_secret(secret_id, person)
    if not session:
        raise SealedError(NOT_YOURS)
    if secret.state == SecretState.HELD:
        raise SealedError("AWS has not accepted it yet. Try again in a moment.")
    if secret.is_there and not secret.browser:
        fresh = Secret.objects.filter(pk=secret_id, state=SecretState.SEALED, browser="")
        with transaction.atomic():
            if fresh.update(browser=_digest(session), expires_at=min(until, secret.expires_at)):
                _record("shown", secret, actor=person)
        secret.refresh_from_db()
    if secret.is_there and secret.browser != _digest(session):
        raise SealedError("It was shown in another browser, and only that browser can show it again.")
    return _text(secret)


def _own_secret(secret_id: UUID, person: Actor) -> Secret:
    secret = Secret.objects.filter(pk=secret_id).first()
    if secret is None or secret.person_id is None or secret.person_id != person_id_of(person):
        raise SealedError(NOT_YOURS)
    return secret


def can_reveal(secret: Secret, *, session: str) -> bool:
    """Return True if `reveal` would return the text in this browser session."""
    is_here = secret.browser in ("", _digest(session))
    return secret.state == SecretState.SEALED and is_here and secret.expires_at > datetime.now(tz=UTC)


def read_text(secret_id: UUID, *, purpose: str) -> str:
    """Return the text for a worker that may have to send it again. Call `destroy` after use. Raises
    SealedError.
    """
    return _text(_for_worker(secret_id, purpose))


def destroy(secret_id: UUID, *, actor: Actor | None = None) -> bool:
    """Destroy the text. Returns False if it is gone already."""
    return _wipe(secret_id, to=SecretState.SHREDDED, actor=actor)


def sweep() -> int:
    """Destroy expired secrets and return how many."""
    over = Secret.objects.filter(state__in=LIVING, expires_at__lte=datetime.now(tz=UTC))
    return sum(
        _wipe(pk, to=SecretState.EXPIRED, actor=None) for pk in list(over.values_list("pk", flat=True))
    )


def _for_worker(secret_id: UUID, purpose: str) -> Secret:
    secret = Secret.objects.filter(pk=secret_id, purpose=purpose).first()
    if secret is None:
        raise SealedError("The secret that belongs to this is not there.")
    return secret


def _text(secret: Secret) -> str:
    if not secret.is_there:
        raise SealedError(_why_gone(secret))
    if secret.expires_at <= datetime.now(tz=UTC):
        _wipe(secret.pk, to=SecretState.EXPIRED, actor=None)
        raise SealedError(_why_gone(Secret.objects.get(pk=secret.pk)))
    try:
        return decrypt(
            secret.ciphertext, secret_id=secret.pk, person_id=secret.person_id, purpose=secret.purpose
        )
    except UnreadableError:
        logger.error("sealed.unreadable", secret=str(secret.pk), purpose=secret.purpose)
        raise SealedError(UNREADABLE) from None


def _end(secret: Secret, *, to: SecretState, actor: Actor | None) -> str:
    """Return the text to the caller whose update finds it still there."""
    text = _text(secret)
    if not _wipe(secret.pk, to=to, actor=actor):
        raise SealedError(_why_gone(Secret.objects.get(pk=secret.pk)))
    return text


def _wipe(secret_id: UUID, *, to: SecretState, actor: Actor | None) -> bool:
    now = datetime.now(tz=UTC)
    living = Secret.objects.filter(pk=secret_id, state__in=LIVING)
    with transaction.atomic():
        if not living.update(
            state=to, ciphertext="", ended_at=now, ended_by=(actor.name if actor else "Gatehouse")[:128]
        ):
            return False
        _record(to.value, Secret.objects.get(pk=secret_id), actor=actor)
    return True


def _why_gone(secret: Secret) -> str:
    at = moment_words(secret.ended_at) if secret.ended_at else "an unknown date"
    if secret.state == SecretState.EXPIRED and secret.browser:
        return f"You could see it until {at}. It was destroyed then."
    return {
        SecretState.OPENED: f"{secret.ended_by} saw it on {at}. It isn’t stored anywhere.",
        SecretState.TAKEN: f"It was used on {at}. It isn’t stored anywhere.",
        SecretState.EXPIRED: f"No one opened it in time. It was destroyed on {at}.",
        SecretState.SHREDDED: f"It was destroyed on {at}.",
    }.get(SecretState(secret.state), NOT_YOURS)


def _record(act: str, secret: Secret, *, actor: Actor | None) -> None:
    record(
        kind=f"sealed.{act}",
        actor=actor,
        subject=secret.label,
        account_id=secret.account_id,
        data={"sealed": secret.pk, "purpose": secret.purpose, "for": secret.person_id},
    )


def _digest(session: str) -> str:
    return hashlib.sha256(session.encode()).hexdigest() if session else ""
