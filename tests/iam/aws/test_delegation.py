"""Delegation requests, outbound federation, and how long a sign-in may last, as AWS sends them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from iam.aws.errors import AwsError, ErrorKind
from iam.aws.reads import delegation, details, entities, lists
from iam.aws.reads.delegation import DelegationRequest, OutboundFederation
from iam.aws.session import Aws
from tests.bench.fakeaws.world import World
from tests.iam.aws.scripted import answer, error

Scripted = Callable[..., Aws]
LIST, INFO = "ListDelegationRequests", "GetOutboundWebIdentityFederationInfo"
WHOLE = """<DelegationRequests><member>
<DelegationRequestId>dr-0123456789abcdef</DelegationRequestId><OwnerAccountId>111111111111</OwnerAccountId>
<Description>Set up monitoring</Description><RequestMessage>https://vendor.example/?token=s3cret</RequestMessage>
<Permissions><PolicyTemplateArn>arn:aws:iam::aws:delegation-template/x</PolicyTemplateArn>
<Parameters><member><Name>token</Name><Values><member>s3cret</member></Values></member></Parameters></Permissions>
<PermissionPolicy>%7B%22Version%22%3A%222012-10-17%22%7D</PermissionPolicy>
<RolePermissionRestrictionArns><member>arn:aws:iam::aws:policy/b</member></RolePermissionRestrictionArns>
<OwnerId>arn:aws:iam::111111111111:user/maya</OwnerId><ApproverId>arn:aws:iam::111111111111:role/boss</ApproverId>
<State>FINALIZED</State><ExpirationTime>2026-12-01T00:00:00Z</ExpirationTime><RequestorId>222222222222</RequestorId>
<RequestorName>Vendor</RequestorName><CreateDate>2026-11-20T00:00:00Z</CreateDate><SessionDuration>7200</SessionDuration>
<RedirectUrl>https://vendor.example/done?token=s3cret</RedirectUrl><Notes>s3cret</Notes>
<UpdatedTime>2026-11-24T00:00:00Z</UpdatedTime></member></DelegationRequests><isTruncated>false</isTruncated>"""


def day(number: int, month: int = 11) -> datetime:
    return datetime(2026, month, number, tzinfo=UTC)


def test_a_delegation_request_is_read_without_what_can_hold_a_secret(scripted: Scripted) -> None:
    [request] = delegation.delegation_requests(scripted(answer(LIST, WHOLE)))
    assert request == DelegationRequest(
        request_id="dr-0123456789abcdef",
        state="FINALIZED",
        requestor_id="222222222222",
        requestor_name="Vendor",
        description="Set up monitoring",
        owner_arn="arn:aws:iam::111111111111:user/maya",
        approver_arn="arn:aws:iam::111111111111:role/boss",
        template_arn="arn:aws:iam::aws:delegation-template/x",
        policy='{"Version":"2012-10-17"}',
        boundaries=("arn:aws:iam::aws:policy/b",),
        session_duration=7200,
        created_at=day(20),
        updated_at=day(24),
        expires_at=day(1, month=12),
    )
    assert "s3cret" not in repr(request)


def test_all_pages_of_delegation_requests_are_read(
    aws: Aws, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert delegation.delegation_requests(aws) == ()
    made = [{"DelegationRequestId": f"dr-{number:016d}", "State": "ASSIGNED"} for number in range(230)]
    monkeypatch.setattr(world.account, "delegations", made)
    aws.calls.clear()
    requests = delegation.delegation_requests(aws)
    assert [request.request_id for request in requests] == [f"dr-{number:016d}" for number in range(230)]
    assert aws.calls == {"iam:ListDelegationRequests": 3}


@pytest.mark.parametrize(
    "reply",
    [
        answer(LIST, "<isTruncated>false</isTruncated>"),
        answer(LIST, "<DelegationRequests><member><State>ASSIGNED</State></member></DelegationRequests>"),
        answer(LIST, "<DelegationRequests/><isTruncated>true</isTruncated>"),
        error("AccessDenied", status=403),
    ],
)
def test_what_is_no_whole_list_of_delegation_requests_is_an_error(scripted: Scripted, reply: object) -> None:
    with pytest.raises(AwsError):
        delegation.delegation_requests(scripted(*[reply] * 5))


ON = "<IssuerIdentifier>https://a.example</IssuerIdentifier><JwtVendingEnabled>true</JwtVendingEnabled>"


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (answer(INFO, ON), OutboundFederation(True, "https://a.example")),
        (answer(INFO, ON.replace("true", "false")), OutboundFederation(False, "https://a.example")),
        (error("FeatureDisabled", status=404), OutboundFederation(False, "")),
        (error("FeatureDisabledException", status=404), OutboundFederation(False, "")),
    ],
)
def test_outbound_federation(scripted: Scripted, reply: object, expected: OutboundFederation) -> None:
    assert delegation.outbound_federation(scripted(reply)) == expected


@pytest.mark.parametrize(
    "reply", [error("AccessDenied", status=403), error("NoSuchEntity"), answer(INFO, "")]
)
def test_what_is_no_answer_about_outbound_federation_is_an_error(scripted: Scripted, reply: object) -> None:
    with pytest.raises(AwsError) as caught:
        delegation.outbound_federation(scripted(*[reply] * 5))
    assert caught.value.kind in (ErrorKind.DENIED, ErrorKind.NOT_FOUND, ErrorKind.UNEXPECTED)


ROLE = (
    "<RoleId>AROA1</RoleId><RoleName>app</RoleName><Arn>arn:aws:iam::111111111111:role/app</Arn><Path>/</Path>"
    "<CreateDate>2026-01-01T00:00:00Z</CreateDate><AssumeRolePolicyDocument>%7B%7D</AssumeRolePolicyDocument>"
)
LENGTH = "<MaxSigninSessionDuration>86400</MaxSigninSessionDuration>"


@pytest.mark.parametrize(("more", "seconds"), [(LENGTH, 86400), ("", None)])
def test_a_maximum_sign_in_session_that_is_not_set_is_none(
    scripted: Scripted, more: str, seconds: int | None
) -> None:
    roles = f"<Roles><member>{ROLE}{more}</member></Roles><IsTruncated>false</IsTruncated>"
    [listed] = lists.list_roles(scripted(answer("ListRoles", roles)))
    assert listed.max_sign_in_duration == seconds
    profile = "<UserName>maya</UserName><CreateDate>2026-01-01T00:00:00Z</CreateDate>"
    reply = answer("GetLoginProfile", f"<LoginProfile>{profile}{more}</LoginProfile>")
    read = details.login_profile(scripted(reply), user_name="maya")
    assert read is not None
    assert read.max_sign_in_duration == seconds


def test_a_role_that_is_read_alone_has_it_too(aws: Aws, world: World) -> None:
    name = world.account.roles[0]["name"]
    assert entities.get_role(aws, name=name).max_sign_in_duration is None
