"""Throttling, failures, cut connections and denials come when they are asked for."""

from __future__ import annotations

import time
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, HTTPClientError

from console.demo.organisation.people import ACCOUNT_IDS
from console.demo.standin.server import RunningStandin
from tests.console.demo.clients import control, hub, reader


@pytest.fixture
def faulty(fresh: RunningStandin) -> RunningStandin:
    return fresh


def code(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    return str(refused.value.response["Error"]["Code"])


@pytest.mark.parametrize(
    ("kind", "seen", "status"), [("throttling", "Throttling", 400), ("500", "InternalFailure", 500)]
)
def test_every_request_fails_when_the_rate_is_one(
    faulty: RunningStandin, kind: str, seen: str, status: int
) -> None:
    iam = reader(faulty, "iam", "data")
    control(faulty, "faults", {"rate": 1, "kinds": [kind]})
    with pytest.raises(ClientError) as refused:
        iam.list_users()
    assert refused.value.response["Error"]["Code"] == seen
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    control(faulty, "faults/clear", {})
    assert iam.list_users()["Users"]


def test_every_service_throttles_and_denies_in_its_own_words(faulty: RunningStandin) -> None:
    organizations, ec2 = hub(faulty, "organizations"), reader(faulty, "ec2", "data", region="eu-west-1")
    control(faulty, "faults", {"rate": 1, "kinds": ["throttling"]})
    assert code(organizations.list_roots) == "TooManyRequestsException"
    assert code(ec2.describe_instances) == "RequestLimitExceeded"
    control(faulty, "faults/clear", {})
    control(faulty, "faults", {"deny": {"*": ["organizations:ListRoots", "ec2:DescribeInstances"]}})
    assert code(organizations.list_roots) == "AccessDeniedException"
    assert code(ec2.describe_instances) == "UnauthorizedOperation"


def test_a_connection_is_cut(faulty: RunningStandin) -> None:
    iam = reader(faulty, "iam", "data")
    control(faulty, "faults", {"rate": 1, "kinds": ["reset"]})
    with pytest.raises((ConnectionClosedError, HTTPClientError)):
        iam.list_users()


def test_about_the_wanted_share_of_requests_fails(faulty: RunningStandin) -> None:
    iam = reader(faulty, "iam", "data")
    control(faulty, "faults", {"rate": 0.3, "kinds": ["500"], "seed": 5})
    failed = 0
    for _ in range(60):
        try:
            iam.get_account_summary()
        except ClientError:
            failed += 1
    assert 9 <= failed <= 27
    assert control(faulty, "stats")["struck"] == {"500": failed}


def test_an_action_is_denied_in_one_account_only(faulty: RunningStandin) -> None:
    data, staging = reader(faulty, "iam", "data"), reader(faulty, "iam", "staging")
    control(faulty, "faults", {"deny": {ACCOUNT_IDS["data"]: ["iam:ListUsers"]}})
    assert code(data.list_users) == "AccessDenied"
    assert data.list_roles()["Roles"]
    assert staging.list_users()["Users"]
    control(faulty, "faults", {"allow": {ACCOUNT_IDS["data"]: ["iam:ListUsers"]}})
    assert data.list_users()["Users"]


def test_the_stand_in_stops_answering_after_so_many_requests(faulty: RunningStandin) -> None:
    iam = reader(faulty, "iam", "data")
    control(faulty, "faults", {"stop_after": 2})
    iam.get_account_summary()
    iam.get_account_summary()
    with pytest.raises((ConnectionClosedError, HTTPClientError)):
        iam.get_account_summary()
    control(faulty, "faults", {"stop_after": None})
    assert iam.get_account_summary()


def test_latency_is_added(faulty: RunningStandin) -> None:
    iam = reader(faulty, "iam", "data")
    iam.get_account_summary()
    control(faulty, "faults", {"latency_ms": 150})
    began = time.monotonic()
    iam.get_account_summary()
    assert time.monotonic() - began >= 0.15


def test_an_unknown_setting_is_refused(faulty: RunningStandin) -> None:
    with pytest.raises(OSError, match="400"):
        control(faulty, "faults", {"speed": 3})


def test_a_call_that_is_not_served_says_so(faulty: RunningStandin) -> None:
    iam = reader(faulty, "iam", "data")
    with pytest.raises(ClientError, match="The stand-in does not answer iam:GetContextKeysForCustomPolicy"):
        iam.get_context_keys_for_custom_policy(PolicyInputList=["{}"])
