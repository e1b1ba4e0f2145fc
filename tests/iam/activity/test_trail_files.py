"""Opening trail files: the forms in which events come, and files that were made to do harm."""

from __future__ import annotations

import gzip
import json
import tracemalloc

import pytest

from iam.activity.trail_files import FILE_LIMIT, TrailFileError, records_of
from tests.iam.activity.records import record, trail

ONE = record()
FORMS = {
    "as delivered": trail(ONE),
    "not compressed": json.dumps({"Records": [ONE]}).encode(),
    "with a byte order mark": b"\xef\xbb\xbf" + json.dumps({"Records": [ONE]}).encode(),
    "two gzip members": gzip.compress(b'{"Records": [') + gzip.compress(json.dumps(ONE).encode() + b"]}"),
    "padded with zeros": trail(ONE) + b"\0" * 40,
    "JSON lines": json.dumps(ONE).encode() + b"\n" + json.dumps(ONE).encode() + b"\n",
    "one line": json.dumps(ONE).encode(),
    "a plain list": json.dumps([ONE]).encode(),
    "lookup-events": json.dumps({"Events": [{"CloudTrailEvent": json.dumps(ONE)}]}).encode(),
}
HOSTILE = {
    "nothing": (b"", "is empty"),
    "white space": (b" \n", "is empty"),
    "text": (b"hello", "isn’t valid JSON"),
    "another JSON": (b'{"Events2": []}', "no list “Records”"),
    "a number": (b"5", "no list “Records”"),
    "records that are no list": (b'{"Records": {"a": 1}}', "no list “Records”"),
    "a lone surrogate": (b'{"Records": ["\\ud800"]}', "isn’t valid JSON"),
    "bytes that are no UTF-8": (
        b'{"Records": ["\xff"]}',
        "neither JSON in UTF-8 nor gzip of it: byte 15 is in no character.",
    ),
    "a zip archive": (b"PK\x03\x04\x14\x00\x00\x00\x08\x00\xe3\x9c", "neither JSON in UTF-8 nor gzip of it"),
    "ten thousand brackets": (b"[" * 10_000, "isn’t valid JSON"),
    "a cut gzip": (trail(ONE)[:-12], "cut off"),
    "a damaged gzip": (trail(ONE)[:30] + b"\xff\xfe\xfd" + trail(ONE)[33:], "damaged"),
    "a header only": (b"\x1f\x8b\x08", "cut off"),
    "a line of 100 MB": (b'{"Records": ["' + b"a" * 100_000_000 + b'"]}', "larger than 64 MiB"),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_in_which_events_come_is_read(form: str) -> None:
    records = records_of(FORMS[form])
    assert records
    assert all(each == ONE for each in records)


@pytest.mark.parametrize("form", HOSTILE)
def test_a_file_that_is_none_is_refused_with_the_reason(form: str) -> None:
    content, reason = HOSTILE[form]
    with pytest.raises(TrailFileError, match=reason):
        records_of(content)


def test_a_zip_bomb_takes_no_more_memory_than_the_limit() -> None:
    bomb = gzip.compress(b"\0" * (FILE_LIMIT * 8))
    assert len(bomb) < 1_000_000
    tracemalloc.start()
    with pytest.raises(TrailFileError, match="inflates to more than 64 MiB"):
        records_of(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2.5 * FILE_LIMIT


def test_many_small_bombs_in_one_file_count_together() -> None:
    member = gzip.compress(b" " * (FILE_LIMIT // 3))
    with pytest.raises(TrailFileError, match="inflates to more than 64 MiB"):
        records_of(member * 4)


def test_a_line_that_is_no_json_counts_as_an_unreadable_record() -> None:
    lines = json.dumps(ONE).encode() + b"\nbroken\n" + json.dumps(ONE).encode()
    assert records_of(lines) == [ONE, None, ONE]
