"""In which words a change of tags names them."""

from __future__ import annotations

import pytest

from iam.changes.operations.tags import SetTags
from iam.mirror.models import TagSet
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("before", "after", "sentences"),
    [
        ({"Team": "a"}, {"Team": "b"}, ["maya.okafor gets the tag Team"]),
        ({"Team": "a"}, {}, ["maya.okafor loses the tag Team"]),
        (
            {"A": "1", "B": "1", "C": "1"},
            {"Owner": "x", "Team": "b", "Unit": "c"},
            ["maya.okafor loses the tags A, B and C", "maya.okafor gets the tags Owner, Team and Unit"],
        ),
    ],
)
def test_one_tag_is_named_in_the_singular(
    before: dict[str, str], after: dict[str, str], sentences: list[str]
) -> None:
    user = factories.user(factories.account(), "maya.okafor")
    since = {"valid_from": factories.FIRST_READ, "observed_at": factories.FIRST_READ}
    TagSet.objects.create(account=user.account, entity=user, tags=before, **since)
    assert [call.sentence for call in SetTags.of(user, tags=after).calls()] == sentences
