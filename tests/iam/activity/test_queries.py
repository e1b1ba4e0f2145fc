"""Questions about activity: whose events are whose, and what they add up to."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from iam.activity import queries
from iam.activity.models import TrailEvent
from iam.activity.queries import (
    ActivityFilter,
    actions_in,
    actions_used,
    addresses_of,
    by_service,
    callers_of,
    events_in,
    events_of,
    events_page,
    extent,
    made_by,
    searched_page,
)
from iam.mirror.models import Entity
from tests import factories
from tests.iam.activity.events import DENIED, happened, identity_of, session_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def maya() -> Entity:
    return factories.user(factories.account(), "maya.okafor")


def _events(entity: Entity, **wanted: Any) -> list[TrailEvent]:
    return events_page(events_of(callers_of(entity), ActivityFilter(**wanted))).rows


def test_events_belong_to_the_user_with_the_same_unique_id(maya: Entity) -> None:
    happened(identity_of(maya))
    happened(identity_of(maya, principalId="AIDAFORMERMAYA"))
    assert len(_events(maya)) == 1


def test_events_without_an_id_belong_to_the_user_with_the_same_arn(maya: Entity) -> None:
    happened(identity_of(maya, principalId=None))
    assert len(_events(maya)) == 1


def test_sessions_belong_to_their_role_whatever_they_are_called(maya: Entity) -> None:
    role = factories.role(maya.account, "app")
    happened(session_of(role, "one"))
    happened(session_of(role, "two"))
    assert {event.session_name for event in _events(role)} == {"one", "two"}
    assert _events(maya) == []


def test_events_are_filtered_by_result_text_and_time(maya: Entity) -> None:
    happened(identity_of(maya))
    happened(identity_of(maya), eventName="PutObject", readOnly=False, **DENIED)
    happened(identity_of(maya), at=datetime(2026, 1, 10, tzinfo=UTC), eventSource="sqs.amazonaws.com")
    happened(identity_of(maya), errorCode="ThrottlingException", eventName="ListBuckets")

    def actions(**wanted: Any) -> list[str]:
        return sorted(event.action for event in _events(maya, **wanted))

    assert actions(result="denied") == ["PutObject"]
    assert actions(result="failed") == ["ListAllMyBuckets", "PutObject"]
    assert actions(result="changes") == ["PutObject"]
    assert actions(text="sqs") == ["GetObject"]
    assert actions(text="s3:put") == ["PutObject"]
    assert actions(text="pay-ledger", until=datetime(2026, 1, 15, tzinfo=UTC)) == []
    assert actions(text="198.51.100.7") == ["GetObject", "GetObject", "ListAllMyBuckets", "PutObject"]
    assert actions(since=datetime(2026, 1, 15, tzinfo=UTC)) == ["GetObject", "ListAllMyBuckets", "PutObject"]


def test_rollups_say_the_same_as_the_events(maya: Entity) -> None:
    happened(identity_of(maya), times=3)
    happened(identity_of(maya), at=datetime(2026, 1, 21, tzinfo=UTC), eventName="PutObject", **DENIED)
    callers = callers_of(maya)
    (use,) = by_service(actions_used(callers))
    assert (use.service, use.calls, use.errors, use.denied, use.actions) == ("s3", 4, 1, 1, 2)
    assert by_service(actions_in(events_of(callers, ActivityFilter()))) == [use]
    assert [(each.action, each.calls) for each in actions_used(callers)] == [
        ("GetObject", 3),
        ("PutObject", 1),
    ]
    assert [each.action for each in actions_used(callers, since=date(2026, 1, 21))] == ["PutObject"]
    assert [(each.address, each.calls) for each in addresses_of(callers)] == [("198.51.100.7", 4)]


def test_nothing_of_an_address_is_told_if_the_setting_hides_them(maya: Entity, settings: Any) -> None:
    happened(identity_of(maya))
    settings.ACTIVITY_HIDE_ADDRESSES = True
    assert addresses_of(callers_of(maya)) == []
    assert _events(maya, text="198.51.100.7") == []


def test_who_made_a_call_is_told_by_name_key_session_or_person(maya: Entity) -> None:
    role = factories.role(maya.account, "app")
    happened(identity_of(maya, accessKeyId="AKIAMAYA"))
    happened(session_of(role, "run-1", sourceIdentity="maya@example.com"))
    every = events_in(None, ActivityFilter())
    for who, count in (("maya", 1), ("MAYA.OK", 1), ("AKIAMAYA", 1), ("run-1", 1), ("app", 1), ("noone", 0)):
        assert made_by(every, who).count() == count, who
    assert made_by(every, "maya@example.com").count() == 1


@pytest.mark.parametrize(("who", "count"), [("Maya Okafor", 1), ("okafor maya", 1), ("Maya Berg", 0)])
def test_who_made_a_call_is_told_by_the_name_that_the_list_shows(maya: Entity, who: str, count: int) -> None:
    Entity.objects.filter(pk=maya.pk).update(search=f"{maya.arn} maya okafor")
    happened(identity_of(maya))
    happened(identity_of(factories.user(maya.account, "jonas.berg")))
    assert made_by(events_in(None, ActivityFilter()), who).count() == count


def test_the_extent_says_from_when_to_when_events_are_known(maya: Entity) -> None:
    assert extent() is None
    happened(identity_of(maya))
    happened(identity_of(maya), at=datetime(2026, 1, 25, tzinfo=UTC))
    known = extent(maya.account.account_id)
    assert known is not None
    assert (known.first_at.day, known.last_at.day, known.quarantined) == (20, 25, 0)
    assert extent("999999999999") is None


def test_pages_of_events_follow_each_other_without_gap(maya: Entity) -> None:
    happened(identity_of(maya), times=7)
    rows = events_of(callers_of(maya), ActivityFilter())
    seen, place = [], None
    while True:
        page = events_page(rows, after=place, size=3)
        seen += [event.event_id for event in page.rows]
        place = page.after
        if place is None:
            break
    assert len(seen) == len(set(seen)) == 7


def test_a_search_looks_at_so_many_events_a_page_and_misses_none(
    maya: Entity, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    monkeypatch.setattr(queries, "SEARCHED", 3)
    at = datetime(2026, 1, 20, tzinfo=UTC)
    for number in range(11):
        name = "DeleteBucket" if number in (0, 1, 9) else "ListBuckets"
        # Two of them at the same moment, where one search ends and the next begins.
        happened(identity_of(maya), at=at + timedelta(minutes=number // 2), eventName=name)
    wanted = ActivityFilter(text="DeleteBucket")
    callers = callers_of(maya)
    found: list[Any] = []
    place: Any = None
    pages = 0
    while True:
        with django_assert_max_num_queries(2):
            page = searched_page(
                events_of(callers, wanted),
                events_of(callers, wanted.period),
                is_search=wanted.is_search,
                after=place,
            )
        found += [event.event_id for event in page.rows]
        pages += 1
        place = page.after
        if place is None:
            break
        assert page.searched_to is not None
    assert len(found) == len(set(found)) == 3
    assert 3 <= pages <= 5
    assert page.searched_to is None


@pytest.mark.parametrize("wanted", [ActivityFilter(), ActivityFilter(result="denied")])
def test_what_an_index_answers_is_no_search(maya: Entity, wanted: ActivityFilter) -> None:
    assert not wanted.is_search


def test_events_of_two_principals_follow_each_other_in_time(
    maya: Entity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "PAGE_SIZE", 2)
    monkeypatch.setattr(queries.events_page, "__kwdefaults__", {"after": None, "before": None, "size": 2})
    at = datetime(2026, 1, 20, tzinfo=UTC)
    for number in range(7):
        more = {"principalId": None} if number % 2 else {}
        happened(identity_of(maya, **more), at=at + timedelta(minutes=number // 2))
    callers = callers_of(maya)
    assert len(callers) == 2
    rows = events_of(callers, ActivityFilter())
    seen: list[Any] = []
    place: Any = None
    while True:
        page = searched_page(rows, rows, is_search=False, after=place, callers=callers)
        seen += [(event.at, event.event_id) for event in page.rows]
        place = page.after
        if place is None:
            break
    assert len(seen) == 7
    assert seen == sorted(set(seen), reverse=True)
