"""Cursors: what goes into an address comes back out, and nothing else does."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.web.page_cursors import MAX_NUMBER, CursorError, PageCursor, decode, encode
from console.web.query import QueryPairs
from iam.keyset import KeysetPlace

NUMBERS = st.integers(min_value=0, max_value=MAX_NUMBER)
TEXTS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=60)


@given(TEXTS, NUMBERS, NUMBERS)
def test_a_text_survives_the_address(value: str, pk: int, number: int) -> None:
    cursor = PageCursor(KeysetPlace(value, pk), number)
    word = encode(cursor)
    assert decode(word, kind=str) == cursor
    assert word.replace("-", "").replace("_", "").isalnum()


@given(st.datetimes(timezones=st.just(UTC)), NUMBERS, NUMBERS)
def test_a_moment_survives_the_address_to_the_microsecond(value: datetime, pk: int, number: int) -> None:
    cursor = PageCursor(KeysetPlace(value, pk), number)
    assert decode(encode(cursor), kind=datetime) == cursor


@given(st.text(max_size=80), st.sampled_from([str, datetime]))
def test_anything_else_is_refused_and_never_breaks(word: str, kind: type[str] | type[datetime]) -> None:
    try:
        cursor = decode(word, kind=kind)
    except CursorError:
        return
    assert isinstance(cursor.place.value, kind)


@pytest.mark.parametrize("value", ["2026-01-01", "2026-01-01T00:00:00", "not a moment"])
def test_a_moment_without_a_zone_is_no_moment(value: str) -> None:
    with pytest.raises(CursorError):
        decode(encode(PageCursor(KeysetPlace(value, 1), 1)), kind=datetime)


def test_a_query_changes_only_what_it_is_told_to() -> None:
    query = QueryPairs.from_pairs(
        [("q", "ma"), ("mfa", "none"), ("mfa", "virtual"), ("sort", ""), ("as-of", "2026")]
    )
    assert str(query) == "?q=ma&mfa=none&mfa=virtual&as-of=2026"
    assert str(query.with_values(mfa="x", as_of="")) == "?q=ma&mfa=x"
    assert str(query.with_values(mfa=["a", "b"])) == "?q=ma&as-of=2026&mfa=a&mfa=b"
    assert str(query.without("mfa", "none")) == "?q=ma&mfa=virtual&as-of=2026"
    assert str(query.with_only("as-of")) == "?as-of=2026"
    assert str(QueryPairs()) == "?"
