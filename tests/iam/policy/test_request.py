"""What is known of a principal by its name alone."""

from __future__ import annotations

import pytest

from iam.policy.request import Principal, PrincipalKind
from tests.iam.policy.cases.notation import ACCOUNT, FEDERATED, ROLE, ROOT, SESSION, USER

CHINA = f"arn:aws-cn:iam::{ACCOUNT}"
KINDS = {
    ROOT: PrincipalKind.ROOT,
    USER: PrincipalKind.USER,
    ROLE: PrincipalKind.ROLE,
    SESSION: PrincipalKind.SESSION,
    FEDERATED: PrincipalKind.FEDERATED_USER,
    f"arn:aws:iam::{ACCOUNT}:saml-provider/corporate": PrincipalKind.PROVIDER,
    f"arn:aws:iam::{ACCOUNT}:oidc-provider/example.com": PrincipalKind.PROVIDER,
    "www.amazon.com": PrincipalKind.PROVIDER,
    "cognito-identity.amazonaws.com": PrincipalKind.PROVIDER,
    "ec2.amazonaws.com": PrincipalKind.SERVICE,
    "ec2.amazonaws.com.cn": PrincipalKind.SERVICE,
    "*": PrincipalKind.ANONYMOUS,
    "": PrincipalKind.ANONYMOUS,
    "somebody": PrincipalKind.OTHER,
    f"arn:aws:iam::{ACCOUNT}:group/staff": PrincipalKind.OTHER,
    f"arn:aws:sts::{ACCOUNT}:user/ana": PrincipalKind.OTHER,
    f"arn:aws:iam::{ACCOUNT}:assumed-role/app/night": PrincipalKind.OTHER,
    f"arn:aws:s3::{ACCOUNT}:user/ana": PrincipalKind.OTHER,
    f"aws:arn:iam::{ACCOUNT}:user/ana": PrincipalKind.OTHER,
    f"arn:aws:iam:{ACCOUNT}:user/ana": PrincipalKind.OTHER,
}


@pytest.mark.parametrize("arn", KINDS)
def test_the_kind_of_a_principal_follows_from_its_name(arn: str) -> None:
    assert Principal(arn).kind is KINDS[arn]


@pytest.mark.parametrize(
    ("arn", "name", "session"),
    [
        (USER, "ana", ""),
        (f"arn:aws:iam::{ACCOUNT}:user/staff/eu/ana", "ana", ""),
        (f"arn:aws:iam::{ACCOUNT}:role/staff/app", "app", ""),
        (SESSION, "app", "night"),
        (FEDERATED, "ana", ""),
        (ROOT, "root", ""),
        ("ec2.amazonaws.com", "ec2.amazonaws.com", ""),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role", "assumed-role", "assumed-role"),
    ],
)
def test_names_and_names_of_sessions_are_read(arn: str, name: str, session: str) -> None:
    principal = Principal(arn)
    assert (principal.name, principal.session_name) == (name, session)


@pytest.mark.parametrize(
    ("arn", "pattern", "account", "root", "role"),
    [
        (USER, "", ACCOUNT, ROOT, ""),
        (ROLE, "", ACCOUNT, ROOT, ROLE),
        (SESSION, "", ACCOUNT, ROOT, ROLE),
        (f"{CHINA}:user/ana", "", ACCOUNT, f"{CHINA}:root", ""),
        ("somebody", ACCOUNT, ACCOUNT, ROOT, ""),
        ("somebody", "", "", "", ""),
        ("ec2.amazonaws.com", "", "", "", ""),
    ],
)
def test_account_root_and_role_are_read(arn: str, pattern: str, account: str, root: str, role: str) -> None:
    principal = Principal(arn, given_account=pattern)
    assert (principal.account, principal.root_arn, principal.role_arn) == (account, root, role)
