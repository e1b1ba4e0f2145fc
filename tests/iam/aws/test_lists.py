"""The account-wide lists: what botocore parses, and an error where the answer is not what it should be."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from iam.aws.errors import AwsError, ErrorKind
from iam.aws.raw_lists import MALFORMED
from iam.aws.reads import lists
from iam.aws.records import PasswordPolicyRecord
from iam.aws.session import Aws
from tests.bench.fakeaws.world import World
from tests.iam.aws import stock
from tests.iam.aws.scripted import answer, error

Scripted = Callable[..., Aws]


def pages(operation: str, key: str) -> list[dict[str, Any]]:
    return [shape for page in stock.client().get_paginator(operation).paginate() for shape in page[key]]


def test_users_come_with_the_last_use_of_their_password(aws: Aws) -> None:
    users = [
        (user.aws_id, user.name, user.path, user.arn, user.created_at, user.password_last_used)
        for user in lists.list_users(aws)
    ]
    assert users == [
        (u["UserId"], u["UserName"], u["Path"], u["Arn"], u["CreateDate"], u.get("PasswordLastUsed"))
        for u in pages("list_users", "Users")
    ]
    assert {used is None for *_, used in users} == {True, False}


def test_roles_come_with_duration_and_description(aws: Aws) -> None:
    assert [
        (r.aws_id, r.name, r.arn, r.max_session_duration, r.description) for r in lists.list_roles(aws)
    ] == [
        (r["RoleId"], r["RoleName"], r["Arn"], r["MaxSessionDuration"], r["Description"])
        for r in pages("list_roles", "Roles")
    ]


def test_virtual_devices_come_with_their_users(aws: Aws) -> None:
    devices = [
        (d.serial_number, d.user_name, d.user_arn, d.user_id, d.enabled_at)
        for d in lists.list_virtual_mfa_devices(aws)
    ]
    assert devices == [
        (d["SerialNumber"], d["User"]["UserName"], d["User"]["Arn"], d["User"]["UserId"], d["EnableDate"])
        for d in pages("list_virtual_mfa_devices", "VirtualMFADevices")
    ]


def test_instance_profiles_come_with_their_role(aws: Aws) -> None:
    profiles = [
        (p.aws_id, p.name, p.path, p.arn, p.created_at, p.roles) for p in lists.list_instance_profiles(aws)
    ]
    assert profiles == [
        (
            p["InstanceProfileId"],
            p["InstanceProfileName"],
            p["Path"],
            p["Arn"],
            p["CreateDate"],
            tuple(role["RoleName"] for role in p["Roles"]),
        )
        for p in pages("list_instance_profiles", "InstanceProfiles")
    ]
    assert profiles


def test_a_device_of_the_root_user_and_one_of_nobody_are_told_apart(scripted: Scripted) -> None:
    root = "<User><UserId>111111111111</UserId><Arn>arn:aws:iam::111111111111:root</Arn></User>"
    members = (
        f"<member><SerialNumber>arn:1</SerialNumber><EnableDate>2024-01-01T00:00:00Z</EnableDate>{root}</member>"
        "<member><SerialNumber>arn:2</SerialNumber></member>"
    )
    inner = f"<VirtualMFADevices>{members}</VirtualMFADevices><IsTruncated>false</IsTruncated>"
    of_root, of_nobody = lists.list_virtual_mfa_devices(scripted(answer("ListVirtualMFADevices", inner)))
    assert (of_root.user_name, of_root.user_arn) == (None, "arn:aws:iam::111111111111:root")
    assert (of_nobody.user_arn, of_nobody.enabled_at) == (None, None)


def test_service_credentials_of_all_users_take_one_call(aws: Aws, world: World) -> None:
    owners = {user["name"] for user in world.account.users if user["service"]}
    service_specific_credential_records = lists.list_service_specific_credentials(aws)
    assert {credential.user_name for credential in service_specific_credential_records} == owners != set()
    assert aws.calls == {"iam:ListServiceSpecificCredentials": 1}


def test_providers_are_read_in_full(aws: Aws) -> None:
    okta = next(provider for provider in lists.list_saml_providers(aws) if provider.name == "Okta")
    assert okta.metadata_digest == hashlib.sha256(b"<EntityDescriptor entityID='x'/>").hexdigest()
    assert okta.valid_until is not None
    assert okta.valid_until.year == 2030
    assert okta.tags == {"Owner": "identity & access"}
    github = next(p for p in lists.list_oidc_providers(aws) if p.url == "token.actions.githubusercontent.com")
    assert (github.client_ids, github.thumbprints) == (("sts.amazonaws.com",), ("0" * 40,))


def test_a_provider_that_went_away_meanwhile_does_not_end_the_list(scripted: Scripted) -> None:
    arns = ["arn:aws:iam::111111111111:saml-provider/a", "arn:aws:iam::111111111111:saml-provider/b"]
    members = "".join(f"<member><Arn>{arn}</Arn></member>" for arn in arns)
    aws = scripted(
        answer("ListSAMLProviders", f"<SAMLProviderList>{members}</SAMLProviderList>"),
        error("NoSuchEntity", status=404),
        answer("GetSAMLProvider", "<SAMLMetadataDocument>x</SAMLMetadataDocument>"),
    )
    assert [provider.name for provider in lists.list_saml_providers(aws)] == ["b"]


def test_a_denied_provider_fails_the_whole_list(scripted: Scripted) -> None:
    members = "<member><Arn>arn:aws:iam::111111111111:saml-provider/a</Arn></member>"
    aws = scripted(
        answer("ListSAMLProviders", f"<SAMLProviderList>{members}</SAMLProviderList>"),
        error("AccessDenied", status=403),
    )
    with pytest.raises(AwsError) as caught:
        lists.list_saml_providers(aws)
    assert caught.value.permission == "iam:GetSAMLProvider"


def test_certificates_summary_and_alias_are_read(aws: Aws, world: World) -> None:
    assert [
        certificate.name for certificate in lists.list_server_certificates(aws)
    ] == world.account.server_certificates
    assert lists.account_summary(aws)["Users"] == len(world.account.users)
    assert lists.account_aliases(aws) == ("corp-111111111111",)


def test_the_password_policy_is_read(aws: Aws) -> None:
    assert lists.password_policy(aws) == PasswordPolicyRecord(
        minimum_length=14,
        requires_symbols=True,
        requires_numbers=True,
        requires_uppercase=True,
        requires_lowercase=True,
        allows_change=True,
        expires=True,
        maximum_age=90,
        reuse_prevention=24,
        hard_expiry=False,
    )


def test_an_account_with_the_default_password_policy_has_none(scripted: Scripted) -> None:
    assert lists.password_policy(scripted(error("NoSuchEntity", status=404))) is None


def test_a_denied_password_policy_is_not_taken_for_none(scripted: Scripted) -> None:
    with pytest.raises(AwsError) as caught:
        lists.password_policy(scripted(error("AccessDenied", status=403)))
    assert caught.value.kind is ErrorKind.DENIED


READS: list[Callable[[Aws], object]] = [
    lists.list_users,
    lists.list_roles,
    lists.list_virtual_mfa_devices,
    lists.list_instance_profiles,
    lists.list_service_specific_credentials,
    lists.list_server_certificates,
    lists.list_saml_providers,
    lists.list_oidc_providers,
    lists.account_summary,
    lists.account_aliases,
    lists.password_policy,
]
NO_ANSWERS = [b"", b"<html><body>Please sign in</body></html>", b"<a><b></a>", answer("Other", "<x/>"), b"{}"]


@pytest.mark.parametrize("body", NO_ANSWERS, ids=["empty", "html", "broken", "another answer", "json"])
@pytest.mark.parametrize("read", READS, ids=lambda read: read.__name__)
def test_what_is_no_answer_is_never_read_as_an_empty_list(
    scripted: Scripted, read: Callable[[Aws], object], body: bytes
) -> None:
    with pytest.raises(AwsError) as caught:
        read(scripted(*[body] * 5))
    assert caught.value.code == MALFORMED


@pytest.mark.parametrize("read", READS, ids=lambda read: read.__name__)
def test_a_denied_list_is_an_error_that_names_the_permission(
    scripted: Scripted, read: Callable[[Aws], object]
) -> None:
    with pytest.raises(AwsError) as caught:
        read(scripted(error("AccessDenied", status=403)))
    assert caught.value.kind is ErrorKind.DENIED
    assert caught.value.permission == caught.value.action != ""


@pytest.mark.parametrize(
    ("read", "operation", "lacking"),
    [
        (lists.account_summary, "GetAccountSummary", "SummaryMap"),
        (lists.password_policy, "GetAccountPasswordPolicy", "PasswordPolicy"),
        (lists.account_aliases, "ListAccountAliases", "AccountAliases"),
        (lists.caller_identity, "GetCallerIdentity", "Account"),
    ],
)
def test_an_answer_that_lacks_its_part_is_an_error(
    scripted: Scripted, read: Any, operation: str, lacking: str
) -> None:
    aws = scripted(answer(operation, ""), service="sts" if operation == "GetCallerIdentity" else "iam")
    with pytest.raises(AwsError, match=f"it lacks {lacking}"):
        read(aws)
