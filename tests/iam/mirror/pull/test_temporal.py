"""What the loader decides to write, as tables of cases."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from iam.mirror.models import Account, Edge, TagSet, UserCredentials
from iam.mirror.pull import bulk, temporal
from iam.mirror.pull.facts import ObservationTimes
from iam.mirror.pull.temporal import EDGES, TAGS, CurrentRow, RowDifference, Rows
from tests import factories

pytestmark = pytest.mark.on_postgresql

EARLY, AT, LATE = (datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3))


@pytest.mark.parametrize(
    ("wanted", "current", "inserts", "closes"),
    [
        ({(): ({"a": "1"},)}, {}, 1, []),
        ({(): ({"a": "1"},)}, {(): CurrentRow(7, ({"a": "1"},), EARLY)}, 0, []),
        ({(): ({"a": "2"},)}, {(): CurrentRow(7, ({"a": "1"},), EARLY)}, 1, [7]),
        ({}, {(): CurrentRow(7, ({"a": "1"},), EARLY)}, 0, [7]),
        ({}, {}, 0, []),
        # What was observed later than the reading is newer: it is neither replaced nor ended.
        ({(): ({"a": "2"},)}, {(): CurrentRow(7, ({"a": "1"},), LATE)}, 0, []),
        ({}, {(): CurrentRow(7, ({"a": "1"},), LATE)}, 0, []),
        ({(): ({"a": "2"},)}, {(): CurrentRow(7, ({"a": "1"},), AT)}, 1, [7]),
    ],
)
def test_rows_are_inserted_closed_or_left(
    wanted: dict[tuple[()], tuple[object, ...]],
    current: dict[tuple[()], CurrentRow],
    inserts: int,
    closes: list[int],
) -> None:
    rows: Rows = {1: dict(current)} if current else {}
    difference = temporal.difference(TAGS, wanted={1: wanted}, current=rows, at=AT)
    assert (len(difference.inserts), difference.closes) == (inserts, closes)
    assert difference.owners == ({1} if inserts or closes else set())


def test_owners_that_are_not_wanted_are_left_alone() -> None:
    rows: Rows = {2: {(): CurrentRow(7, ({"a": "1"},), EARLY)}}
    assert temporal.difference(TAGS, wanted={1: {}}, current=rows, at=AT) == RowDifference()


@pytest.mark.django_db
def test_a_row_that_ends_was_last_seen_at_the_observation_before_or_at_its_own() -> None:
    account = factories.account()
    user, other = factories.user(account, "a"), factories.user(account, "b")
    group = factories.group(account)
    old = factories.edge("member", user, group, since=EARLY)  # type: ignore[arg-type]
    own = factories.edge("member", other, group, since=AT)  # type: ignore[arg-type]
    between = datetime(2026, 1, 1, 12, tzinfo=UTC)
    temporal.load(
        EDGES,
        wanted={user.pk: {}, other.pk: {}},
        account_id=account.pk,
        seen=ObservationTimes(LATE, after=between),
    )
    old.refresh_from_db()
    own.refresh_from_db()
    assert (old.valid_to, old.last_seen) == (LATE, between)
    assert (own.valid_to, own.last_seen) == (LATE, AT)


@pytest.mark.django_db
def test_values_of_all_types_come_back_as_they_went_in() -> None:
    account = factories.account()
    user = factories.user(account)
    UserCredentials.objects.all().delete()
    moment = datetime(2026, 1, 1, 12, 30, 15, 123456, tzinfo=UTC)
    report = {"ü": "“quoted”\\ \n\t", "none": None, "list": [1, True, "x"]}
    values = (None, moment, "virtual", 1, 2, moment, report)
    temporal.load(
        temporal.CREDENTIALS,
        wanted={user.pk: {(): values}},
        account_id=account.pk,
        seen=ObservationTimes(AT, after=None),
    )
    row = UserCredentials.objects.get()
    assert (row.has_password, row.password_changed_at, row.report) == (None, moment, report)
    assert (row.valid_from, row.valid_to, row.after, row.observed_at) == (AT, None, None, AT)
    current_rows = temporal.current_rows(temporal.CREDENTIALS, owners=[user.pk])
    assert current_rows[user.pk][()].values == values


@pytest.mark.django_db
def test_bulk_updates_write_each_row_its_own_values(account: Account) -> None:
    users = [factories.user(account, name) for name in "abc"]
    tags = [
        TagSet.objects.create(account=account, entity=u, tags={}, valid_from=AT, observed_at=AT)
        for u in users
    ]
    rows = [(t.pk, bulk.canonical({"n": n}), LATE) for n, t in enumerate(tags[:2])]
    bulk.update(TagSet, key="id", columns=("tags", "observed_at"), rows=rows)
    bulk.update(TagSet, key="id", columns=("tags", "observed_at"), rows=[])
    rows_now = list(TagSet.objects.order_by("pk").values_list("tags", "observed_at"))
    assert rows_now == [({"n": 0}, LATE), ({"n": 1}, LATE), ({}, AT)]


@pytest.fixture
def account(db: None) -> Account:
    return factories.account()


def test_ids_are_given_once(account: Account) -> None:
    user = factories.user(account)
    first = bulk.allocate_ids(Edge, 3)
    group = factories.group(account)
    made = factories.edge("member", user, group)  # type: ignore[arg-type]
    assert len(set(first)) == 3
    bulk.insert(
        Edge,
        columns=(
            "id",
            "account_id",
            "kind",
            "source_id",
            "target_id",
            "valid_from",
            "observed_at",
            "cause_kind",
            "end_cause_kind",
        ),
        rows=[(max(first) + 1000, account.pk, "attached", user.pk, group.pk, AT, AT, "", "")],
    )
    again = bulk.allocate_ids(Edge, 2)
    assert not {made.pk, max(first) + 1000} & set(again)


def test_statistics_are_refreshed_of_tables_that_have_grown_by_a_good_part(account: Account) -> None:
    def statements(added: int) -> list[str]:
        with CaptureQueriesContext(connection) as captured:
            bulk.refresh_statistics([Edge, TagSet], added=added)
        return [q["sql"] for q in captured.captured_queries if q["sql"].startswith("ANALYZE")]

    is_postgres = connection.vendor == "postgresql"
    assert statements(999) == []
    assert statements(1000) == (["ANALYZE mirror_edge, mirror_tagset"] if is_postgres else [])
