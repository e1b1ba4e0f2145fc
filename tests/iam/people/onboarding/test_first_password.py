"""Whether newcomers can change their first password, by what the engine says of all that the blueprint gives
them.
"""

from __future__ import annotations

from typing import Any

import pytest

from iam.access.templates.models import Template, TemplateVersion
from iam.access.templates.shipped_files import ship
from iam.mirror.models import Account, AccountFact
from iam.people.blueprints.body import BlueprintBody
from iam.people.onboarding.creation_plan import sites_of
from iam.people.onboarding.first_password import lockouts, password_template
from tests import factories
from tests.console.onboarding import allows_own_passwords

pytestmark = pytest.mark.django_db
OWN = {"Effect": "Allow", "Action": ["iam:ChangePassword", "iam:GetAccountPasswordPolicy"], "Resource": "*"}
HARD = {"Effect": "Deny", "Action": "iam:ChangePassword", "Resource": "*"}
WITHOUT_MFA = {
    "Effect": "Deny",
    "NotAction": "iam:ListMFADevices",
    "Resource": "*",
    "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
}
FROM_OFFICE = OWN | {"Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}


@pytest.fixture
def account(db: None) -> Account:
    """With one group that the blueprint gives."""
    ship(Template, TemplateVersion)
    return factories.account(write_role_arn="arn:aws:iam::111111111111:role/gatehouse-writer")


def found(account: Account, *statements: dict[str, Any], **fields: Any) -> list[tuple[bool, bool]]:
    """(is a deny, is sure) of each lockout, where the group of the blueprint holds these statements."""
    group = factories.group(account, "payments-dev")
    if statements:
        factories.inline(group, "own", body={"Version": "2012-10-17", "Statement": list(statements)})
    body = BlueprintBody(
        accounts=(account.account_id,), path="/payments/", groups=("payments-dev",), **fields
    )
    sites = sites_of(body, viewer=factories.viewer())
    return [(lockout.is_denied, lockout.is_sure) for lockout in lockouts(sites)]


def test_nothing_that_allows_it_is_a_lockout(account: Account) -> None:
    factories.password_policy(account)
    assert found(account) == [(False, True)]


def test_a_password_policy_that_was_not_synced_leaves_it_open(account: Account) -> None:
    assert found(account) == [(False, False)]


def test_a_deny_is_sure_without_the_password_policy(account: Account) -> None:
    assert found(account, HARD) == [(True, True)]


def test_the_default_policy_of_aws_allows_nobody(account: Account) -> None:
    AccountFact.objects.create(
        account=account,
        name="password_policy",
        value=None,
        valid_from=factories.FIRST_READ,
        observed_at=factories.FIRST_READ,
    )
    assert found(account) == [(False, True)]


def test_whoever_gets_no_password_needs_to_change_none(account: Account) -> None:
    assert found(account, password=False) == []


def test_a_group_the_account_or_the_template_lets_them(account: Account) -> None:
    assert found(account, OWN) == []


def test_the_password_policy_of_the_account_lets_them(account: Account) -> None:
    allows_own_passwords(account)
    assert found(account) == []


def test_a_password_policy_that_does_not_allow_it_is_none(account: Account) -> None:
    factories.password_policy(account, minimum_length=14)
    assert found(account) == [(False, True)]


def test_the_shipped_template_fixes_it(account: Account) -> None:
    template = password_template()
    assert template is not None
    assert found(account, templates=(template,)) == []


@pytest.mark.parametrize("deny", [HARD, WITHOUT_MFA])
def test_a_deny_stops_even_what_the_account_allows(account: Account, deny: dict[str, Any]) -> None:
    allows_own_passwords(account)
    assert found(account, OWN, deny) == [(True, True)]


def test_a_permissions_boundary_stops_it_too(account: Account) -> None:
    allows_own_passwords(account)
    body = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    factories.policy(account, "TeamBoundary", body=body)
    assert found(account, OWN, boundary="TeamBoundary") == [(True, True)]


def test_what_hangs_on_the_network_is_said_and_refuses_nothing(account: Account) -> None:
    assert found(account, FROM_OFFICE) == [(False, False)]
