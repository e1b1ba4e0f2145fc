"""“Explain” of an assertion opens “Who can” with those who break it, and says who is allowed."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest
from django.http import StreamingHttpResponse
from django.test import Client

from iam.audit.assertions.checks import check_due
from iam.audit.assertions.models import StandingAssertion
from iam.audit.assertions.terms import AllowedKind, AllowedPrincipal, AssertionTerms
from iam.directory.models import Role
from iam.mirror.models import Account, EdgeKind
from tests import factories
from tests.console.findings.test_assertions import page_of
from tests.console.findings.test_history import words_in
from tests.console.findings.test_pages import signed_in, text
from tests.iam.audit.assertions.test_checks import ALLOW, assertion_of

pytestmark = pytest.mark.django_db
EVERYONE = "/access/who-can/?action=iam%3ACreateUser&resource=%2A&mfa=any&region=any&time=any&owner=any"


@pytest.fixture
def account() -> Account:
    """BreakGlass and the group admins can create users, and so can tomas and the role jenkins."""
    account = factories.account()
    factories.synced(account)
    policy = factories.policy(account, "CreatesUsers", body=ALLOW)
    admins = factories.group(account, "admins")
    factories.edge(EdgeKind.MEMBER, factories.user(account, "maya"), admins)
    holders = [admins, factories.user(account, "tomas")]
    holders += [factories.role(account, name) for name in ("BreakGlass", "jenkins")]
    for holder in holders:
        factories.edge(EdgeKind.ATTACHED, holder, policy)
    return account


def broken(**fields: object) -> StandingAssertion:
    allowed = (
        AllowedPrincipal(AllowedKind.ROLE, "BreakGlass"),
        AllowedPrincipal(AllowedKind.GROUP, "admins"),
    )
    terms = AssertionTerms(("iam:CreateUser",), ("*",), allowed, **fields)
    assertion = assertion_of(terms=terms.to_json())
    check_due()
    return assertion


def explained(client: Client, assertion: StandingAssertion) -> str:
    links = re.findall(r'href="(/access/who-can/[?]action[^"]*)"', text(client, page_of(assertion)))
    return unescape(links[0])


def listed(page: str) -> set[str]:
    """Those of the four who are in the answer."""
    names = ("tomas", "jenkins", "maya", "BreakGlass", "kwame")
    return {name for name in names if f">{name}</a>" in page}


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.AUDITOR])
def test_explain_shows_those_who_break_it_and_who_is_allowed(account: Account, role: Role) -> None:
    assertion, client = broken(), signed_in(role)
    page = text(client, explained(client, assertion))
    words = words_in(page)
    assert "Users: 2 IAM users and roles break it. 2 more can do this and are left out" in words
    assert "Allowed: Role BreakGlass and group admins." in words
    assert "How access is given to those who break the assertion" in words
    assert listed(page) == {"tomas", "jenkins"}


def test_everyone_is_one_click_away(account: Account) -> None:
    assertion, client = broken(), signed_in(Role.AUDITOR)
    page = text(client, explained(client, assertion))
    (link,) = re.findall(r'href="([^"]*)">Show everyone who can<', page)
    page = text(client, unescape(link))
    assert listed(page) == {"tomas", "jenkins", "maya", "BreakGlass"}
    assert "break it" not in words_in(page)


def test_the_list_its_filter_and_its_file_keep_to_those_who_break_it(account: Account) -> None:
    assertion, client = broken(), signed_in(Role.AUDITOR)
    address = explained(client, assertion)
    page = text(client, f"{address}&view=list")
    assert "Everyone who breaks the assertion" in page
    assert listed(page) == {"tomas", "jenkins"}
    page = text(client, f"{address}&q=tomas")
    assert listed(page) == {"tomas"}
    assert "1 IAM user or role that breaks it matches the filter." in words_in(page)
    (file,) = re.findall(r'href="([^"]*export[^"]*json[^"]*)"', text(client, address))
    answer = client.get(unescape(file))
    assert isinstance(answer, StreamingHttpResponse)
    body = json.loads(b"".join(answer).decode())
    assert body["breaks_assertion"] == "Users"
    assert {row["name"] for row in body["rows"]} == {"tomas", "jenkins"}


def test_an_account_that_is_not_checked_is_left_out(account: Account) -> None:
    other = factories.account("222222222222", name="staging")
    factories.synced(other)
    kwame = factories.user(other, "kwame")
    factories.edge(EdgeKind.ATTACHED, kwame, factories.policy(other, "CreatesUsers", body=ALLOW))
    assertion, client = broken(accounts=("111111111111",)), signed_in(Role.AUDITOR)
    page = text(client, explained(client, assertion))
    assert listed(page) == {"tomas", "jenkins"}
    assert "Allowed in 1 account: " in words_in(page)


def test_an_id_of_none_is_left_out_with_a_word(account: Account) -> None:
    page = text(signed_in(Role.AUDITOR), f"{EVERYONE}&assertion=nope")
    assert "“nope” isn’t a choice for “assertion”" in words_in(page)
    assert "maya" in listed(page)


def test_an_operator_of_another_account_learns_nothing_of_it(account: Account) -> None:
    other = factories.account("222222222222", name="staging")
    assertion = broken(accounts=("111111111111",))
    client, operator = Client(), factories.operator(None, name="Hana Sato")
    factories.assign(operator.person, Role.AUDITOR, account_id=other.account_id)
    client.force_login(operator)
    page = text(client, f"{EVERYONE}&assertion={assertion.pk}")
    assert "BreakGlass" not in page
    assert "It was left out" in page
