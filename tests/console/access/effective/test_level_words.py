"""Each access level of AWS has plain words, for people who don't know AWS's terms."""

from __future__ import annotations

import pytest

from console.access.bars import in_words
from console.web.access_levels import PLAIN_VERBS, plain_label, plain_words
from iam.policy.catalogue import AccessLevel
from iam.policy.index.counts import ActionCount


@pytest.mark.parametrize("level", AccessLevel)
def test_each_level_has_its_words(level: AccessLevel) -> None:
    assert in_words({level: ActionCount(1, 0, 0, 1)}) == f"Can {PLAIN_VERBS[level]}"


def test_levels_are_named_in_the_order_of_aws() -> None:
    assert plain_words(AccessLevel) == "Can list, read, change, manage permissions and set labels"
    assert plain_words([]) == ""


def test_a_level_has_one_label_for_choices_and_columns() -> None:
    labels = [plain_label(level) for level in AccessLevel]
    assert labels == ["List", "Read", "Change", "Manage permissions", "Set labels"]


def test_signing_in_to_a_database_is_not_called_managing_permissions() -> None:
    level = AccessLevel.PERMISSIONS
    assert plain_label(level, service="rds-db") == "Sign in"
    assert in_words({level: ActionCount(1, 0, 0, 1)}, service="rds-db") == "Can sign in"
    assert plain_label(level, service="iam") == "Manage permissions"
