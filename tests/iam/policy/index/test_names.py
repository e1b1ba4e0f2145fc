"""Patterns with a name in them lie to each other alike for all names that are said to be apart from them."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import pytest

from iam.policy import variables
from iam.policy.index.names import Pair, PrincipalNames, filled, letters_of
from iam.policy.index.overlap import overlaps
from iam.policy.request import PrincipalKind

PIECES = ("a", "b", "ab", "ba", "-", "*", "*", "/", "${aws:username}", "${aws:username}", "${aws:userid}")
LETTERS = "abcd-"


def somebody(name: str, unique_id: str, tags: dict[str, str] | None) -> Any:
    arn = f"arn:aws:iam::111111111111:user/{name}"
    return SimpleNamespace(kind=PrincipalKind.USER, arn=arn, unique_id=unique_id, tags=tags)


def some_pair(dice: random.Random, tag: str) -> Pair:
    """Two patterns; the first has a name in it."""
    sides = []
    for pieces in (("${aws:username}",), ()):
        parts = [*pieces, *dice.choices((*PIECES, tag), k=dice.randint(2, 4))]
        dice.shuffle(parts)
        text = "arn:aws:s3:::" + "".join(parts)
        sides.append(variables.read(text, has_variables=True))
    return sides[0], sides[1]


def in_common(pair: Pair, member: Any) -> set[str]:
    """What both patterns take in."""
    return {"".join(cell) for cell in overlaps(*(filled(template, member) for template in pair))}


@pytest.mark.parametrize("seed", range(40))
def test_patterns_meet_alike_for_all_names_that_are_apart_from_them(seed: int) -> None:
    dice = random.Random(seed)
    compared = 0
    for _ in range(20):
        pair, tags = some_pair(dice, "${aws:PrincipalTag/team}"), {"team": dice.choice(("ab", "b-", "c"))}
        # Names of one letter that stands in no pattern and that no wildcard divides.
        of_anybody = in_common(pair, somebody("\1", "\2", tags))
        for _ in range(30):
            name, unique_id = ("".join(dice.choices(LETTERS, k=dice.randint(2, 5))) for _ in range(2))
            member = somebody(name, unique_id, tags)
            letters = letters_of([pair], member)
            if letters is not None and PrincipalNames(member).is_apart_from(letters):
                expected = {text.replace("\1", name).replace("\2", unique_id) for text in of_anybody}
                assert in_common(pair, member) == expected, (pair, name, unique_id)
                compared += 1
    assert compared


@pytest.mark.parametrize("tags", [None, {}, {"team": "ab"}])
def test_letters_are_not_told_where_a_pattern_has_a_tag_that_was_not_read(
    tags: dict[str, str] | None,
) -> None:
    with_tag = variables.read("arn:aws:s3:::homes/${aws:PrincipalTag/team}/*", has_variables=True)
    with_name = variables.read("arn:aws:s3:::homes/${aws:username}/*", has_variables=True)
    with_both = variables.read("arn:aws:s3:::${aws:PrincipalTag/team}/${aws:username}/*", has_variables=True)
    for pair in ((with_name, with_tag), (with_both, with_name)):
        letters = letters_of([pair], somebody("ana", "AIDAana", tags))
        assert (letters is None) is (tags is None)
