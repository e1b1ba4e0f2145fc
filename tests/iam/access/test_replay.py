"""Replay of what CloudTrail recorded, against the policies of the mirror."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from iam.mirror import snapshot
from iam.mirror.models import EdgeKind, Entity
from tests import factories
from tests.iam.activity.events import happened, identity_of

pytestmark = pytest.mark.django_db


def _allow(action: str, resource: str = "*", **condition: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return {"Version": "2012-10-17", "Statement": [statement | condition]}


@pytest.fixture
def maya() -> Entity:
    account = factories.account()
    factories.synced(account)
    user = factories.user(account, "maya.okafor", path="/people/")
    group = factories.group(account, "payments")
    factories.edge(EdgeKind.MEMBER, user, group)
    factories.edge(EdgeKind.ATTACHED, user, factories.policy(account, "ReadLedger", body=_allow("s3:Get*")))
    teams = factories.policy(account, "TeamKeys", body=_allow("iam:ListAccessKeys", f"{user.arn}"))
    factories.edge(EdgeKind.ATTACHED, group, teams)
    factories.inline(user, "extra", body=_allow("s3:GetObject", "arn:aws:s3:::pay-ledger/a/*"))
    snapshot.forget()
    return user


def _replay(*options: str) -> Any:
    out = StringIO()
    call_command("replay", "maya.okafor", "--days", "3650", "--json", *options, stdout=out)
    return json.loads(out.getvalue())


@pytest.fixture
def deny_all(tmp_path: Path) -> Path:
    """A file with a policy that denies S3."""
    file = tmp_path / "deny.json"
    body = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}
    file.write_text(json.dumps(body), encoding="utf-8")
    return file


def _arn(name: str) -> str:
    return f"arn:aws:iam::111111111111:policy/{name}"


def _counts(answer: Any) -> dict[str, int]:
    return {name: answer[name] for name in ("calls", "same", "denied", "allowed", "undecided")}


def test_calls_that_only_the_policy_allowed_would_be_denied(maya: Entity) -> None:
    happened(identity_of(maya), times=3)
    happened(identity_of(maya), times=2, requestParameters={"bucketName": "other", "key": "x"})
    happened(identity_of(maya), eventName="GetCallerIdentity", eventSource="sts.amazonaws.com")
    answer = _replay("--without", _arn("ReadLedger"))
    # The inline policy still allows three of them.
    assert _counts(answer) == {"calls": 6, "same": 4, "denied": 2, "allowed": 0, "undecided": 0}
    (line,) = answer["changed"]
    assert (line["action"], line["resource"], line["calls"]) == ("s3:GetObject", "arn:aws:s3:::other/x", 2)


def test_what_todays_policies_deny_already_is_told_apart(maya: Entity, deny_all: Path) -> None:
    """AWS allowed it then; that it would be denied is not the doing of this change."""
    happened(identity_of(maya), times=2, eventName="PutObject")
    answer = _replay("--with", str(deny_all))
    assert (answer["same"], answer["denied"], answer["denied_already"]) == (2, 0, 2)


def test_a_policy_of_a_group_counts_and_a_user_is_found_within_its_path(maya: Entity) -> None:
    listed = {"eventSource": "iam.amazonaws.com", "eventName": "ListAccessKeys"}
    happened(identity_of(maya), requestParameters={"userName": "maya.okafor"}, **listed)
    assert _counts(_replay("--without", _arn("TeamKeys")))["denied"] == 1


def test_a_call_whose_resource_is_not_recorded_is_undecided_where_it_matters(maya: Entity) -> None:
    listed = {"eventSource": "iam.amazonaws.com", "eventName": "ListAccessKeys"}
    happened(identity_of(maya), requestParameters=None, **listed)
    # Nothing would allow it any more, whatever the resource was.
    assert _counts(_replay("--without", _arn("TeamKeys")))["denied"] == 1
    factories.inline(maya, "keys", body=_allow("iam:ListAccessKeys", "arn:aws:iam::111111111111:user/bot"))
    snapshot.forget()
    assert _counts(_replay("--without", _arn("TeamKeys")))["undecided"] == 1


def test_a_policy_that_would_be_added_allows_what_was_denied(maya: Entity, tmp_path: Path) -> None:
    happened(identity_of(maya), eventName="PutObject", readOnly=False, errorCode="AccessDenied")
    file = tmp_path / "policy.json"
    file.write_text(json.dumps(_allow("s3:PutObject", "arn:aws:s3:::pay-ledger/*")), encoding="utf-8")
    assert _counts(_replay("--with", str(file)))["allowed"] == 1
    condition = {"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}
    file.write_text(json.dumps(_allow("s3:PutObject", **condition)), encoding="utf-8")
    # A user with an access key and no session has no MFA.
    assert _counts(_replay("--with", str(file)))["same"] == 1


def test_only_calls_of_the_period_count(maya: Entity) -> None:
    happened(identity_of(maya), at=timezone.now().replace(microsecond=0))
    happened(identity_of(maya), at=datetime(2025, 1, 1, tzinfo=UTC))
    assert _replay("--without", _arn("ReadLedger"), "--days", "30")["calls"] == 1


def test_the_result_is_told_in_words(maya: Entity) -> None:
    happened(identity_of(maya), requestParameters={"bucketName": "other"}, eventName="GetBucketTagging")
    out = StringIO()
    call_command("replay", "maya.okafor", "--days", "3650", "--without", _arn("ReadLedger"), stdout=out)
    text = out.getvalue()
    assert "Of 1 calls" not in text
    assert "Of 1 call in 3650 days, 1 would be denied.\n" in text
    assert "s3:GetBucketTagging on arn:aws:s3:::other: would be denied" in text


def test_what_is_not_known_is_told_in_words(maya: Entity) -> None:
    """Without events, that nothing would be denied says nothing."""

    def words() -> str:
        out = StringIO()
        call_command("replay", "maya.okafor", "--without", _arn("ReadLedger"), stdout=out)
        return out.getvalue()

    account = maya.account.account_id
    text = words()
    assert text.startswith("No call of the last 90 days is recorded.")
    assert f"No CloudTrail events of {account} are known, so what would be denied is unknown." in text
    happened(identity_of(maya), at=datetime(2020, 3, 4, tzinfo=UTC))
    assert f"Events of {account} are known from 2020-03-04 to 2020-03-04." in words()


def test_calls_from_several_addresses_are_one_line(maya: Entity) -> None:
    """What tells them apart isn’t shown: two equal lines would read as a mistake."""
    for address, day in (("192.0.2.1", 3), ("192.0.2.2", 9), ("192.0.2.3", 5)):
        at = datetime(2026, 1, day, tzinfo=UTC)
        happened(identity_of(maya), at=at, times=day, eventName="GetBucketTagging", sourceIPAddress=address)
    (line,) = _replay("--without", _arn("ReadLedger"))["changed"]
    assert (line["calls"], line["first"][:10], line["last"][:10]) == (17, "2026-01-03", "2026-01-09")


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ({"Effect": "Allow", "Action": "s3:GetObject"}, "Resource"),
        ({"Effect": "Allow", "Resource": "*"}, "Action"),
        ({"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Principal": "*"}, "Principal"),
        ({"Effect": "Allow", "Action": [], "Resource": "*"}, "Action"),
    ],
)
def test_a_policy_that_aws_would_not_take_as_an_identity_policy_is_an_error(
    statement: dict[str, Any], message: str, maya: Entity, tmp_path: Path
) -> None:
    file = tmp_path / "policy.json"
    file.write_text(json.dumps({"Version": "2012-10-17", "Statement": [statement]}), encoding="utf-8")
    with pytest.raises(CommandError, match=rf"isn’t a valid.* policy: .*{message}"):
        call_command("replay", "maya.okafor", "--with", str(file))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--without", "arn:aws:iam::aws:policy/Nothing"], "doesn’t hold"),
        (
            ["--with", "/nowhere/policy.json"],
            r"/nowhere/policy.json can’t be read: No such file or directory\.$",
        ),
        (["--without", _arn("ReadLedger"), "--days", "0"], "1 or more"),
    ],
)
def test_what_can_not_be_replayed_is_an_error(maya: Entity, options: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        call_command("replay", "maya.okafor", *options)


def test_a_file_that_holds_no_policy_is_an_error(maya: Entity, tmp_path: Path) -> None:
    file = tmp_path / "policy.json"
    for text in ("{", "{}", '{"Version": "2012-10-17", "Statement": [{"Effect": "Maybe"}]}'):
        file.write_text(text, encoding="utf-8")
        with pytest.raises(CommandError, match="isn’t a valid policy"):
            call_command("replay", "maya.okafor", "--with", str(file))
    with pytest.raises(CommandError, match=r"nobody"):
        call_command("replay", "nobody", "--without", _arn("ReadLedger"))
