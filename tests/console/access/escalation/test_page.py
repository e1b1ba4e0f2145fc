"""The list of who can become administrator or somebody else, and the page of one path."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from iam.access.escalation_groups import all_groups, escalation_totals
from iam.access.grants.models import LedgerEntry, PermissionSort
from iam.directory.models import Role
from iam.mirror.models import Section
from tests import factories as make
from tests.console.access.escalation.conftest import ADMIN, LATER, ONE, TWO, SignIn, World, allow, body, crowd
from tests.console.access.escalation.test_groups import shared_policy
from tests.console.access.grants import made

URL = "/escalation/"
CARD = re.compile(r'<details class="disclose"[^>]*>(.*?)</details>', re.DOTALL)
LIST = {"view": "principals"}
ROW = re.compile(
    r'<li>\s*<div class="grow stack sm">\s*<div class="row">\s*(?:<a href="[^"]+">|<span>)\s*([^<]+?)\s*<'
)


def ask(client: Client, status: int = 200, **query: str) -> str:
    response = client.get(f"{URL}?{urlencode(query)}" if query else URL)
    assert response.status_code == status
    return unescape(response.content.decode())


def names(page: str) -> list[str]:
    return ROW.findall(page)


def test_people_come_first_and_sure_before_conditional(world: World, auditor: Client) -> None:
    page = ask(auditor, **LIST)
    assert names(page) == ["dana.wirth", "tomas.lind", "kwame.boateng", "deployer"]
    assert "3 IAM users (3 unmatched) and 1 role can become administrator: 3 confirmed, 1 conditional" in page
    assert "Creates a Lambda function with role pay-admin and invokes it" in page
    assert "own, statement 1 (Own), allows it only when MFA is present" in re.sub("inline policy ", "", page)
    assert "2 of 7 users and roles are already administrators" in page


def test_who_is_administrator_already_is_a_list_of_its_own(world: World, auditor: Client) -> None:
    page = ask(auditor, show="there")
    assert names(page) == ["ines.duarte", "pay-admin"]
    assert "1 IAM user (1 unmatched) and 1 role are administrator already" in page


def test_the_list_is_narrowed_by_account_kind_and_text(world: World, auditor: Client) -> None:
    for view in (LIST, {}):
        assert names(ask(auditor, account=TWO, **view)) == ["tomas.lind"]
        assert names(ask(auditor, kind="roles", **view)) == ["deployer"]
        assert names(ask(auditor, q="KWAME", **view)) == ["kwame.boateng"]
        assert names(ask(auditor, certainty="conditional", **view)) == ["kwame.boateng"]
        assert "No one matches" in ask(auditor, q="nobody-at-all", **view)


def test_at_a_past_moment_what_was_not_there_yet_is_not_told(world: World, auditor: Client) -> None:
    before = ask(auditor, **LIST, **{"as-of": f"{LATER - timedelta(days=1):%Y-%m-%dT%H:%M:%S}"})
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
    assert "Assumes role pay-admin" in page
    page = ask(auditor, **{"from": "nobody", "to": "dana.wirth"})
    assert "nobody can’t become dana.wirth" in page
    assert names(ask(auditor, to="pay-admin")) == [
        "dana.wirth", "ines.duarte", "tomas.lind", "kwame.boateng", "deployer",
    ]  # fmt: skip


def test_a_name_that_nobody_has_or_several_have_is_said(world: World, auditor: Client) -> None:
    make.user(world.staging, "dana.wirth")
    page = ask(auditor, 422, **{"from": "jonah"})
    assert "“jonah” matches no user or role. Enter a name, user name, email address or ARN." in page
    page = ask(auditor, 422, to="dana.wirth")
    assert "“dana.wirth” matches 2 users or roles. Choose one, or enter its ARN." in page
    (url,) = re.findall(rf'<a [^>]*href="([^"]+)">arn:aws:iam::{ONE}:user/dana.wirth</a>', page)
    assert auditor.get(url).status_code == 200
    assert "No one can become dana.wirth" not in ask(auditor, to="dana.wirth", account=ONE)
    page = ask(auditor, **{"from": "nobody", "to": f"arn:aws:iam::{TWO}:user/dana.wirth"})
    assert "nobody can’t become dana.wirth" in page


def test_the_path_says_what_each_step_rests_on_and_what_would_close_it(world: World, auditor: Client) -> None:
    page = unescape(auditor.get(f"{URL}{world.of['dana.wirth'].pk}/").content.decode())
    assert "How dana.wirth becomes administrator" in page
    for words in (
        "iam:PassRole on role/pay-admin",
        "deploy, statement 1 (Pass) allows it",
        "lambda:CreateFunction on function:x",
        "lambda.amazonaws.com calls sts:AssumeRole on role/pay-admin",
        "Without this statement, dana.wirth can’t become administrator",
        "No smaller set does that.",
        "Inline policy of dana.wirth",
    ):
        assert words in page, words


def test_what_a_grant_gave_leads_to_the_grant(world: World, auditor: Client) -> None:
    dana = world.of["dana.wirth"]
    grant = made.grant(dana.account, dana, asked_by=make.person("ines.duarte"))
    address = reverse("access:escalation-path", args=[dana.pk])
    link = f'href="{reverse("access:grant", args=[grant.pk])}"'
    assert link not in auditor.get(address).content.decode()
    LedgerEntry.objects.update(sort=PermissionSort.INLINE, target="deploy")
    assert link in auditor.get(address).content.decode()


def test_the_drawer_has_the_same_path(world: World, auditor: Client) -> None:
    part = auditor.get(
        f"{URL}{world.of['kwame.boateng'].pk}/", headers={"HX-Request": "true"}
    ).content.decode()
    assert part.lstrip().startswith('<header><h2 id="why-h">kwame.boateng</h2>')
    assert "Adds an inline policy to kwame.boateng" in part
    assert "MFA is present" in part


def test_who_becomes_nobody_has_a_page_that_says_so(world: World, auditor: Client) -> None:
    page = auditor.get(f"{URL}{world.of['nobody'].pk}/").content.decode()
    assert "No path leads from nobody to administrator" in page


def test_who_sees_one_account_is_told_nothing_of_another(world: World, sign_in: SignIn) -> None:
    client = sign_in(Role.AUDITOR, account_id=TWO)
    page = ask(client)
    assert names(page) == ["tomas.lind"]
    assert "pay-admin" not in page
    assert "a role in an account that you can’t see" in page
    assert "“pay-admin” matches no user or role" in ask(client, 422, to="pay-admin")
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
    all_names, pages, url = [], 0, f"{URL}?q=user-&view=principals"
    while url:
        page = auditor.get(url).content.decode()
        all_names += names(page)
        pages += 1
        following = re.search(r'<a class="btn sm" href="([^"]+)" rel="next">Next page', page)
        url = f"{URL}{unescape(following.group(1)).removeprefix(URL)}" if following else ""
    assert all_names == [f"user-{number:03d}" for number in range(120)]
    assert pages == 3


@pytest.mark.parametrize("view", [{}, LIST], ids=["policies", "principals"])
def test_one_row_and_fifty_cost_the_same_queries(world: World, auditor: Client, view: dict[str, str]) -> None:
    def cost() -> int:
        ask(auditor, **view)
        with CaptureQueriesContext(connection) as queries:
            ask(auditor, **view)
        return len(queries)

    few = cost()
    crowd(world.production, 50)
    assert cost() == few


def test_an_organization_without_accounts_says_so(db: None, auditor: Client) -> None:
    assert "No account is connected" in ask(auditor)


def test_the_arn_of_the_goal_is_enough(world: World, auditor: Client) -> None:
    assert "dana.wirth" in names(ask(auditor, to=ADMIN))


def test_the_name_and_the_address_of_somebody_are_enough(world: World, auditor: Client) -> None:
    make.person("Dana Wirth", email="danuta@example.com", arns=(world.of["dana.wirth"].arn,))
    for text in ("Dana Wirth", "danuta@example.com", "DANA.WIRTH"):
        assert "How Dana Wirth becomes administrator" in ask(auditor, **{"from": text}), text


def test_one_card_for_the_policy_that_opens_the_path_of_many(world: World, auditor: Client) -> None:
    tuning, _ = shared_policy(world.production, "a.one", "b.two", "c.three")
    page = ask(auditor)
    first = CARD.findall(page)[0]
    words = " ".join(re.sub(r"<[^>]+>", " ", first).split())
    assert words.startswith("Tuning, statement 1 (Tune) Managed policy in production 3 IAM users 3 confirmed")
    assert "Remove statement 1 (Tune) from Tuning. This closes the path for all 3." in words
    (link,) = set(re.findall(r'href="(/escalation/opening/[0-9a-f]+/)"', first))
    opening = unescape(auditor.get(link).content.decode())
    assert "none of them can become administrator" in opening
    assert f'href="{reverse("access:policy-edit", args=[tuning.pk])}?remove=0"' not in opening, "an auditor"
    assert len(names(opening)) == 3


def test_who_may_request_changes_is_led_to_the_fix(world: World, sign_in: SignIn) -> None:
    tuning, _ = shared_policy(world.production, "a.one", "b.two")
    client = sign_in(Role.ADMINISTRATOR)
    (key,) = [
        opening.key for opening in all_groups(None)[1] if "Tuning" in {s.policy for s in opening.statements}
    ]
    page = unescape(client.get(f"{URL}opening/{key}/").content.decode())
    assert f'href="{reverse("access:policy-edit", args=[tuning.pk])}?remove=0"' in page
    keys = {
        next(iter(opening.statements)).policy: opening.key
        for opening in all_groups(None)[1]
        if opening.statements
    }
    inline = unescape(client.get(f"{URL}opening/{keys['own']}/").content.decode())
    assert f"?on={world.of['kwame.boateng'].pk}&policy=own" in inline


def test_an_opening_that_is_not_there_or_not_seen_is_404(world: World, sign_in: SignIn) -> None:
    keys = {
        next(iter(opening.statements)).policy: opening.key
        for opening in all_groups(None)[1]
        if opening.statements
    }
    client = sign_in(Role.AUDITOR, account_id=TWO)
    assert client.get(f"{URL}opening/{keys['deploy']}/").status_code == 404
    assert client.get(f"{URL}opening/000000000000/").status_code == 404


def test_what_was_not_synced_is_said_and_nothing_there_is_confirmed(world: World, auditor: Client) -> None:
    Section.objects.filter(account=world.production, name="organization").update(state="never")
    page = ask(auditor)
    assert "3 unconfirmed" in page
    assert "SCPs weren’t synced for 1 account, so paths there are unconfirmed." in page
    path = unescape(auditor.get(f"{URL}{world.of['dana.wirth'].pk}/").content.decode())
    assert "Unconfirmed: SCPs weren’t synced." in path
    assert "becomes administrator: unconfirmed" in path
    assert not re.search(r"\bconfirmed", path, re.IGNORECASE)


def test_the_headline_is_what_the_overview_says(world: World, auditor: Client) -> None:
    totals = escalation_totals(None)
    assert totals is not None
    assert totals.words in ask(auditor)
    assert totals.words in ask(auditor, **LIST)


def own_writer(world: World, *, trusted: str) -> None:
    """Gatehouse's own role, and somebody who may assume it."""
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": trusted}, "Action": "sts:AssumeRole"}]}
    writer = make.role(world.production, "gatehouse-writer", trust=trust)
    make.inline(writer, "write", body=body(allow("Write", "iam:PutRolePolicy")))
    world.production.write_role_arn = writer.arn
    world.production.save()


def test_gatehouse_s_own_roles_are_said_to_be_its_own(world: World, auditor: Client) -> None:
    sly = make.user(world.production, "sly")
    own_writer(world, trusted=sly.arn)
    page = unescape(auditor.get("/escalation/").content.decode())
    assert "Gatehouse’s own roles" in page
    assert "They’re not counted above" in page
    assert "Gatehouse needs this statement of its own role" in page
    assert "Remove statement 1 (Write) from write" not in page
    details = auditor.get(reverse("access:escalation-opening", args=["gatehouse"]))
    assert details.status_code == 200
    assert "Why they’re listed" in unescape(details.content.decode())
    listed = unescape(auditor.get("/escalation/?view=principals").content.decode())
    assert "1 role of Gatehouse itself is listed, and not counted" in " ".join(listed.split())


def test_the_file_tells_gatehouse_s_own_roles_from_those_that_are_counted(
    world: World, auditor: Client
) -> None:
    own_writer(world, trusted=make.user(world.production, "sly").arn)
    totals = escalation_totals(None)
    assert totals is not None
    counted = totals.everyone.users + totals.everyone.roles
    response: Any = auditor.get("/escalation/export.json")
    exported = json.loads(response.getvalue())["rows"]
    assert [row["name"] for row in exported if row["of_gatehouse"]] == ["gatehouse-writer"]
    assert len(exported) == counted + 1
    response = auditor.get("/escalation/export.csv")
    lines = response.getvalue().decode().splitlines()
    assert [line.rpartition(",")[2] for line in lines].count("no") == counted
