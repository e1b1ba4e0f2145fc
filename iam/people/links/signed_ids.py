"""What is in a link: the id of its row, signed. Nobody makes one without the key of Gatehouse, and no row
holds one.
"""

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
    """The whole address, with the host that people type. Anyone who has it can use it once: show it to nobody
    but its person, write it nowhere.
    """
    return f"{settings.BASE_URL}{path_of(MessagePage.LINK, word_of(link.pk))}"


def address_on(path: str) -> str:
    """The same for the path by which a message names a link: with the id of its row, which opens nothing by
    itself.
    """
    link_id = UUID(path.removeprefix(prefix_of(MessagePage.LINK)).strip("/"))
    return f"{settings.BASE_URL}{path_of(MessagePage.LINK, word_of(link_id))}"


def word_of(link_id: UUID) -> str:
    """What stands in the address for a link."""
    return signing.Signer(salt=_SALT, sep=".").sign(
        base64.urlsafe_b64encode(link_id.bytes).rstrip(b"=").decode()
    )


def id_in(word: str) -> UUID | None:
    """The id of the link; None for what Gatehouse has not signed."""
    try:
        text = signing.Signer(salt=_SALT, sep=".").unsign(word)
        return UUID(bytes=base64.urlsafe_b64decode(text + "=="))
    except (signing.BadSignature, binascii.Error, ValueError):
        return None
