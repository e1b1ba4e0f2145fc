"""The signed id in the address of a link. It can't be made without Gatehouse's key, and it isn't stored."""

from __future__ import annotations

import base64
import binascii
from typing import Final
from uuid import UUID

from django.conf import settings
from django.core import signing

from iam.notify.pages import MessagePage, path_of, prefix_of
from iam.people.links.models import OneTimeLink

_SALT: Final = "gatehouse.people.link"


def address_of(link: OneTimeLink) -> str:
    """Return the full address of a link. It can be used once by anyone who has it, so show it only to its
    person and never store it.
    """
    return f"{settings.BASE_URL}{path_of(MessagePage.LINK, word_of(link.pk))}"


def address_on(path: str) -> str:
    """Return the full address for the path by which a message refers to a link. That path has only the
    unsigned id, which opens nothing.
    """
    link_id = UUID(path.removeprefix(prefix_of(MessagePage.LINK)).strip("/"))
    return f"{settings.BASE_URL}{path_of(MessagePage.LINK, word_of(link_id))}"


def word_of(link_id: UUID) -> str:
    """Return the signed id for a link's address."""
    return signing.Signer(salt=_SALT, sep=".").sign(
        base64.urlsafe_b64encode(link_id.bytes).rstrip(b"=").decode()
    )


def id_in(word: str) -> UUID | None:
    """Return the id in a signed word, or None if Gatehouse didn't sign it."""
    try:
        text = signing.Signer(salt=_SALT, sep=".").unsign(word)
        return UUID(bytes=base64.urlsafe_b64decode(text + "=="))
    except (signing.BadSignature, binascii.Error, ValueError):
        return None
