"""Signed links for one person to one page. They only open the page after signing in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.core import signing

from iam.notify.pages import MessagePage, path_of, prefix_of

SALT = "gatehouse.notify.link"
_makers: dict[MessagePage, Callable[[str], str]] = {}


def make_links_of(page: MessagePage, maker: Callable[[str], str]) -> None:
    """Let a higher layer build the links of a page when a mail is sent: `maker` returns the full URL for a
    path. Such a link opens without signing in, so it isn't stored.
    """
    _makers[page] = maker


def opens_alone(path: str) -> bool:
    """Return True if the link of a page opens without signing in."""
    return any(path.startswith(prefix_of(page)) for page in _makers)


class LinkError(Exception):
    """The link is damaged or too old. The message is a sentence for the person who followed it."""


@dataclass(frozen=True, slots=True)
class LinkTarget:
    """The person of a link, and the page that it opens."""

    person_id: UUID
    path: str


def link_for(person_id: UUID, *, path: str) -> str:
    """Return the full URL for a person. It expires after settings.NOTIFY_LINK_DAYS."""
    for page, maker in _makers.items():
        if path.startswith(prefix_of(page)):
            return maker(path)
    word = signing.dumps([person_id.hex, path], salt=SALT, compress=True)
    return f"{settings.BASE_URL}{path_of(MessagePage.MESSAGE, word)}"


def plain_link(path: str) -> str:
    """Return the URL of a page for everyone in a room."""
    return f"{settings.BASE_URL}{path}"


def target_of(word: str) -> LinkTarget:
    """Return the page and the person of a link. Raises LinkError."""
    try:
        signed = signing.loads(word, salt=SALT, max_age=timedelta(days=settings.NOTIFY_LINK_DAYS))
    except signing.SignatureExpired:
        raise LinkError(
            f"This link is older than {settings.NOTIFY_LINK_DAYS} days and has expired. The page it led to "
            "may still exist."
        ) from None
    except signing.BadSignature:
        raise LinkError("This link is incomplete. Copy the whole link from the message.") from None
    person, path = signed
    return LinkTarget(UUID(person), path)
