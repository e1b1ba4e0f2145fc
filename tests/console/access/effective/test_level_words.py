"""Each access level of AWS has plain words, for people who don't know AWS's terms."""

from __future__ import annotations

import pytest

from console.access.bars import in_words
from console.web.access_levels import PLAIN_VERBS, plain_words
from iam.policy.catalogue import AccessLevel
from iam.policy.index.counts import ActionCount


@pytest.mark.parametrize("level", AccessLevel)
def test_each_level_has_its_words(level: AccessLevel) -> None:
    assert in_words({level: ActionCount(1, 0, 0, 1)}) == f"Can {PLAIN_VERBS[level]}"


def test_levels_are_named_in_the_order_of_aws() -> None:
    assert plain_words(AccessLevel) == "Can list, read, change, manage permissions and set labels"
    assert plain_words([]) == ""
