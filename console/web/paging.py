"""The place in a list as an address carries it: opaque to people, checked when it comes back."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import UTC, datetime

from django.http import HttpRequest

from iam.mirror.queries.keyset import Place

MAX_LENGTH = 1024
LARGEST = 2**53


class CursorError(ValueError):
    """The text is no place in a list of this order."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """The place of a row, and the number of that row in the list when the page with it was shown (from 1)."""

    place: Place
    number: int


def page_number(request: HttpRequest) -> int:
    """The page that the address asks for, from 1; the first one where it names none, or none that there can
    be.
    """
    text = request.GET.get("page", "")
    return max(1, int(text)) if text.isdecimal() and len(text) < 5 else 1


def encode(cursor: Cursor) -> str:
    """The cursor as a word that needs no escaping in an address."""
    value = cursor.place.value
    text = value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
    raw = json.dumps([text, cursor.place.pk, cursor.number], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def decode(word: str, *, kind: type[str] | type[datetime]) -> Cursor:
    """The cursor of such a word, whose value must be of the kind by which the list is sorted. Raises
    CursorError.
    """
    try:
        raw = base64.b64decode(word + "=" * (-len(word) % 4), altchars=b"-_", validate=True)
        text, pk, number = json.loads(raw)
    except (ValueError, TypeError, RecursionError, binascii.Error) as error:
        raise CursorError from error
    if len(word) > MAX_LENGTH or not isinstance(text, str) or "\x00" in text:
        raise CursorError
    if any(type(n) is not int or not 0 <= n <= LARGEST for n in (pk, number)):
        raise CursorError
    return Cursor(Place(_value(text, kind), pk), number)


def _value(text: str, kind: type[str] | type[datetime]) -> str | datetime:
    if kind is str:
        if any("\ud800" <= c <= "\udfff" for c in text):
            raise CursorError
        return text
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise CursorError
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise CursorError from error
