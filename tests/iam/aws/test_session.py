"""Reaching an account: its partition, its role, its limits, and the count of calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from iam.aws import session as session_module
from iam.aws.access import AccountAccess
from iam.aws.errors import AwsError, ErrorKind
from iam.aws.ratelimit import RateLimit, TokenBucket
from iam.aws.reads import lists
from iam.aws.session import Aws, connect
from tests.bench.fakeaws.world import World
from tests.iam.aws.scripted import ACCOUNT, Script, answer, error

SPOKE = AccountAccess(
    "111111111113", mode="role", role_arn="arn:aws:iam::111111111113:role/gatehouse-read", external_id="e-7"
)


WRONG = {
    "an account id that is none": {"account_id": "123"},
    "an unknown partition": {"account_id": ACCOUNT, "partition": "aws-moon"},
    "a role mode without a role": {"account_id": ACCOUNT, "mode": "role"},
    "a role without its mode": {"account_id": ACCOUNT, "role_arn": "arn:aws:iam::111111111111:role/x"},
    "a mode that is none": {"account_id": ACCOUNT, "mode": "magic"},
    "a session name with a space": {"account_id": ACCOUNT, "session_name": "a b"},
}


@pytest.mark.parametrize("fields", WRONG.values(), ids=WRONG)
def test_a_way_that_makes_no_sense_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        AccountAccess(**fields)


ENDPOINTS = [
    ("aws", "https://iam.amazonaws.com", "us-east-1", "https://sts.us-east-1.amazonaws.com"),
    (
        "aws-cn",
        "https://iam.cn-north-1.amazonaws.com.cn",
        "cn-north-1",
        "https://sts.cn-north-1.amazonaws.com.cn",
    ),
    (
        "aws-us-gov",
        "https://iam.us-gov.amazonaws.com",
        "us-gov-west-1",
        "https://sts.us-gov-west-1.amazonaws.com",
    ),
]


@pytest.mark.parametrize(("partition", "iam", "region", "sts"), ENDPOINTS)
def test_each_partition_has_its_own_endpoints(
    monkeypatch: pytest.MonkeyPatch, partition: str, iam: str, region: str, sts: str
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAFAKE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    aws = connect(AccountAccess(ACCOUNT, partition=partition))
    assert (aws.iam.meta.endpoint_url, aws.sts.meta.endpoint_url) == (iam, sts)
    assert aws.home_region == region
    Script([answer("ListAccountAliases", "<AccountAliases/>")]).install(aws.iam)
    signed: list[Any] = []
    aws.iam.meta.events.register_first("before-send", lambda request, **_: signed.append(request.headers))
    lists.account_aliases(aws)
    assert f"/{region}/iam/aws4_request".encode() in signed[0]["Authorization"]
    aws.close()


def test_a_region_of_ones_own_is_used_for_sts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    aws = connect(AccountAccess(ACCOUNT, region="eu-west-1"))
    assert aws.sts.meta.endpoint_url == "https://sts.eu-west-1.amazonaws.com"
    assert aws.iam.meta.endpoint_url == "https://iam.amazonaws.com"
    assert aws.ec2("eu-north-1").meta.endpoint_url == "https://ec2.eu-north-1.amazonaws.com"
    aws.close()


def test_no_credentials_at_all_is_said_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    for access in (AccountAccess(ACCOUNT), SPOKE):
        with pytest.raises(AwsError) as caught:
            lists.account_aliases(connect(access))
        assert caught.value.kind is ErrorKind.CREDENTIALS


def test_the_credentials_of_another_account_are_noticed(world: World) -> None:
    aws = connect(AccountAccess("222222222222"))
    with pytest.raises(AwsError, match="belong to account 111111111111, not to 222222222222") as caught:
        lists.confirm_account(aws)
    assert caught.value.kind is ErrorKind.CREDENTIALS
    aws.close()


def test_a_role_is_assumed_once_and_its_account_is_read(world: World) -> None:
    aws = connect(SPOKE)
    assert lists.confirm_account(aws).account_id == "111111111113"
    assert lists.account_aliases(aws) == ("corp-111111111113",)
    aws.close()
    again = connect(SPOKE)
    assert lists.account_aliases(again) == ("corp-111111111113",)
    again.close()
    assert world.requests["sts:AssumeRole"] == 1


def test_the_role_is_asked_for_with_external_id_and_session_name(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, str]] = []
    assume = world.sts.AssumeRole
    monkeypatch.setattr(world.sts, "AssumeRole", lambda p: (asked.append(p), assume(p))[1])
    aws = connect(replace(SPOKE, session_name="pull-3"))
    lists.account_aliases(aws)
    aws.close()
    (request,) = asked
    assert (request["RoleArn"], request["ExternalId"]) == (SPOKE.role_arn, "e-7")
    assert (request["RoleSessionName"], request["DurationSeconds"]) == ("pull-3", "3600")


def test_credentials_near_their_end_are_renewed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assume = world.sts.AssumeRole
    monkeypatch.setattr(world.sts, "AssumeRole", lambda p: assume({**p, "DurationSeconds": "60"}))
    aws = connect(SPOKE)
    lists.account_aliases(aws)
    lists.account_aliases(aws)
    aws.close()
    assert world.requests["sts:AssumeRole"] >= 2


def test_a_role_that_may_not_be_assumed_names_the_permission(world: World) -> None:
    world.control("/_config", {"deny": "sts:AssumeRole"})
    aws = connect(SPOKE)
    with pytest.raises(AwsError) as caught:
        lists.list_users(aws)
    assert (caught.value.kind, caught.value.permission) == (ErrorKind.DENIED, "sts:AssumeRole")
    aws.close()


def test_every_request_is_counted_and_told_retries_included(scripted: Callable[..., Aws]) -> None:
    aws = scripted(
        error("Throttling"),
        error("ServiceFailure", status=500),
        answer("ListAccountAliases", "<AccountAliases/>"),
    )
    warnings: list[str] = []
    aws.on_call = warnings.append
    assert lists.account_aliases(aws) == ()
    assert aws.calls == {"iam:ListAccountAliases": 3}
    assert warnings == ["iam:ListAccountAliases"] * 3


def test_what_is_throttled_for_ever_ends_as_throttled(scripted: Callable[..., Aws]) -> None:
    attempts = session_module.SENDS_PER_CALL
    aws = scripted(*[error("Throttling", "Rate exceeded")] * attempts)
    with pytest.raises(AwsError) as caught:
        lists.account_aliases(aws)
    assert (caught.value.kind, caught.value.is_retryable) == (ErrorKind.THROTTLED, True)
    assert aws.calls == {"iam:ListAccountAliases": attempts}


def test_a_denial_is_not_tried_again(scripted: Callable[..., Aws]) -> None:
    aws = scripted(error("AccessDenied", status=403))
    with pytest.raises(AwsError):
        lists.account_aliases(aws)
    assert aws.calls == {"iam:ListAccountAliases": 1}


def test_requests_say_who_sends_them(scripted: Callable[..., Aws]) -> None:
    aws = scripted(answer("ListAccountAliases", "<AccountAliases/>"))
    seen: list[Any] = []
    aws.iam.meta.events.register_first("before-send", lambda request, **_: seen.append(request))
    lists.account_aliases(aws)
    assert b"gatehouse" in seen[0].headers["User-Agent"]


def test_dates_are_in_utc_whatever_the_protocol(aws: Aws) -> None:
    account = aws.organizations.describe_account(AccountId=ACCOUNT)["Account"]
    assert account["JoinedTimestamp"].tzinfo is UTC
    assert aws.iam.list_users(MaxItems=1)["Users"][0]["CreateDate"].tzinfo is UTC


def test_a_bucket_lets_a_burst_pass_and_then_one_call_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("iam.aws.ratelimit.time.monotonic", lambda: now[0])
    monkeypatch.setattr("iam.aws.ratelimit.time.sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    bucket = TokenBucket(RateLimit(per_second=10, burst=5))
    assert [round(bucket.wait(), 6) for _ in range(7)] == [0, 0, 0, 0, 0, 0.1, 0.1]
    now[0] += 0.5
    assert [round(bucket.wait(), 6) for _ in range(6)] == [0, 0, 0, 0, 0, 0.1]


def test_two_ways_into_an_account_share_its_bucket(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr("iam.aws.ratelimit.time.sleep", waited.append)
    limit = RateLimit(per_second=0.001, burst=2)
    first, second = connect(AccountAccess(ACCOUNT), rate=limit), connect(AccountAccess(ACCOUNT), rate=limit)
    for aws in (first, second, second):
        lists.account_aliases(aws)
    assert len(waited) == 1
    assert waited[0] > 900
    first.close()
    second.close()


@pytest.mark.parametrize(("per_second", "burst"), [(0, 5), (-1, 5), (5, 0)])
def test_a_limit_that_lets_nothing_pass_is_refused(per_second: float, burst: int) -> None:
    with pytest.raises(ValueError):
        RateLimit(per_second=per_second, burst=burst)


def test_ended_sessions_do_not_pile_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from iam.aws import credentials

    monkeypatch.setattr(credentials, "_MAX_CREDENTIALS", 3)
    for number in range(6):
        account = str(111111111111 + number)
        aws = connect(AccountAccess(account, mode="role", role_arn=f"arn:aws:iam::{account}:role/r"))
        assert lists.account_aliases(aws) == (f"corp-{account}",)
        aws.close()
    assert len(credentials._kept) == 3


def test_the_report_is_dated_by_aws(aws: Aws, world: World) -> None:
    from iam.aws.reads.credential_report import read_credential_report

    first = read_credential_report(aws).generated_at
    assert datetime.now(UTC) - first < timedelta(hours=4)
    world.control("/_report", {"age_hours": "3.5"})
    assert read_credential_report(aws).generated_at == first - timedelta(hours=3.5)
