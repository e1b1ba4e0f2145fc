"""Creates one-time links, exchanges them for a session of one browser, and ends them. The journal records
each action and refusal.

The caller decides who can create a link for which person, because it knows what the link opens.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction

from iam.directory.models import Person
from iam.journal.services import NOT_SIGNED_IN, Actor, person_id_of, record
from iam.moments import moment_words
from iam.people.links.models import LinkEndReason, LinkPurpose, OneTimeLink
from iam.people.links.signed_ids import id_in

LASTS: Final = timedelta(hours=24)
"""Default time for which a link can be used."""
MAX_VALIDITY: Final = timedelta(days=7)
SESSION: Final = timedelta(minutes=30)
"""Duration of the session in the browser that used the link."""
DAMAGED: Final = "This link is incomplete. Copy the whole link from the message."
NO_SESSION: Final = "Open this page with the link that was sent to you, in the same browser."
SESSION_EXPIRED: Final = "Your 30 minutes with this link are over."
REPLACED: Final = "A newer link replaced this one. Use the one in the latest message."
OPERATORS: Final = "your Gatehouse administrators"
GATEHOUSE: Final = "Gatehouse"
GONE: Final = "Your access has ended, so this link no longer works."


class LinkRefusedError(Exception):
    """The link or its session doesn't let anyone in. `message` explains why, for the holder. `why` is a word
    for the journal (`damaged`, `used`, `expired`, `revoked`, `replaced`, `finished`, `inactive`, `other`,
    `no_session`). `link` is the row, if there is one.
    """

    def __init__(self, message: str, *, why: str, link: OneTimeLink | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.why = why
        self.link = link


@dataclass(frozen=True, slots=True)
class EnteredLink:
    """A link that was just used, and the cookie value for its browser, which isn't stored anywhere else."""

    link: OneTimeLink
    cookie: str


@transaction.atomic
def make_link(
    purpose: LinkPurpose,
    *,
    person: Person,
    user_arn: str,
    actor: Actor | None,
    lasts: timedelta = LASTS,
    cause_id: UUID | None = None,
    is_checked: bool = False,
) -> OneTimeLink:
    """Create a link for a person and a task of an IAM user. Older unused links for the same stop working.
    `is_checked` means that a second person verified the recipient.

    `iam.people.links.signed_ids.address_of` returns its address. Raises ValueError for a duration beyond
    `MAX_VALIDITY`.
    """
    if not timedelta(0) < lasts <= MAX_VALIDITY:
        raise ValueError("A link can be valid for at most 7 days.")
    now = datetime.now(tz=UTC)
    older = OneTimeLink.objects.filter(
        purpose=purpose, person=person, user_arn=user_arn, used_at__isnull=True
    )
    older.filter(ended_at__isnull=True).update(ended_at=now, ended_why=LinkEndReason.REPLACED)
    made = OneTimeLink.objects.create(
        purpose=purpose,
        person=person,
        user_arn=user_arn,
        cause_id=cause_id,
        is_checked=is_checked,
        created_at=now,
        created_by=person_id_of(actor),
        created_label=(actor.name if actor else "Gatehouse")[:128],
        expires_at=now + lasts,
    )
    _record("make", made, actor=actor, until=made.expires_at)
    return made


def find_link(word: str) -> OneTimeLink:
    """Return the link if it can be used. It writes nothing, since mail scanners also open links. Raises
    LinkRefusedError.
    """
    link_id = id_in(word)
    link = OneTimeLink.objects.select_related("person").filter(pk=link_id).first() if link_id else None
    if link is None:
        raise LinkRefusedError(DAMAGED, why="damaged")
    _check_usable(link)
    return link


def check_reader(link: OneTimeLink, reader: Person) -> None:
    """Raise LinkRefusedError if the reader is signed in to Gatehouse as someone other than the
    link's person.
    """
    if reader.pk != link.person_id:
        raise LinkRefusedError(
            f"This link is for {link.person.name}, and you are signed in as {reader.name}. Send it to them.",
            why="other",
            link=link,
        )


def exchange(word: str, *, address: str = "", reader: Person | None = None) -> EnteredLink:
    """Use the link up; of several browsers that try, one succeeds. `reader` is the person signed in to
    Gatehouse there. The journal records refusals. Raises LinkRefusedError.
    """
    try:
        link = find_link(word)
        if reader is not None:
            check_reader(link, reader)
        cookie, now = secrets.token_urlsafe(32), datetime.now(tz=UTC)
        fresh = OneTimeLink.objects.filter(
            pk=link.pk, used_at__isnull=True, ended_at__isnull=True, expires_at__gt=now
        )
        with transaction.atomic():
            if fresh.update(
                used_at=now, used_from=address, browser=digest_of(cookie), session_until=now + SESSION
            ):
                _record("use", link, actor=link.person)
                link.refresh_from_db()
                return EnteredLink(link, cookie)
        link.refresh_from_db()
        _check_usable(link)
        raise LinkRefusedError(DAMAGED, why="damaged", link=link)
    except LinkRefusedError as refused:
        _note_refusal(refused, actor=reader)
        raise


def session_of(cookie: str) -> OneTimeLink:
    """Return the link of this browser's session. Its person and IAM user determine the content of every page,
    whatever the address contains. Raises LinkRefusedError.
    """
    link = (
        OneTimeLink.objects.select_related("person").filter(browser=digest_of(cookie)).first()
        if cookie
        else None
    )
    if link is None or link.session_until is None:
        raise LinkRefusedError(NO_SESSION, why="no_session")
    if link.ended_at is not None:
        _check_newest(link)
        raise LinkRefusedError(_why_ended(link), why=link.ended_why, link=link)
    if link.session_until <= datetime.now(tz=UTC):
        _check_newest(link)
        raise LinkRefusedError(f"{SESSION_EXPIRED} {ask_again(link)}", why="expired", link=link)
    if not link.person.is_active:
        raise LinkRefusedError(GONE, why="inactive", link=link)
    return link


def revoke_link(link: OneTimeLink, *, actor: Actor | None, why: str = "") -> bool:
    """Revoke a link and its session. Returns False if it is over already."""
    return _end(link, why=LinkEndReason.REVOKED, actor=actor, act="revoke", reason=why)


def finish_link(link: OneTimeLink) -> bool:
    """End a link whose task is done, and its session. Returns False if it is over already."""
    return _end(link, why=LinkEndReason.FINISHED, actor=link.person, act="finish")


def digest_of(cookie: str) -> str:
    """Return the digest of a cookie, which is what is stored."""
    return hashlib.sha256(cookie.encode()).hexdigest()


def _end(link: OneTimeLink, *, why: LinkEndReason, actor: Actor | None, act: str, reason: str = "") -> bool:
    now = datetime.now(tz=UTC)
    label = (actor.name if actor else GATEHOUSE)[:128]
    with transaction.atomic():
        living = OneTimeLink.objects.filter(pk=link.pk, ended_at__isnull=True)
        if not living.update(ended_at=now, ended_why=why, ended_label=label):
            return False
        link.refresh_from_db()
        data = {"reason": reason} if reason else {}
        _record(act, link, actor=actor, **data)
    return True


def _check_newest(link: OneTimeLink) -> None:
    """Refer the holder of an unusable link to a newer one that still works, because requesting another link
    would end that too.
    """
    newer = OneTimeLink.objects.filter(
        purpose=link.purpose, person=link.person_id, user_arn=link.user_arn, created_at__gt=link.created_at
    )
    living = newer.filter(used_at__isnull=True, ended_at__isnull=True, expires_at__gt=datetime.now(tz=UTC))
    if living.exists():
        raise LinkRefusedError(REPLACED, why=LinkEndReason.REPLACED, link=link)


def _check_usable(link: OneTimeLink) -> None:
    if link.ended_at is not None or link.used_at is not None or link.expires_at <= datetime.now(tz=UTC):
        _check_newest(link)
    if link.ended_why == LinkEndReason.REVOKED:
        raise LinkRefusedError(_why_ended(link), why=link.ended_why, link=link)
    if link.used_at is not None:
        raise LinkRefusedError(
            f"This link was used on {moment_words(link.used_at)}. It works once, in one browser. "
            f"If that wasn’t you, tell {sender_of(link)} immediately. {ask_again(link)}",
            why="used",
            link=link,
        )
    if link.ended_at is not None:
        raise LinkRefusedError(_why_ended(link), why=link.ended_why, link=link)
    if link.expires_at <= datetime.now(tz=UTC):
        raise LinkRefusedError(
            f"This link expired on {moment_words(link.expires_at)}. {ask_again(link)}",
            why="expired",
            link=link,
        )
    if not link.person.is_active:
        raise LinkRefusedError(GONE, why="inactive", link=link)


def _why_ended(link: OneTimeLink) -> str:
    return {
        LinkEndReason.REVOKED: f"{_revoked(link)} {ask_again(link)}",
        LinkEndReason.REPLACED: REPLACED,
        LinkEndReason.FINISHED: "You are done with this link. It works only once.",
    }[LinkEndReason(link.ended_why)]


def _revoked(link: OneTimeLink) -> str:
    if link.ended_label == GATEHOUSE:
        return "This link no longer works, because too many wrong codes were entered."
    return f"This link was revoked by {link.ended_label}."


def sender_of(link: OneTimeLink) -> str:
    """Return who to ask about a link: its creator, or the administrators if that is the person themselves or
    Gatehouse.
    """
    is_own = link.created_by is not None and link.created_by == link.person_id
    return OPERATORS if is_own or link.created_by is None else link.created_label


def ask_again(link: OneTimeLink) -> str:
    """Return a sentence that tells the person how to get another link."""
    if link.created_by == link.person_id:
        return "Sign in to Gatehouse to get a new one."
    return f"Ask {sender_of(link)} for a new link."


def _record(act: str, link: OneTimeLink, *, actor: Actor | None, **data: object) -> None:
    record(
        kind=f"link.{act}",
        actor=actor,
        subject=link.user_arn,
        account_id=link.account_id,
        data={"link": link.pk, "purpose": link.purpose, "for": link.person.email, **data},
    )


def _note_refusal(refused: LinkRefusedError, *, actor: Actor | None) -> None:
    link = refused.link
    arn, number = (link.user_arn, link.account_id) if link else ("", "")
    known = {"link": link.pk, "purpose": link.purpose, "for": link.person.email} if link else {}
    record(
        kind="link.refused",
        actor=actor or NOT_SIGNED_IN,
        subject=arn,
        account_id=number,
        data={"why": refused.why, **known},
    )
