"""What AWS's refusals are taken for, and what to add where something is missing."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from iam.aws.actions import TITLES
from iam.aws.errors import AwsError, ErrorKind
from iam.aws.permissions import OBSERVE, READ, WRITE, read_actions
from iam.aws.writes import validate
from iam.mirror.doctor.checks import StoredExamination, is_explicit_denial, statement, why_denied
from iam.mirror.doctor.connection_checks import AwsCaller, _clock, _skew
from iam.mirror.doctor.error_texts import READS, is_clock_skew, no_credentials
from iam.mirror.doctor.probes import probes
from iam.mirror.doctor.refused_calls import missing_of
from iam.mirror.models import Account, DoctorRun, Section
from tests import factories

USER = "User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: iam:ListUsers on resource: * "


@pytest.mark.parametrize(
    ("message", "why", "explicit"),
    [
        (
            USER + "because no identity-based policy allows the iam:ListUsers action",
            "no policy of the role allows it",
            False,
        ),
        (
            USER + "with an explicit deny in an identity-based policy",
            "an identity-based policy denies it",
            True,
        ),
        (
            USER + "with an explicit deny in a service control policy",
            "a service control policy denies it",
            True,
        ),
        (USER + "with an explicit deny in a permissions boundary", "a permissions boundary denies it", True),
        (USER + "with an explicit deny", "a policy denies it", True),
        (
            USER + "because no service control policy allows the iam:ListUsers action",
            "no service control policy allows it, which a policy of the role can’t fix",
            True,
        ),
        (
            USER + "because no permissions boundary allows the action",
            "no permissions boundary allows it",
            True,
        ),
        (USER, "AWS gives no reason", False),
        ("", "AWS gives no reason", False),
    ],
)
def test_where_a_denial_comes_from(message: str, why: str, explicit: bool) -> None:
    assert why_denied(message).startswith(why)
    assert is_explicit_denial(message) is explicit


def refused(
    code: str, message: str = "", *, kind: ErrorKind = ErrorKind.CREDENTIALS, request_id: str = "r"
) -> AwsError:
    return AwsError(message, kind=kind, action="sts:GetCallerIdentity", code=code, request_id=request_id)


@pytest.mark.parametrize(
    "error",
    [
        refused("SignatureDoesNotMatch", "Signature expired: 20261124T101010Z is now earlier than …"),
        refused("SignatureDoesNotMatch", "Signature not yet current: 20261124T111111Z is still later than …"),
        refused("RequestExpired", "Request has expired"),
    ],
)
def test_a_wrong_clock_is_told_from_wrong_keys(error: AwsError) -> None:
    assert is_clock_skew(error)
    assert "clock" in no_credentials(error)


def test_wrong_keys_are_no_wrong_clock() -> None:
    error = refused("SignatureDoesNotMatch", "The request signature we calculated does not match")
    assert not is_clock_skew(error)
    assert "rejected" in no_credentials(error)


@pytest.mark.parametrize(("seconds", "verdict"), [(0, "ok"), (59, "ok"), (-240, "warning"), (240, "warning")])
def test_a_clock_that_is_off_is_mentioned_before_aws_refuses(seconds: int, verdict: str) -> None:
    now = datetime.now(tz=UTC) + timedelta(seconds=seconds)
    skew = _skew({"HTTPHeaders": {"date": now.strftime("%a, %d %b %Y %H:%M:%S GMT")}})
    assert skew is not None
    (check,) = _clock(AwsCaller("1", "arn:aws:iam::1:root", skew))
    assert check.verdict == verdict
    if verdict == "warning":
        assert ("behind" in check.detail) is (seconds > 0)


@pytest.mark.parametrize("metadata", [{}, {"HTTPHeaders": {}}, {"HTTPHeaders": {"date": "soon"}}])
def test_an_answer_without_a_date_says_nothing_about_the_clock(metadata: dict[str, Any]) -> None:
    assert _skew(metadata) is None


def test_every_action_that_only_reads_has_a_probe_that_aws_would_understand() -> None:
    table = probes(account_id="123456789012", partition="aws", access_key_id="AKIAIOSFODNN7EXAMPLE")
    observing = {action for actions in OBSERVE.values() for action in actions}
    assert set(table) == set(read_actions()) | observing
    assert {
        a: errors for a, p in table.items() if (errors := validate(p.service, p.operation, p.params))
    } == {}


def test_everything_has_a_title() -> None:
    assert set(READS) == set(READ)
    assert set(TITLES) == set(WRITE)


def test_the_statement_allows_exactly_what_is_missing() -> None:
    assert json.loads(statement(["iam:ListUsers", "iam:GetUser"])) == {
        "Sid": "GatehouseMissing",
        "Effect": "Allow",
        "Action": ["iam:GetUser", "iam:ListUsers"],
        "Resource": "*",
    }


def denied_section(account: Account, **fields: Any) -> Section:
    defaults = {
        "name": "access_keys",
        "state": "denied",
        "permission": "iam:GetAccessKeyLastUsed",
        "message": USER + "because no identity-based policy allows the action",
        "attempted_at": datetime.now(tz=UTC),
        "bad_since": datetime(2026, 11, 21, 8, 2, tzinfo=UTC),
        "request_id": "4be1a0c2",
    }
    return Section.objects.create(account=account, **defaults | fields)


def a_check(key: str, group: str, missing: list[str], **fields: Any) -> dict[str, Any]:
    return {
        "key": key, "group": group, "title": key, "verdict": "denied", "detail": "", "missing": missing,
        "is_explicit": False, "told": "", "code": "", "request_id": "",
    } | fields  # fmt: skip


@pytest.mark.django_db
def test_what_the_last_reading_and_the_examination_miss_is_one_statement() -> None:
    account = factories.account(write_role_arn="arn:aws:iam::111111111111:role/x/gatehouse-writer")
    section = denied_section(account)
    run = DoctorRun.objects.create(
        account=account,
        state="done",
        ended_at=datetime.now(tz=UTC) + timedelta(seconds=1),
        checks=[
            a_check("tags", "read", ["iam:ListPolicyTags"]),
            a_check("access-keys", "read", ["iam:GetAccessKeyLastUsed"]),
            a_check("group-membership", "write", ["iam:AddUserToGroup"]),
            a_check("group-membership-observe", "write", ["iam:GetUser"]),
        ],
    )
    read, write = missing_of(account, [section], run)
    assert (read.role, read.actions) == (
        "gatehouse-reader",
        ("iam:GetAccessKeyLastUsed", "iam:ListPolicyTags"),
    )
    assert json.loads(read.statement)["Action"] == list(read.actions)
    assert read.refusals[0].request_id == "4be1a0c2"
    looking, changing = json.loads(f"[{write.statement}]")
    assert (looking["Action"], looking["Resource"]) == (["iam:GetUser"], "*")
    assert (changing["Action"], changing["Resource"]) == (
        ["iam:AddUserToGroup"],
        ["arn:aws:iam::111111111111:group/*"],
    )
    assert write.role == "x/gatehouse-writer"


@pytest.mark.django_db
def test_what_another_policy_forbids_is_no_statement() -> None:
    account = factories.account()
    section = denied_section(account, message=USER + "with an explicit deny in a service control policy")
    (missing,) = missing_of(account, [section], None)
    assert missing.statement == ""
    assert [refusal.action for refusal in missing.forbidden] == ["iam:GetAccessKeyLastUsed"]


@pytest.mark.django_db
def test_an_examination_older_than_the_last_reading_does_not_count_for_reads() -> None:
    account = factories.account()
    fresh = Section(account=account, name="tags", state="complete", attempted_at=datetime.now(tz=UTC))
    run = DoctorRun(
        account=account,
        state="done",
        ended_at=datetime.now(tz=UTC) - timedelta(hours=1),
        checks=[a_check("tags", "read", ["iam:ListPolicyTags"])],
    )
    assert missing_of(account, [fresh], run) == []


def test_an_account_is_reachable_only_when_every_check_of_the_way_works() -> None:
    ok = a_check("worker", "way", [], verdict="ok")
    assert StoredExamination((ok,)).is_reachable
    assert StoredExamination((ok, a_check("tags", "read", ["x"]))).is_reachable
    assert not StoredExamination((ok, a_check("assume", "way", []))).is_reachable
    assert not StoredExamination(()).is_reachable
