"""The kept statements of whole lists: they show what their query sets find, to each viewer their own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from iam.guard import Viewer, ViewerScope
from iam.keyset import KeysetPlace, Row, RowPage, page
from iam.mirror.models import Account, EdgeKind, Kind, Usage
from iam.mirror.queries.lists import core
from iam.mirror.queries.lists.context import ListContext
from iam.mirror.queries.lists.core import ListDefinition, ListQuery, list_page, wanted_rows
from iam.mirror.queries.lists.groups import GROUPS
from iam.mirror.queries.lists.instance_profiles import INSTANCE_PROFILES
from iam.mirror.queries.lists.people import PEOPLE
from iam.mirror.queries.lists.policies import POLICIES
from iam.mirror.queries.lists.providers import PROVIDERS
from iam.mirror.queries.lists.roles import ROLES
from tests import factories

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]

NOW = datetime(2026, 6, 1, tzinfo=UTC)
LISTINGS = (PEOPLE, GROUPS, ROLES, POLICIES, INSTANCE_PROFILES, PROVIDERS)
ORDERS = [
    pytest.param(listing, name, descending, id=f"{listing.name} by {'-' * descending}{name}")
    for listing in LISTINGS
    for name in listing.sorts
    for descending in (False, True)
]


def _things(account: Account, kind: Kind, count: int) -> None:
    for number in range(count):
        thing = factories.entity(
            account, kind, f"thing-{number}", created_at=NOW - timedelta(days=number % 3)
        )
        if kind is Kind.ROLE:
            Usage.objects.create(entity=thing, account=account, kind=kind, observed_at=NOW)


def _page(
    listing: ListDefinition,
    context: ListContext,
    wanted: ListQuery,
    after: KeysetPlace | None = None,
    before: KeysetPlace | None = None,
) -> RowPage[Row]:
    """As it is found without kept statements."""
    order = listing.sorts[wanted.sort].order(descending=wanted.descending)
    part = page(
        wanted_rows(listing, context, wanted), order=order, size=core.PAGE, after=after, before=before
    )
    listing.complete(context, part.rows)
    return part


@pytest.fixture
def accounts(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Account]]:
    """Two accounts of each kind of things, on pages of four."""
    monkeypatch.setattr(core, "PAGE", 4)
    core._page_of_all_rows.cache_clear()
    accounts = [factories.account(), factories.account("222222222222", name="staging")]
    for account in accounts:
        for number in range(7):
            factories.user(account, f"user-{number}", created_at=NOW - timedelta(days=number % 3))
        for listing in LISTINGS[1:]:
            _things(account, listing.kinds[0], 7)
    yield accounts
    core._page_of_all_rows.cache_clear()


@pytest.mark.parametrize(("listing", "sort", "descending"), ORDERS)
def test_a_page_of_a_whole_list_is_what_its_query_set_finds(
    accounts: list[Account], listing: ListDefinition, sort: str, descending: bool
) -> None:
    wanted, viewer = ListQuery(sort=sort, descending=descending), factories.viewer()
    order = listing.sorts[sort].order(descending=descending)
    for account, length in ((None, 14), (accounts[1], 7)):
        context = ListContext(viewer, account=account)
        first = list_page(listing, context, wanted)
        assert first == _page(listing, context, wanted)
        assert len(first.rows) == 4
        places = [order.position_of(first.rows[-1])]
        while (part := list_page(listing, context, wanted, after=places[-1])).has_after:
            assert part == _page(listing, context, wanted, after=places[-1])
            places.append(order.position_of(part.rows[-1]))
        assert len(places) * 4 + len(part.rows) == length
        back = list_page(listing, context, wanted, before=places[-1])
        assert back == _page(listing, context, wanted, before=places[-1])
        assert len(back.rows) in {3, 4}


def test_each_viewer_gets_their_own_rows_and_what_is_new(accounts: list[Account]) -> None:
    everyone = factories.viewer()
    viewer = replace(everyone, scope=ViewerScope(accounts=frozenset({"222222222222"})))
    nobody = replace(everyone, scope=ViewerScope())

    def groups(viewer: Viewer) -> int:
        return len(list_page(GROUPS, ListContext(viewer), ListQuery(descending=True)).rows)

    core_rows = [(groups(everyone), groups(viewer), groups(nobody)) for _ in range(2)]
    assert core_rows == [(4, 4, 0), (4, 4, 0)]
    factories.group(accounts[0], "zzz")
    names = [
        list_page(GROUPS, ListContext(v), ListQuery(descending=True)).rows[0]["name"]
        for v in (everyone, viewer)
    ]
    assert names == ["zzz", "thing-6"]


TIES = {
    PEOPLE: (EdgeKind.MEMBER, "groups"),
    GROUPS: (EdgeKind.ATTACHED, "attached"),
    ROLES: (EdgeKind.BOUNDARY, "boundary"),
    POLICIES: (None, "version_count"),
    INSTANCE_PROFILES: (EdgeKind.PROFILE_ROLE, "role"),
    PROVIDERS: (None, "roles"),
}


@pytest.mark.parametrize("listing", LISTINGS, ids=lambda listing: listing.name)
@pytest.mark.parametrize("count", [1, 50, 51, 60])
def test_what_completes_a_page_is_what_completes_many_rows(listing: ListDefinition, count: int) -> None:
    account, context = factories.account(), ListContext(factories.viewer())
    kind, shown = TIES[listing]
    target = factories.entity(account, Kind.SCP, "target")
    for number in range(count):
        source = factories.entity(account, listing.kinds[0], f"thing-{number:02d}")
        if kind and number % 3 == 0:
            factories.edge(kind, source, target)
    whole = list(core.all_rows(listing, context, ListQuery()))
    first = list_page(listing, context, ListQuery())
    order = listing.sorts["name"].order(descending=False)
    rows = first.rows
    if first.has_after:
        rows = rows + list_page(listing, context, ListQuery(), after=order.position_of(rows[-1])).rows
    assert rows == whole
    assert len(rows) == count
    if kind:
        assert [bool(row[shown]) for row in rows] == [number % 3 == 0 for number in range(count)]
