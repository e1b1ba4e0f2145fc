"""Somebody leaves: what ends first, what is kept, what is proved, and that nothing is asked for twice."""

from __future__ import annotations

import pytest

from iam.people.leaving.models import Seat
from tests.people.leaving.conftest import Farewell

pytestmark = pytest.mark.django_db


def test_everything_ends_the_deny_first_and_aws_shows_it(farewell: Farewell) -> None:
    run = farewell.asked()
    first, *_ = farewell.changes(run)
    assert (first.operation, first.branch, first.position) == ("inline_policy.put", 1, 0)
    assert not [one for one in farewell.changes(run)[1:] if one.branch in (0, 1)]
    farewell.approve(run)
    farewell.work()
    leaver = run.people.get()

    assert leaver.stage == "gone", (farewell.told(run), list(leaver.seats.values("proof", "trouble")))
    name = {"UserName": farewell.user.name}
    assert farewell.aws("ListUserPolicies", **name)["PolicyNames"] == ["GatehouseLeft"]
    keys = farewell.aws("ListAccessKeys", **name)["AccessKeyMetadata"]
    assert [one["Status"] for one in keys] == ["Inactive", "Inactive"]
    assert farewell.aws("ListGroupsForUser", **name)["Groups"] == []
    seat = Seat.objects.get()
    assert [(row["what"], row["says"]) for row in seat.proof][:3] == [
        ("User", "There"),
        ("Deny for everything", "In force"),
        ("Console password", "None"),
    ]
    assert not any(row["open"] for row in seat.proof)
    assert leaver.began_at <= leaver.closed_at <= leaver.proved_at < leaver.delete_after
