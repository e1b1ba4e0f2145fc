"""The list of who can become administrator or somebody else, and the page of one path."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from iam.access.grants.models import LedgerEntry, Sort
from iam.directory.models import Role
from tests import factories as make
from tests.access.escalation.conftest import ADMIN, LATER, ONE, TWO, SignIn, World, crowd
from tests.access.grant_pages import made

URL = "/escalation/"
ROW = re.compile(r'<li><div class="grow stack sm"><div class="row">(?:<a href="[^"]+">|<span>)([^<]+)')


def ask(client: Client, status: int = 200, **query: str) -> str:
    response = client.get(f"{URL}?{urlencode(query)}" if query else URL)
    assert response.status_code == status
    return unescape(response.content.decode())


def names(page: str) -> list[str]:
    return ROW.findall(page)


def test_people_come_first_and_sure_before_conditional(world: World, auditor: Client) -> None:
    page = ask(auditor)
    assert names(page) == ["dana.wirth", "tomas.lind", "kwame.boateng", "deployer"]
    assert "3 people and 1 role can become administrator, 1 of them under conditions" in page
    assert "Makes a Lambda function with pay-admin and calls it" in page
    assert "own, Own, allows it only when MFA is present" in re.sub("inline policy ", "", page)
    assert "2 of 7 users and roles are administrators already" in page


def test_who_is_administrator_already_is_a_list_of_its_own(world: World, auditor: Client) -> None:
    page = ask(auditor, show="there")
    assert names(page) == ["ines.duarte", "pay-admin"]
    assert "1 person and 1 role are administrator" in page


def test_the_list_is_narrowed_by_account_kind_and_text(world: World, auditor: Client) -> None:
    assert names(ask(auditor, account=TWO)) == ["tomas.lind"]
    assert names(ask(auditor, kind="roles")) == ["deployer"]
    assert names(ask(auditor, q="KWAME")) == ["kwame.boateng"]
    assert "Nobody fits" in ask(auditor, q="nobody-at-all")


def test_at_a_past_moment_what_was_not_there_yet_is_not_told(world: World, auditor: Client) -> None:
    before = ask(auditor, **{"as-of": f"{LATER - timedelta(days=1):%Y-%m-%dT%H:%M:%S}"})
    assert names(before) == ["tomas.lind", "kwame.boateng", "deployer"]
    after = ask(auditor, **{"as-of": f"{LATER + timedelta(days=1):%Y-%m-%dT%H:%M:%S}"})
    assert "dana.wirth" in names(after)


def test_with_htmx_only_the_answer_comes(world: World, auditor: Client) -> None:
    part = auditor.get(URL, headers={"HX-Request": "true"}).content.decode()
    assert part.lstrip().startswith('<div class="stack lg" id="answer"')
    assert "<html" not in part


def test_between_two_principals(world: World, auditor: Client) -> None:
    page = ask(auditor, **{"from": "tomas.lind", "to": "pay-admin"})
    assert "How tomas.lind becomes pay-admin" in page
    assert "Takes the role pay-admin" in page
    page = ask(auditor, **{"from": "nobody", "to": "dana.wirth"})
    assert "nobody does not become dana.wirth" in page
    assert names(ask(auditor, to="pay-admin")) == [
        "dana.wirth", "ines.duarte", "tomas.lind", "kwame.boateng", "deployer",
    ]  # fmt: skip


def test_a_name_that_nobody_has_or_several_have_is_said(world: World, auditor: Client) -> None:
    make.user(world.staging, "dana.wirth")
    page = ask(auditor, 422, **{"from": "jonah"})
    assert "No user or role that you see is called “jonah”. Give its name or its ARN." in page
    page = ask(auditor, 422, to="dana.wirth")
    assert "“dana.wirth” is the name of 2 users or roles. Choose one, or give its ARN." in page
    (url,) = re.findall(rf'<a [^>]*href="([^"]+)">arn:aws:iam::{ONE}:user/dana.wirth</a>', page)
    assert auditor.get(url).status_code == 200
    assert "Nobody can become dana.wirth" not in ask(auditor, to="dana.wirth", account=ONE)
    page = ask(auditor, **{"from": "nobody", "to": f"arn:aws:iam::{TWO}:user/dana.wirth"})
    assert "nobody does not become dana.wirth" in page


def test_the_path_says_what_each_step_rests_on_and_what_would_close_it(world: World, auditor: Client) -> None:
    page = unescape(auditor.get(f"{URL}{world.of['dana.wirth'].pk}/").content.decode())
    assert "How dana.wirth becomes administrator" in page
    for words in (
        "iam:PassRole on role/pay-admin",
        "deploy, Pass allows it",
        "lambda:CreateFunction on function:x",
        "lambda.amazonaws.com takes it by sts:AssumeRole on role/pay-admin",
        "Without this statement, dana.wirth does not become administrator any more",
        "No smaller set does that.",
        "Inline policy of dana.wirth",
    ):
        assert words in page, words


def test_what_a_grant_gave_leads_to_the_grant(world: World, auditor: Client) -> None:
    dana = world.of["dana.wirth"]
    grant = made.grant(dana.account, dana, asked_by=make.person("Ines Duarte"))
    address = reverse("access:escalation-path", args=[dana.pk])
    link = f'href="{reverse("access:grant", args=[grant.pk])}"'
    assert link not in auditor.get(address).content.decode()
    LedgerEntry.objects.update(sort=Sort.INLINE, target="deploy")
    assert link in auditor.get(address).content.decode()


def test_the_drawer_has_the_same_path(world: World, auditor: Client) -> None:
    part = auditor.get(
        f"{URL}{world.of['kwame.boateng'].pk}/", headers={"HX-Request": "true"}
    ).content.decode()
    assert part.lstrip().startswith('<header><h2 id="why-h">kwame.boateng</h2>')
    assert "Writes an inline policy for kwame.boateng" in part
    assert "MFA is present" in part


def test_who_becomes_nobody_has_a_page_that_says_so(world: World, auditor: Client) -> None:
    page = auditor.get(f"{URL}{world.of['nobody'].pk}/").content.decode()
    assert "No path leads from nobody to administrator" in page


def test_who_sees_one_account_is_told_nothing_of_another(world: World, sign_in: SignIn) -> None:
    client = sign_in(Role.AUDITOR, account_id=TWO)
    page = ask(client)
    assert names(page) == ["tomas.lind"]
    assert "pay-admin" not in page
    assert "somebody in an account that you do not see" in page
    assert "No user or role that you see is called “pay-admin”" in ask(client, 422, to="pay-admin")
    pages = [
        ask(client, **{"from": "tomas.lind"}),
        unescape(client.get(f"{URL}{world.of['tomas.lind'].pk}/").content.decode()),
    ]
    assert not any("pay-admin" in page for page in pages)
    assert client.get(f"{URL}{world.of['dana.wirth'].pk}/").status_code == 404
    assert client.get(f"{URL}?account={ONE}").status_code == 404


@pytest.mark.parametrize("role", [Role.TEAM_LEAD, Role.MEMBER])
def test_who_sees_no_account_is_not_told_that_there_is_such_a_page(
    world: World, sign_in: SignIn, role: Role
) -> None:
    client = sign_in(role)
    for url in (URL, f"{URL}{world.of['dana.wirth'].pk}/", f"{URL}export.csv"):
        assert client.get(url).status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        {"after": "x"},
        {"after": "0~0~99999999999999~1~a"},
        {"after": "~~~~"},
        {"kind": "dragons", "show": "?", "q": "'\"<script>"},
        {"q": "a" * 5000},
        {"as-of": "2026-01-01T00:00:00"},
    ],
    ids=str,
)
def test_an_address_that_makes_no_sense_is_answered(
    world: World, auditor: Client, query: dict[str, str]
) -> None:
    raw = auditor.get(f"{URL}?{urlencode(query)}")
    assert raw.status_code == 200
    assert b"<script>" not in raw.content


@pytest.mark.parametrize("name", ["<b>none</b>", "a" * 3000, "arn:aws:iam::x", "%00"])
def test_a_name_that_is_none_is_an_error(world: World, auditor: Client, name: str) -> None:
    response = auditor.get(f"{URL}?{urlencode({'from': name})}")
    assert response.status_code == 422
    assert b"<b>none" not in response.content


def test_pages_follow_each_other(world: World, auditor: Client) -> None:
    crowd(world.production, 120)
    found, pages, url = [], 0, f"{URL}?q=user-"
    while url:
        page = auditor.get(url).content.decode()
        found += names(page)
        pages += 1
        following = re.search(r'<a class="btn sm" href="([^"]+)">More', page)
        url = f"{URL}{unescape(following.group(1)).removeprefix(URL)}" if following else ""
    assert found == [f"user-{number:03d}" for number in range(120)]
    assert pages == 3


def test_one_row_and_fifty_cost_the_same_queries(world: World, auditor: Client) -> None:
    def cost() -> int:
        ask(auditor)
        with CaptureQueriesContext(connection) as queries:
            ask(auditor)
        return len(queries)

    few = cost()
    crowd(world.production, 50)
    assert cost() == few


def test_an_organization_without_accounts_says_so(db: None, auditor: Client) -> None:
    assert "No account is connected" in ask(auditor)


def test_the_arn_of_the_goal_is_enough(world: World, auditor: Client) -> None:
    assert "dana.wirth" in names(ask(auditor, to=ADMIN))
