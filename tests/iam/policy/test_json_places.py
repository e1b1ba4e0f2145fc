"""The JSON reader that keeps places, against Python's own reader and by hand-counted lines and columns."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from iam.policy.json_places import JsonNode, read_places


def _plain(node: JsonNode | None) -> Any:
    assert node is not None
    if isinstance(node.value, tuple):
        return {member.name: _plain(member.node) for member in node.value}
    if isinstance(node.value, list):
        return [_plain(item) for item in node.value]
    return node.value


VALUES = some.recursive(
    some.none()
    | some.booleans()
    | some.integers()
    | some.floats(allow_nan=False, allow_infinity=False)
    | some.text(),
    lambda inner: some.lists(inner) | some.dictionaries(some.text(), inner),
    max_leaves=30,
)


@given(VALUES, some.sampled_from([None, 1, 4]), some.booleans())
def test_what_python_writes_is_read_alike(value: Any, indent: int | None, is_ascii: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=is_ascii)
    reading = read_places(text)
    assert not reading.faults
    assert _plain(reading.root) == value


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


@given(some.text(alphabet='{}[]",:0123456789.eE+- \\untrfalsx\n\t\x01') | some.text())
def test_no_text_is_read_that_python_refuses_and_none_refused_that_it_reads(text: str) -> None:
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except ValueError:
        assert read_places(text).faults
        return
    reading = read_places(text)
    assert not reading.faults
    assert _plain(reading.root) == value


FAULTS = [
    ("", 1, 1, "empty"),
    (" \n ", 1, 1, "empty"),
    ('{"a": 1,}', 1, 8, "comma before the closing }"),
    ("[1, 2,\n]", 1, 6, "comma before the closing ]"),
    ('{"a": 1\n "b": 2}', 2, 2, "comma is missing"),
    ("[1 2]", 1, 4, "comma is missing"),
    ("[1,,2]", 1, 4, "where a value is expected"),
    ("[,1]", 1, 2, "where a value is expected"),
    ('{"a" 1}', 1, 6, "colon after the name"),
    ('{"a"', 1, 4, "colon after the name"),
    ("{a: 1}", 1, 2, "double quotes is expected"),
    ("{'a': 1}", 1, 2, "double quotes is expected"),
    ("{\"a\": 'x'}", 1, 7, "single quotes"),
    ('{"a": True}', 1, 7, "JSON has no value “True”"),
    ('{"a": Allow}', 1, 7, "isn’t in double quotes"),
    ('{"a": // why\n 1}', 1, 7, "no comments"),
    ('{"a": "x\ny"}', 1, 9, "line break"),
    ('{"a": "\\x"}', 1, 8, "escape sequence"),
    ('{"a": "\\u12"}', 1, 8, "escape sequence"),
    ('{"a": "x', 1, 7, "isn’t closed"),
    ('{"a": 01}', 1, 7, "isn’t a valid number"),
    ('{"a": 1.}', 1, 8, "comma is missing"),
    ('{"a": -}', 1, 7, "isn’t a valid number"),
    ('{"a": NaN}', 1, 7, "isn’t in double quotes"),
    ('{"a": ', 1, 6, "ends where a value is expected"),
    ('{\n "a": [1,\n 2', 3, 2, "list that starts on line 2, column 7"),
    ('{"a": [1}', 1, 9, "doesn’t match the open list"),
    ("{} {}", 1, 4, "more text after the end"),
    ("\ufeff{}", 1, 1, "byte order mark"),
    ("$", 1, 1, "can’t start with"),
]


@pytest.mark.parametrize(("text", "line", "column", "words"), FAULTS)
def test_a_fault_is_told_with_line_and_column(text: str, line: int, column: int, words: str) -> None:
    reading = read_places(text)
    first = reading.faults[0]
    assert words in first.message
    assert reading.place(first.at) == (line, column)
    assert first.remedy


def test_commas_do_not_hinder_reading_on() -> None:
    reading = read_places('{"a": [1, 2,], "b": 3 "c": 4,}')
    assert len(reading.faults) == 3
    assert _plain(reading.root) == {"a": [1, 2], "b": 3, "c": 4}


def test_names_and_values_know_their_places() -> None:
    reading = read_places('{\n  "a": 1,\n  "a": ["x",\n    "y"]\n}')
    assert reading.root is not None
    assert isinstance(reading.root.value, tuple)
    first, second = reading.root.value
    assert [reading.place(member.at) for member in (first, second)] == [(2, 3), (3, 3)]
    assert isinstance(second.node.value, list)
    assert [reading.place(node.at) for node in second.node.value] == [(3, 9), (4, 5)]


@pytest.mark.parametrize("text", ["[" * 50_000, "[" * 50_000 + "]" * 50_000, '{"a":' * 50_000])
def test_any_depth_is_read_without_recursion(text: str) -> None:
    reading = read_places(text)
    assert (reading.root is None) == bool(reading.faults)
    node = reading.root
    while node is not None and isinstance(node.value, list):
        below = node.value[0] if node.value else None
        node.value = []
        node = below
