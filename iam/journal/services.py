"""The only writer of journal entries."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol, TypedDict, Unpack
from uuid import UUID

import structlog
from django.conf import settings

from iam.journal import clock
from iam.journal.models import Entry
from iam.journal.withheld import SecretRefusedError, names_of_secrets, withhold

logger = structlog.get_logger(__name__)
BATCH_SIZE = 500
"""Number of rows per INSERT statement."""
KIND = re.compile(r"[a-z][a-z_]*(\.[a-z][a-z_]*)+")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


class _JournalActor(Protocol):
    """A person who acts in a request: a viewer of the guard."""

    @property
    def person_id(self) -> UUID: ...
    @property
    def name(self) -> str: ...
    @property
    def email(self) -> str: ...


class KnownPerson(Protocol):
    """A person in the directory."""

    @property
    def id(self) -> UUID: ...
    @property
    def name(self) -> str: ...
    @property
    def email(self) -> str: ...


@dataclass(frozen=True, slots=True)
class SystemActor:
    """An actor who isn't a person in the directory."""

    name: str
    person_id: None = None
    email: str = ""


GATEHOUSE = SystemActor("Gatehouse")
NOT_SIGNED_IN = SystemActor("Not signed in")
COMMAND_LINE = SystemActor("Command line")

Actor = _JournalActor | KnownPerson | SystemActor


def person_id_of(actor: Actor | None) -> UUID | None:
    """Return the id of the person behind an actor. It is None for Gatehouse, the command line and visitors
    who aren't signed in.
    """
    if actor is None:
        return None
    return actor.person_id if isinstance(actor, SystemActor) or hasattr(actor, "person_id") else actor.id


class EntryParts(TypedDict, total=False):
    """The optional parts of an entry besides its kind and actor; see `entry`."""

    subject: str
    account_id: str
    data: dict[str, Any] | None
    request_id: str
    ip: str


def record(*, kind: str, actor: Actor | None, **parts: Unpack[EntryParts]) -> Entry:
    """Write an entry in the caller's transaction, so that a rollback removes it. The database sets `at`;
    refresh the row to read it. See `entry` for the arguments.
    """
    made = entry(kind=kind, actor=actor, **parts)
    made.save(force_insert=True)
    return made


def record_all(entries: Sequence[Entry]) -> None:
    """Write many entries in the caller's transaction, with a few statements."""
    Entry.objects.bulk_create(entries, batch_size=BATCH_SIZE)


def entry(
    *,
    kind: str,
    actor: Actor | None,
    subject: str = "",
    account_id: str = "",
    data: dict[str, Any] | None = None,
    request_id: str = "",
    ip: str = "",
) -> Entry:
    """Build an entry without writing it.

    `kind` is a dotted slug such as `role.assign`. `actor` None is Gatehouse itself. `subject` is the object
    of the action (an ARN, a name). `data` is JSON and can hold datetimes and UUIDs. Request id and IP address
    default to those of the current HTTP request. Raises ValueError for a malformed kind. A value under a key
    that names a secret is withheld, or raises SecretRefusedError if `settings.JOURNAL_REFUSES_SECRETS` is set
    (development and tests).
    """
    if not KIND.fullmatch(kind) or len(kind) > 64:
        raise ValueError(f"{kind!r} isn’t a journal kind. Write a dotted slug such as role.assign.")
    who = actor or GATEHOUSE
    context = structlog.contextvars.get_contextvars()
    return Entry(
        at=clock.at_insert(),
        kind=kind,
        actor_id=person_id_of(who),
        actor_label=_storable_line(who.name, 128),
        actor_email=_storable_line(who.email, 254),
        subject=_storable_line(subject, 2048),
        account_id=account_id,
        request_id=_storable_line(request_id or str(context.get("request_id") or ""), 64),
        ip=_storable_line(ip or str(context.get("ip") or ""), 45),
        data_json=json.dumps(
            _without_secrets(data or {}, kind=kind), sort_keys=True, separators=(",", ":"), default=_plain
        ),
    )


def _storable_line(text: str, limit: int) -> str:
    """Return the text as one line without control characters, cut to the length of its column."""
    clean = _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def _without_secrets(data: dict[str, Any], *, kind: str) -> Any:
    names = names_of_secrets(data)
    if not names:
        return data
    if settings.JOURNAL_REFUSES_SECRETS:
        raise SecretRefusedError(f"The journal entry {kind} would hold a secret under {', '.join(names)}.")
    logger.error("journal.secret_withheld", kind=kind, keys=names)
    return withhold(data)


def _plain(value: object) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"A journal entry cannot hold {type(value).__name__}.")
