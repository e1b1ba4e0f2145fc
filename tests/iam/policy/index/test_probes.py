"""The resources that are asked about: one for each combination of lists of patterns, however long the lists
are.
"""

from __future__ import annotations

from iam.policy.glob import ANY
from iam.policy.index.probes import Place, pattern_tokens, probes

HERE = Place("aws", "111111111111", "apigateway")
LONG = [f"arn:aws:apigateway:*::/apis/*/{chr(97 + number)}/*" for number in range(24)]


def test_patterns_of_one_list_are_not_combined_with_each_other() -> None:
    patterns = {pattern_tokens(one): 1 for one in LONG} | {(ANY,): 2}
    found = probes(patterns, formats=None, place=HERE)
    assert len(found) <= 2 * (len(patterns) + 2)


def test_what_two_lists_have_in_common_is_asked_about() -> None:
    patterns = {
        pattern_tokens(f"arn:aws:s3:::{one}"): lists for one, lists in (("a*", 1), ("b*", 1), ("*z", 2))
    }
    found = probes(patterns, formats=None, place=Place("aws", "111111111111", "s3"))
    for begin in "ab":
        inside = [one for one in found if one.startswith(f"arn:aws:s3:::{begin}")]
        assert {one.endswith("z") for one in inside} == {True, False}
