"""Seal a secret, read it once, use it once, destroy it. Nothing here is ever logged but that it happened."""

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
"""Characters that a secret may have: a private key is the longest."""


class SealedError(Exception):
    """The secret cannot be had; `message` says why, for a person."""

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
    """Encrypt a secret, and give the id under which it can be had for `ttl`.

    `for_person` alone may read it, with `session` in that browser session only; without a person only a
    worker takes it. `is_held`: nobody reads it before `release`. With a `secret_id` that is still held it
    replaces that one's text; one that could be read is never replaced. Raises ValueError for a text without
    content or beyond `MAX_SECRET_LENGTH` characters, and for a time beyond `MAX_TTL`.
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
    """Let a held secret be read from now on; False when it is not held (any more). Harmless the second
    time.
    """
    values = {"label": label[:512]} if label else {}
    held_secrets = Secret.objects.filter(pk=secret_id, state=SecretState.HELD)
    return bool(held_secrets.update(state=SecretState.SEALED, released_at=datetime.now(tz=UTC), **values))


def open_once(secret_id: UUID, *, person: Actor, session: str = "") -> str:
    """The text, for its person, and never again. Of several who ask at once one gets it. Raises
    SealedError.
    """
    secret = _own_secret(secret_id, person)
    if secret.browser and secret.browser != _digest(session):
        raise SealedError("You can see this only in the browser session in which you requested it.")
    if secret.state == SecretState.HELD:
        raise SealedError("AWS has not accepted it yet. You can see it as soon as it has.")
    return _end(secret, to=SecretState.OPENED, actor=person)


def show_text(secret_id: UUID, *, person: Actor, session: str) -> str:
    """The text, for its person, in the browser session that it was sealed for, as often as they look and
    until `destroy`. Raises SealedError.

    For what has to be seen for a while, such as a seed that is being scanned: a reload must not lose it.
    Writes nothing.
    """
    secret = _own_secret(secret_id, person)
    if not secret.browser or secret.browser != _digest(session) or secret.state == SecretState.HELD:
        raise SealedError(NOT_YOURS)
    if secret.is_there and secret.expires_at <= datetime.now(tz=UTC):
        raise SealedError("Its time is over.")
    return _text(secret)


def reveal(secret_id: UUID, *, person: Actor, session: str, until: datetime) -> str:
    """The text, for its person: the first browser session that asks keeps it, and sees it again until `until`
    at the latest.

    A password that is shown once is lost to anyone who reloads the page. Every other browser is refused from
    the first look on. Raises SealedError.
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
    """True if `reveal` would give the text to its person in this browser session."""
    is_here = secret.browser in ("", _digest(session))
    return secret.state == SecretState.SEALED and is_here and secret.expires_at > datetime.now(tz=UTC)


def take_text(secret_id: UUID, *, purpose: str) -> str:
    """The text, for a worker, and never again. Raises SealedError, also for another purpose and after its
    time.
    """
    return _end(_for_worker(secret_id, purpose), to=SecretState.TAKEN, actor=None)


def read_text(secret_id: UUID, *, purpose: str) -> str:
    """The text, for a worker that may have to send it again; who used it up calls `destroy`. Raises
    SealedError.
    """
    return _text(_for_worker(secret_id, purpose))


def destroy(secret_id: UUID, *, actor: Actor | None = None) -> bool:
    """Destroy the text; False when it is gone already."""
    return _wipe(secret_id, to=SecretState.SHREDDED, actor=actor)


def sweep() -> int:
    """Destroy what nobody has read in time; how many."""
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
    """Give the text to the one whose update finds it still there."""
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
