"""Encodes the position in a list for addresses (opaque to people), and validates it when it comes back."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.http import HttpRequest

from console.web.address_choices import leave_out
from iam.keyset import KeysetPlace

MAX_LENGTH = 1024
MAX_PAGE_DIGITS = 4
MAX_NUMBER = 2**53


class CursorError(ValueError):
    """The text isn’t a position in a list with this order."""


@dataclass(frozen=True, slots=True)
class PageCursor:
    """The position of a row, and the row's number (from 1) when its page was shown."""

    place: KeysetPlace
    number: int


def page_number(request: HttpRequest) -> int:
    """Return the page number in the address, from 1; 1 if it is missing or invalid, which the page says."""
    text = request.GET.get("page", "")
    if not text:
        return 1
    if not text.isdecimal() or len(text) > MAX_PAGE_DIGITS:
        leave_out(request, "page", sort="a number")
        return 1
    return max(1, int(text))


def place_in(
    request: HttpRequest,
    side: str,
    *,
    kind: type[str] | type[datetime] = str,
    pk_kind: type[int] | type[UUID] = int,
) -> KeysetPlace | None:
    """Return the position in `after` or `before` of the address; None if it is missing or invalid for this
    list.
    """
    try:
        return decode(request.GET.get(side, ""), kind=kind, pk_kind=pk_kind).place
    except CursorError:
        return None


def first_number(
    *, after: PageCursor | None, before: PageCursor | None, has_before: bool, length: int
) -> int:
    """Return the number of the first row on a page of `length` rows.

    It is passed from page to page, since the database doesn’t know it.
    """
    if after:
        return after.number + 1
    if before and has_before:
        return max(1, before.number - length)
    return 1


def place_pairs(request: HttpRequest) -> dict[str, str]:
    """Return the parameters of the address that hold the position in the list."""
    return {name: request.GET[name] for name in ("after", "before") if request.GET.get(name)}


def word_of(place: KeysetPlace | None) -> str:
    """Encode a position for an address; "" for None."""
    return encode(PageCursor(place, 0)) if place else ""


def encode(cursor: PageCursor) -> str:
    """Encode the cursor as a word that needs no escaping in an address."""
    value, pk = cursor.place
    if isinstance(value, datetime):
        value = value.astimezone(UTC).isoformat()
    number = pk.hex if isinstance(pk, UUID) else pk
    text = json.dumps([value, number, cursor.number], separators=(",", ":"))
    word = base64.urlsafe_b64encode(text.encode()).decode()
    return word.rstrip("=")


def decode(
    word: str, *, kind: type[str] | type[datetime], pk_kind: type[int] | type[UUID] = int
) -> PageCursor:
    """Decode a cursor whose value must have the type by which the list is sorted. Raises CursorError."""
    try:
        raw = base64.b64decode(word + "=" * (-len(word) % 4), altchars=b"-_", validate=True)
        text, pk, number = json.loads(raw)
    except (ValueError, TypeError, RecursionError, binascii.Error) as error:
        raise CursorError from error
    if len(word) > MAX_LENGTH or not isinstance(text, str) or "\x00" in text:
        raise CursorError
    if not _is_number(number):
        raise CursorError
    return PageCursor(KeysetPlace(_value(text, kind), _pk(pk, pk_kind)), number)


def _is_number(value: object) -> bool:
    return type(value) is int and 0 <= value <= MAX_NUMBER


def _pk(value: object, kind: type[int] | type[UUID]) -> int | UUID:
    if kind is int:
        if isinstance(value, int) and _is_number(value):
            return value
        raise CursorError
    try:
        return UUID(hex=str(value))
    except ValueError as error:
        raise CursorError from error


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
