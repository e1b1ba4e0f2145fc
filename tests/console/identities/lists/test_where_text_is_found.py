"""However many rows a text is found in, a list shows the same rows; and finds them in the way that is quick
for so many.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from iam.guard import Viewer, ViewerScope
from iam.mirror.queries.lists import core
from iam.mirror.queries.lists.context import ListContext
from iam.mirror.queries.lists.core import ListQuery, list_page
from iam.mirror.queries.lists.people import PEOPLE
from tests import factories

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]


EVERYTHING = Viewer(person_id=UUID(int=1), name="", email="", scope=ViewerScope(accounts=None))


def found(text: str) -> list[str]:
    """The users on the first page."""
    cache.clear()
    return [
        row["name"] for row in list_page(PEOPLE, ListContext(viewer=EVERYTHING), ListQuery(text=text)).rows
    ]


@pytest.fixture
def users() -> list[Any]:
    """Nine users, of whom one belongs to a person with another name."""
    account = factories.account()
    made = [factories.user(account, f"user-{number}") for number in range(9)]
    factories.person("Maya Okafor", arns=(made[4].arn,))
    factories.person("User Relations", arns=(made[8].arn,))
    return made


@pytest.mark.parametrize("has_index", [True, False])
@pytest.mark.parametrize(("few", "many"), [(200, 3000), (200, 2), (0, 3000), (0, 2)])
@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("user", range(9)),
        ("user-3", [3]),
        ("okafor", [4]),
        ("user rel", [8]),
        ("nobody", []),
        ("USER-7", [7]),
    ],
)
def test_every_way_finds_the_same(
    users: list[Any],
    monkeypatch: pytest.MonkeyPatch,
    has_index: bool,
    few: int,
    many: int,
    text: str,
    numbers: list[int],
) -> None:
    monkeypatch.setattr(core, "has_text_index", lambda: has_index)
    monkeypatch.setattr(core, "MAX_LISTED_ARNS", few)
    monkeypatch.setattr(core, "MANY", many)
    assert found(text) == [f"user-{number}" for number in numbers]


def test_a_page_of_many_does_not_find_all_of_them_first(
    users: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def subqueries(text: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            found(text)
        [page] = [
            query["sql"] for query in queries if "ORDER BY" in query["sql"] and "sort_name" in query["sql"]
        ]
        return page.count('FROM "mirror_entity" ')

    monkeypatch.setattr(core, "has_text_index", lambda: True)
    monkeypatch.setattr(core, "MANY", 2)
    assert subqueries("ser-") == 0
    assert subqueries("user-3") == 1
