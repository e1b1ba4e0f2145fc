"""The resources that are asked about: one for each combination of lists of patterns, however long the lists
are.
"""

from __future__ import annotations

from iam.policy.glob import ANY
from iam.policy.index.probes import ProbePlace, pattern_tokens, probes

HERE = ProbePlace("aws", "111111111111", "apigateway")
LONG = [f"arn:aws:apigateway:*::/apis/*/{chr(97 + number)}/*" for number in range(24)]


def test_patterns_of_one_list_are_not_combined_with_each_other() -> None:
    patterns = {pattern_tokens(pattern): 1 for pattern in LONG} | {(ANY,): 2}
    probe_list = probes(patterns, formats=None, place=HERE)
    assert len(probe_list) <= 2 * (len(patterns) + 2)


def test_what_two_lists_have_in_common_is_asked_about() -> None:
    patterns = {
        pattern_tokens(f"arn:aws:s3:::{pattern}"): lists
        for pattern, lists in (("a*", 1), ("b*", 1), ("*z", 2))
    }
    probe_list = probes(patterns, formats=None, place=ProbePlace("aws", "111111111111", "s3"))
    for begin in "ab":
        inside = [probe for probe in probe_list if probe.startswith(f"arn:aws:s3:::{begin}")]
        assert {probe.endswith("z") for probe in inside} == {True, False}
