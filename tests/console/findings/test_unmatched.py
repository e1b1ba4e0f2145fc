"""An entry of “Who is allowed” that matches no one gets a warning, and is not refused."""

from __future__ import annotations

import re
from html import unescape

import pytest

from iam.audit.assertions.models import StandingAssertion
from iam.audit.assertions.terms import AllowedKind, AllowedPrincipal, AssertionTerms
from iam.audit.assertions.unmatched import unmatched
from iam.directory.models import Role
from iam.mirror.models import Account, EdgeKind, Entity, TagSet
from tests import factories
from tests.console.findings.test_assertions import FILLED, NEW, page_of
from tests.console.findings.test_pages import signed_in, text
from tests.iam.audit.assertions.test_checks import assertion_of

pytestmark = [pytest.mark.django_db, pytest.mark.on_both]
SSO = "arn:aws:iam::111111111111:role/aws-reserved/sso.amazonaws.com/eu-west-1/"
SSO_NAME = "AWSReservedSSO_BreakGlass_0123456789abcdef"
CHECK = {"HX-Request": "true"}


@pytest.fixture
def account() -> Account:
    account = factories.account()
    factories.synced(account)
    factories.role(account, "BreakGlass")
    factories.role(account, SSO_NAME, arn=f"{SSO}{SSO_NAME}")
    maya = factories.user(account, "maya.okafor")
    factories.edge(EdgeKind.MEMBER, maya, factories.group(account, "admins"))
    factories.group(account, "empty")
    factories.user(account, "gone")
    Entity.objects.filter(name="gone").update(gone_at=factories.FIRST_READ)
    TagSet.objects.create(
        account=account,
        entity=maya,
        tags={"team": "platform", "a b": "1"},
        valid_from=factories.FIRST_READ,
        observed_at=factories.FIRST_READ,
    )
    return account


ARN = "arn:aws:iam::111111111111:role/BreakGlass"
CASES = [
    (
        AllowedKind.ROLE,
        ["BreakGlass", "breakglass", ARN, "Break*", "?reakGlass"],
        ["BreakGlas", "Break", "reak*", "arn:aws:iam::222222222222:role/*", "maya.okafor"],
    ),
    (
        AllowedKind.USER,
        ["maya.okafor", "maya.*", "*:user/maya.okafor"],
        ["mayaXokafor*", "maya", "BreakGlass", "m[a]ya*", "gone", "g?ne"],
    ),
    (AllowedKind.GROUP, ["admins", "ADM*"], ["empty", "admin"]),
    (AllowedKind.PERMISSION_SET, ["BreakGlass", "Break*"], ["Break", SSO_NAME]),
    (AllowedKind.ACCOUNT, ["111111111111"], ["222222222222"]),
    (AllowedKind.TAG, ["team=platform", "team=plat*", "a b=1"], ["team=Platform", "team=", "owner=platform"]),
]


@pytest.mark.parametrize(("kind", "matching", "missing"), CASES)
def test_entries_that_match_no_one(
    account: Account, kind: AllowedKind, matching: list[str], missing: list[str]
) -> None:
    allowed = tuple(AllowedPrincipal(kind, value) for value in (*matching, *missing))
    terms = AssertionTerms(("iam:CreateUser",), ("*",), allowed)
    viewer = factories.viewer(Role.AUDITOR)
    assert [each.value for each in unmatched(viewer, terms)] == missing


def test_only_accounts_that_are_checked_count(account: Account) -> None:
    factories.account("222222222222", name="staging")
    allowed = (AllowedPrincipal(AllowedKind.ROLE, "BreakGlass"),)
    terms = AssertionTerms(("iam:CreateUser",), ("*",), allowed, ("222222222222",))
    assert unmatched(factories.viewer(Role.AUDITOR), terms) == list(allowed)


def warnings_in(page: str) -> dict[str, str]:
    found = re.findall(r'<p[^>]*id="id_(allowed_\w+)_warning"[^>]*>(.*?)</p>', page, re.DOTALL)
    return {name: unescape(words).strip() for name, words in found if words.strip()}


ROLES = (
    "No synced IAM user or role matches roles BreakGlas and Root*. "
    "Check the spelling, unless they are for later."
)
GROUP = "No synced IAM user or role matches group empty. Check the spelling, unless it is for later."


def test_the_form_warns_at_the_field_while_it_is_filled(account: Account) -> None:
    client = signed_in(Role.ADMINISTRATOR)
    filled = FILLED | {"allowed_role": "BreakGlass\nBreakGlas\nRoot*", "allowed_group": "empty"}
    answer = client.post(NEW, filled | {"check": "1", "name": ""}, headers=CHECK)
    assert answer.status_code == 200
    assert warnings_in(answer.content.decode()) == {"allowed_role": ROLES, "allowed_group": GROUP}
    answer = client.post(NEW, FILLED | {"check": "1"}, headers=CHECK)
    assert warnings_in(answer.content.decode()) == {}
    assert not StandingAssertion.objects.exists()


def test_it_is_requested_nevertheless_and_the_page_warns_who_decides(account: Account) -> None:
    client = signed_in(Role.ADMINISTRATOR)
    filled = FILLED | {"allowed_role": "BreakGlas\nRoot*"}
    assert client.post(NEW, filled).status_code == 302
    assertion = StandingAssertion.objects.get()
    for reader in (
        client,
        signed_in(Role.APPROVER, name="Hana Sato"),
        signed_in(Role.AUDITOR, name="Ana Ruiz"),
    ):
        assert ROLES in text(reader, page_of(assertion))
    answer = client.post(NEW, filled | {"name": "", "reason": ""})
    assert answer.status_code == 422
    assert warnings_in(answer.content.decode()) == {"allowed_role": ROLES}


def test_the_form_of_a_change_warns_at_once_and_its_request_too(account: Account) -> None:
    assertion = assertion_of()
    client = signed_in(Role.ADMINISTRATOR)
    address = page_of(assertion, "-edit")
    assert warnings_in(text(client, address)) == {}
    assert "No synced" not in text(client, page_of(assertion))
    assert client.post(address, FILLED | {"allowed_role": "BreakGlas\nRoot*"}).status_code == 302
    assert ROLES in text(client, page_of(assertion))
    StandingAssertion.objects.update(
        terms=assertion.terms | {"allowed": [{"kind": "group", "value": "empty"}]}
    )
    assert warnings_in(text(client, address)) == {"allowed_group": GROUP}


def test_an_operator_of_some_accounts_is_told_of_those_that_they_see(account: Account) -> None:
    from django.test import Client

    client, operator = Client(), factories.operator(None, name="Hana Sato")
    factories.assign(operator.person, Role.AUDITOR, account_id=account.account_id)
    client.force_login(operator)
    terms = AssertionTerms(("iam:CreateUser",), ("*",), (AllowedPrincipal(AllowedKind.USER, "tomas"),))
    page = text(client, page_of(assertion_of(terms=terms.to_json())))
    assert "No synced IAM user or role in the accounts that you see matches IAM user tomas." in page
