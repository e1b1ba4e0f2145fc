"""Delegation requests, outbound federation and the maximum sign-in session, from AWS into the mirror."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytest_django.fixtures import Settings

from iam.mirror.models import (
    Account,
    AccountFact,
    Entity,
    EntityState,
    Kind,
    Pull,
    Section,
    UserCredentials,
    valid_at,
)
from iam.mirror.pull.sections import DELEGATION_REQUESTS, LOGIN_PROFILES, OUTBOUND_FEDERATION
from tests.bench.fakeaws.world import World
from tests.iam.mirror.pull.conftest import redraw

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]
ISSUER = "https://issuer.example"
REQUEST = {
    "DelegationRequestId": "dr-0123456789abcdef",
    "State": "ASSIGNED",
    "RequestorName": "Vendor",
    "RequestorId": "222222222222",
    "PermissionPolicy": '{"Version": "2012-10-17", "Statement": []}',
    "SessionDuration": "3600",
    "RedirectUrl": "https://vendor.example/?token=s3cret",
    "Notes": "s3cret",
}


def federation(account: Account) -> object:
    facts = AccountFact.objects.filter(valid_at(None), account=account, name=OUTBOUND_FEDERATION)
    return facts.values_list("value", flat=True).first()


def requests(account: Account) -> list[tuple[str, str]]:
    rows = EntityState.objects.filter(valid_at(None), account=account, kind=Kind.DELEGATION_REQUEST)
    return list(rows.values_list("entity__aws_id", "category"))


def state(account: Account, section: str) -> str:
    return str(Section.objects.get(account=account, name=section).state)


def test_outbound_federation_is_a_fact_of_the_account(
    world: World, account: Account, pull: Callable[..., Pull]
) -> None:
    assert pull(account).state == "complete"
    assert federation(account) == {"JwtVendingEnabled": False, "IssuerIdentifier": ""}
    world.account.issuer = ISSUER
    redraw(world, new_report=False)
    pull(account)
    assert federation(account) == {"JwtVendingEnabled": True, "IssuerIdentifier": ISSUER}
    assert AccountFact.objects.filter(account=account, name=OUTBOUND_FEDERATION).count() == 2


def test_a_delegation_request_is_an_entity_without_secrets(
    world: World, account: Account, pull: Callable[..., Pull]
) -> None:
    world.account.delegations = [REQUEST]
    pull(account)
    assert requests(account) == [(REQUEST["DelegationRequestId"], "ASSIGNED")]
    row = EntityState.objects.select_related("document").get(valid_at(None), kind=Kind.DELEGATION_REQUEST)
    assert row.name == "Vendor"
    assert row.arn == f"arn:aws:iam::{account.account_id}:delegation-request/{REQUEST['DelegationRequestId']}"
    assert row.document is not None
    assert row.document.text == REQUEST["PermissionPolicy"]
    assert "s3cret" not in str(row.attrs)
    world.account.delegations = [{**REQUEST, "State": "ACCEPTED"}]
    redraw(world, new_report=False)
    pull(account)
    assert requests(account) == [(REQUEST["DelegationRequestId"], "ACCEPTED")]
    world.account.delegations = []
    redraw(world, new_report=False)
    pull(account)
    assert requests(account) == []
    assert Entity.objects.get(kind=Kind.DELEGATION_REQUEST).gone_at is not None


@pytest.mark.parametrize("fault", ["denied", "500", "malformed"])
@pytest.mark.parametrize(
    ("call", "section"),
    [
        ("GetOutboundWebIdentityFederationInfo", OUTBOUND_FEDERATION),
        ("ListDelegationRequests", DELEGATION_REQUESTS),
    ],
)
def test_what_was_known_stays_and_the_account_is_not_concerned(
    world: World, account: Account, pull: Callable[..., Pull], call: str, section: str, fault: str
) -> None:
    world.account.issuer, world.account.delegations = ISSUER, [REQUEST]
    pull(account)
    before = federation(account), requests(account)
    world.control("/_config", {"fail": f"{call}:1:{fault}"})
    done = pull(account)
    assert done.state == "partial"
    assert state(account, section) == ("denied" if fault == "denied" else "failed")
    assert state(account, "account") == "complete"
    assert (federation(account), requests(account)) == before


def test_a_maximum_sign_in_session_of_a_role_is_a_change_and_learning_it_is_none(
    world: World, account: Account, pull: Callable[..., Pull]
) -> None:
    pull(account)
    role = world.account.roles[1]
    first = EntityState.objects.get(valid_at(None), account=account, kind=Kind.ROLE, arn=role["arn"])
    assert first.attrs["MaxSigninSessionDuration"] is None
    # As an older version left it.
    attrs = {name: value for name, value in first.attrs.items() if name != "MaxSigninSessionDuration"}
    EntityState.objects.filter(pk=first.pk).update(attrs=attrs)
    pull(account)
    states = EntityState.objects.filter(entity=first.entity_id)
    assert states.count() == 1
    assert states[0].attrs["MaxSigninSessionDuration"] is None
    role["max_sign_in"] = 86400
    redraw(world, new_report=False)
    pull(account)
    assert states.count() == 2
    assert states.get(valid_at(None)).attrs["MaxSigninSessionDuration"] == 86400
    del role["max_sign_in"]
    redraw(world, new_report=False)
    pull(account)
    assert states.get(valid_at(None)).attrs["MaxSigninSessionDuration"] is None


def test_a_maximum_sign_in_session_of_a_user_comes_with_the_console_password(
    world: World, account: Account, pull: Callable[..., Pull], settings: Settings
) -> None:
    settings.DETAIL_CALLS = 1000
    user = next(user for user in world.account.users if user["login"])
    user["max_sign_in"] = 604800
    pull(account)
    assert state(account, LOGIN_PROFILES) == "complete"
    rows = UserCredentials.objects.filter(account=account, user__arn=user["arn"])
    assert rows.get(valid_at(None)).report["login_profile"]["MaxSigninSessionDuration"] == 604800
    row = rows.get(valid_at(None))
    del row.report["login_profile"]["MaxSigninSessionDuration"]
    row.save()
    Entity.objects.filter(account=account, kind=Kind.USER).update(detail_at=None)
    pull(account)
    assert rows.count() == 1
    assert rows.get().report["login_profile"]["MaxSigninSessionDuration"] == 604800
