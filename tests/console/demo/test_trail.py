"""CloudTrail knows what the stand-in was asked, by whom, and without secrets."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from console.demo.standin.server import RunningStandin
from tests.console.demo.clients import all_pages, control, member, reader


def events(standin: RunningStandin, **by: str) -> list[dict[str, Any]]:
    trail = reader(standin, "cloudtrail", "production")
    wanted = [{"AttributeKey": key, "AttributeValue": value} for key, value in by.items()]
    listed_events = all_pages(trail, "lookup_events", "Events", LookupAttributes=wanted)
    return [event | {"record": json.loads(event["CloudTrailEvent"])} for event in listed_events]


def test_a_write_is_recorded_with_its_request_id_and_caller(fresh: RunningStandin) -> None:
    iam = member(fresh, "iam", "production")
    answer = iam.add_user_to_group(UserName="tomas.lind", GroupName="sre")
    (event,) = events(fresh, EventName="AddUserToGroup")
    record = event["record"]
    assert record["requestID"] == answer["ResponseMetadata"]["RequestId"]
    assert record["requestParameters"] == {"userName": "tomas.lind", "groupName": "sre"}
    assert record["userIdentity"]["sessionContext"]["sessionIssuer"]["userName"] == "gatehouse-writer"
    assert (event["Username"], event["ReadOnly"]) == ("test", "false")
    assert "gatehouse" in record["userAgent"] or "Boto3" in record["userAgent"]
    assert {r["ResourceName"] for r in event["Resources"]} == {"tomas.lind", "sre"}


def test_secrets_are_hidden(fresh: RunningStandin) -> None:
    iam = member(fresh, "iam", "production")
    iam.create_user(UserName="ben.carter")
    iam.create_login_profile(UserName="ben.carter", Password="A-password-of-Ben-1")
    (event,) = events(fresh, EventName="CreateLoginProfile")
    assert "A-password-of-Ben-1" not in event["CloudTrailEvent"]
    assert event["record"]["requestParameters"]["password"] == "HIDDEN_DUE_TO_SECURITY_REASONS"


def test_a_refused_call_is_recorded_with_its_error(fresh: RunningStandin) -> None:
    iam = reader(fresh, "iam", "production")
    control(fresh, "faults", {"deny": {"*": ["iam:ListRoles"]}})
    with pytest.raises(ClientError):
        iam.list_roles()
    with pytest.raises(ClientError):
        iam.get_user(UserName="nobody")
    assert events(fresh, EventName="ListRoles")[0]["record"]["errorCode"] == "AccessDenied"
    assert events(fresh, EventName="GetUser")[0]["record"]["errorCode"] == "NoSuchEntity"


def test_events_come_newest_first_in_pages_and_by_account(fresh: RunningStandin) -> None:
    iam = member(fresh, "iam", "production")
    for number in range(60):
        iam.create_group(GroupName=f"g{number}")
    trail = reader(fresh, "cloudtrail", "production")
    wanted = [{"AttributeKey": "ReadOnly", "AttributeValue": "false"}]
    first = trail.lookup_events(LookupAttributes=wanted)
    assert len(first["Events"]) == 50
    names = [json.loads(e["CloudTrailEvent"])["requestParameters"]["groupName"] for e in first["Events"]]
    assert names[:2] == ["g59", "g58"]
    rest = trail.lookup_events(LookupAttributes=wanted, NextToken=first["NextToken"])
    assert len(rest["Events"]) == 10
    assert reader(fresh, "cloudtrail", "data").lookup_events(LookupAttributes=wanted)["Events"] == []


def test_events_of_iam_are_in_the_region_where_aws_keeps_them(fresh: RunningStandin) -> None:
    member(fresh, "iam", "production").create_group(GroupName="here")
    by = [{"AttributeKey": "EventName", "AttributeValue": "CreateGroup"}]
    assert reader(fresh, "cloudtrail", "production").lookup_events(LookupAttributes=by)["Events"]
    ireland = reader(fresh, "cloudtrail", "production", region="eu-west-1")
    assert ireland.lookup_events(LookupAttributes=by)["Events"] == []
