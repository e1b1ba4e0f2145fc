"""The page "Who can": who is shown, with which ways and words, to whom, and at what cost."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from unittest.mock import patch
from urllib.parse import urlencode

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from iam.access.who_can import GROUPS
from iam.directory.models import Role
from iam.mirror import snapshot
from iam.mirror.models import EdgeKind, TagSet
from iam.policy.index.index import PolicyIndex
from tests import factories as make
from tests.console.access.who_can.conftest import ASK, LEDGER, SignIn, World, crowd, say

URL = "/access/who-can/"
CARD = re.compile(r'<h2 id="(list|way|groups|no)-h">(.*?)</section>', re.DOTALL)
ROW = re.compile(
    r'<li>\s*<div class="grow stack sm">\s*<div class="row">\s*<a '
    r'href="[^"]*">([^<]*)</a>.*?data-tone="(\w+)"',
    re.DOTALL,
)
GROUP = re.compile(
    r'<details class="disclose"[^>]*>(.*?)</details>\s*(?=<details class="disclose"|</section>)', re.DOTALL
)
TONES = {"ok": "can", "warn": "maybe", "info": "unconfirmed", "bad": "no"}
CHIP = re.compile(r'<span class="chip">(.*?)</span>', re.DOTALL)
NODE = re.compile(r'<ul class="path">(.*?)</ul>', re.DOTALL)


def ask(client: Client, **query: Any) -> str:
    """The page that answers with one list, as text."""
    response = client.get(f"{URL}?{urlencode(ASK | {'view': 'list'} | query, doseq=True)}")
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def shown(page: str) -> dict[str, list[str]]:
    """Names by how certain it is that they can."""
    shown: dict[str, list[str]] = {}
    for _, part in CARD.findall(page):
        for name, tone in ROW.findall(part):
            shown.setdefault(TONES[tone], []).append(unescape(name))
    return shown


def groups(page: str) -> list[tuple[str, list[str]]]:
    """(title and counts, names) of each group."""
    groups = []
    for part in GROUP.findall(page):
        summary, _, body = part.partition("</summary>")
        words = " ".join(unescape(re.sub(r"<[^>]+>", " ", summary)).split())
        groups.append((words.replace(" :", ":"), [unescape(name) for name, _ in ROW.findall(body)]))
    return groups


def ways(page: str) -> list[str]:
    """Each way as its stops."""
    plain = [re.sub(r"<[^>]+>", "|", part) for part in NODE.findall(page)]
    return [" > ".join(word.strip() for word in unescape(part).split("|") if word.strip()) for part in plain]


def summary(page: str) -> str:
    """The heading of the answer."""
    match = re.search(r'<h2 id="sum-h">(.*?)</h2>', page)
    assert match
    return unescape(match.group(1))


def test_everybody_who_can_is_shown_apart_from_those_who_only_may(world: World, auditor: Client) -> None:
    page = ask(auditor)
    assert shown(page) == {
        "can": ["pay-settle", "hana.sato", "ines.duarte", "maya.okafor", "tomas.lind"],
        "maybe": ["priya.nair"],
        "no": ["jonah.weiss"],
    }
    assert summary(page) == (
        "5 IAM users (5 unmatched) and 1 role can use s3:GetObject: 5 confirmed, 1 conditional"
    )
    assert "WithMfa, statement 1, allows it only when MFA is present" in page


def test_each_way_goes_through_group_and_statement_to_the_resource(world: World, auditor: Client) -> None:
    assert ways(ask(auditor)) == [
        "pay-settle > settle, statement 1 > pay-ledger/*",
        "hana.sato > platform-oncall > OncallRead, statement 1 > pay-ledger/*",
        "ines.duarte > iam-admins > Everything, statement 1 > pay-ledger/*",
        "maya.okafor > platform-oncall > OncallRead, statement 1 > pay-ledger/*",
        "tomas.lind > read, statement 1 > pay-ledger/*",
        "priya.nair > WithMfa, statement 1 > pay-ledger/*",
        "jonah.weiss > DenyLedger, statement 1",
    ]


def test_circumstances_decide_what_depends_on_them(world: World, auditor: Client) -> None:
    assert "priya.nair" in shown(ask(auditor, mfa="yes"))["can"]
    without = shown(ask(auditor, mfa="no"))
    assert "maybe" not in without
    assert "priya.nair" not in without["can"]
    assert "priya.nair" not in str(shown(ask(auditor, strict="1")))


def test_an_account_is_asked_about_alone(world: World, auditor: Client) -> None:
    page = ask(auditor, account="222222222222")
    assert shown(page) == {"can": ["tomas.lind"]}
    assert auditor.get(f"{URL}?account=999999999999").status_code == 404


def test_a_level_of_a_service_is_asked_about_with_all_its_actions(world: World, auditor: Client) -> None:
    page = ask(auditor, action="s3", level="write", resource="arn:aws:s3:::pay-ledger/x")
    answer_shown = shown(page)
    assert answer_shown == {"can": ["pay-settle", "ines.duarte"]}
    tallies = re.findall(r"(\d+) of (\d+) actions", page)
    (some_of_them, total), (every, same) = tallies
    assert every == total == same
    assert 0 < int(some_of_them) < int(total)


def test_a_past_moment_is_answered_from_what_was_there(world: World, auditor: Client) -> None:
    later = make.FIRST_READ + timedelta(days=30)
    make.ends(world.of["maya.okafor"].edges_out.get(kind=EdgeKind.MEMBER), at=later)
    assert "maya.okafor" not in str(shown(ask(auditor)))
    page = ask(auditor, **{"as-of": f"{later - timedelta(days=1):%Y-%m-%dT%H:%M:%S}"})
    assert "maya.okafor" in shown(page)["can"]
    assert "as-of=2026-02-03" in page
    before = ask(auditor, **{"as-of": "2020-01-01T00:00:00"})
    assert summary(before) == "No one can use s3:GetObject"


def test_only_accounts_that_the_asker_sees_are_answered_about(world: World, sign_in: SignIn) -> None:
    client = sign_in(Role.AUDITOR, account_id="222222222222")
    page = ask(client)
    assert shown(page) == {"can": ["tomas.lind"]}
    for word in ("production", "maya", "111111111111"):
        assert word not in page


def test_of_a_role_in_an_account_that_is_not_seen_nothing_is_told(world: World, sign_in: SignIn) -> None:
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": "222222222222"}, "Action": "sts:AssumeRole"}],
    }
    target = make.role(world.production, "target", trust=trust)
    make.inline(world.of["tomas.lind"], "assume", body=say("Allow", "sts:AssumeRole"))
    question = {"action": "sts:AssumeRole", "resource": target.arn}
    everything = ask(sign_in(Role.AUDITOR), **question)
    assert shown(everything)["can"] == ["tomas.lind"]
    part = ask(sign_in(Role.AUDITOR, account_id="222222222222", name="Part"), **question)
    missing = ask(
        sign_in(Role.AUDITOR, account_id="222222222222", name="Same"),
        **question | {"resource": target.arn.replace("target", "no-such-role")},
    )
    assert shown(part) == shown(missing) == {}
    assert "which isn’t connected or which you can’t see" in unescape(part)


@pytest.mark.parametrize("role", [Role.TEAM_LEAD, Role.MEMBER])
def test_who_sees_no_account_gets_404(world: World, sign_in: SignIn, role: Role) -> None:
    client = sign_in(role)
    for url in (URL, f"{URL}offers/", f"{URL}{world.of['maya.okafor'].pk}/?{urlencode(ASK)}"):
        assert client.get(url).status_code == 404


def test_who_is_not_signed_in_is_sent_there(world: World) -> None:
    assert "/sign-in/" in Client().get(URL)["Location"]


def test_htmx_gets_only_the_question_and_the_plain_address(world: World, auditor: Client) -> None:
    response = auditor.get(f"{URL}?{urlencode(ASK)}&junk=1&level=", headers={"HX-Request": "true"})
    page = response.content.decode()
    assert page.lstrip().startswith('<div class="stack lg" id="question"')
    assert response["HX-Push-Url"] == f"{URL}?{urlencode(ASK)}"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"action": ""}, "Enter an action"),
        ({"action": "<script>alert(1)</script>"}, "An action has a service"),
        ({"level": "owner"}, "isn’t an access level"),
        (
            {"resource": "pay-ledger"},
            "“pay-ledger” isn’t a valid ARN. Enter one such as arn:aws:s3:::my-bucket/*",
        ),
        ({"resource": "arn:aws:s3"}, "“arn:aws:s3” isn’t a valid ARN"),
        ({"resource": "arn:aws:s3:::a b"}, "contains spaces"),
        ({"resource": "arn:aws:s3:::" + "a" * 3000}, "at most 2,048 characters"),
        ({"owner": "12"}, "“12” isn’t an account ID"),
        ({"ip": "300.1.1.1"}, "isn’t an IP address"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_the_reason(
    world: World, auditor: Client, query: dict[str, str], message: str
) -> None:
    response = auditor.get(f"{URL}?{urlencode(ASK | query)}")
    page = response.content.decode()
    assert response.status_code == 422
    assert message in unescape(page)
    assert "<script>alert" not in page
    assert "sum-h" not in page


def test_a_place_that_is_none_is_said_and_the_beginning_shown(world: World, auditor: Client) -> None:
    page = ask(auditor, after="nonsense")
    assert "you see its first page" in page
    assert shown(page)["can"]


def test_an_unknown_action_is_answered_with_a_warning(world: World, auditor: Client) -> None:
    page = ask(auditor, action="s3:GetObjct")
    assert "Did you mean s3:GetObject?" in page
    assert shown(page)["can"] == ["ines.duarte"]


def test_the_account_of_the_resource_can_be_told(world: World, auditor: Client) -> None:
    page = ask(auditor, owner="222222222222")
    assert shown(page) == {"can": ["tomas.lind"]}
    assert "Principals outside account 222222222222 are left out" in page


def test_root_users_are_told_of_in_a_sentence(world: World, auditor: Client) -> None:
    assert "The root users of 2 accounts can do this too." in ask(auditor)
    assert "The root user of 1 account can do this too." in ask(auditor, account="222222222222")


def test_pages_follow_each_other_and_each_shows_fifty(auditor: Client) -> None:
    crowd(120)
    all_names, url, pages = [], f"{URL}?{urlencode(ASK | {'view': 'list'})}", []
    while url:
        page = auditor.get(url).content.decode()
        pages.append(page)
        all_names += shown(page)["can"]
        following = re.search(r'<a href="([^"]+)"[^>]*rel="next"', page)
        url = URL + unescape(following.group(1)) if following else ""
    assert all_names == [f"user-{number:03d}" for number in range(120)]
    assert [len(shown(page)["can"]) for page in pages] == [50, 50, 20]
    assert "101–120 of 120" in pages[2]
    back = re.search(r'<a href="([^"]+)"[^>]*rel="prev"', pages[2])
    assert back
    assert shown(auditor.get(URL + unescape(back.group(1))).content.decode()) == shown(pages[1])


@pytest.mark.parametrize("days", [None, 3], ids=["now", "then"])
def test_one_row_and_fifty_cost_the_same_queries(auditor: Client, days: int | None) -> None:
    query = {"as-of": f"{make.FIRST_READ + timedelta(days=days):%Y-%m-%dT%H:%M:%S}"} if days else {}

    def cost() -> tuple[int, int]:
        snapshot.forget()
        ask(auditor, **query)
        with CaptureQueriesContext(connection) as queries:
            page = ask(auditor, **query)
        return len(shown(page)["can"]), len(queries)

    users = crowd(50)
    fifty = cost()
    for user in users[1:]:
        make.ends(user.edges_out.get(kind=EdgeKind.MEMBER), at=make.FIRST_READ + timedelta(days=2))
    assert (fifty[0], cost()) == (50, (1, fifty[1]))
    assert fifty[1] <= 20


def test_people_have_the_names_of_their_tags(auditor: Client) -> None:
    [user] = crowd(1)
    TagSet.objects.create(
        account=user.account, entity=user, tags={"DisplayName": "Maya, the first"},
        valid_from=make.FIRST_READ, observed_at=make.FIRST_READ,
    )  # fmt: skip
    assert shown(ask(auditor)) == {"can": ["Maya, the first"]}


def test_names_from_aws_are_text(auditor: Client) -> None:
    account = make.account(name="<b>prod</b>")
    user = make.user(account, "maya")
    make.inline(user, "<i>x</i>")
    TagSet.objects.create(
        account=account, entity=user, tags={"DisplayName": "<script>alert(1)</script>"},
        valid_from=make.FIRST_READ, observed_at=make.FIRST_READ,
    )  # fmt: skip
    page = ask(auditor)
    for bad in ("<script>alert", "<b>prod", "<i>x"):
        assert bad not in page


def test_offers_are_actions_of_aws_and_things_of_the_mirror(world: World, sign_in: SignIn) -> None:
    client = sign_in(Role.AUDITOR)
    assert '<option value="s3:GetObject">' in (
        client.get(f"{URL}offers/?of=action&action=s3:getob").content.decode()
    )
    arn = world.of["pay-settle"].arn
    offers = f"{URL}offers/?of=resource&resource=settle"
    assert f'<option value="{arn}">IAM role in production</option>' in client.get(offers).content.decode()
    other = sign_in(Role.AUDITOR, account_id="222222222222", name="Part")
    assert arn not in other.get(offers).content.decode()


def test_an_answer_that_is_kept_ends_with_a_date_that_it_depends_on(auditor: Client) -> None:
    account = make.account()
    make.synced(account)
    user = make.user(account, "maya.okafor")
    end = datetime.now(tz=UTC) + timedelta(minutes=10)
    until = {"DateLessThan": {"aws:CurrentTime": f"{end:%Y-%m-%dT%H:%M:%SZ}"}}
    make.inline(user, body=say("Allow", "s3:GetObject", LEDGER, Condition=until))
    with time_machine.travel(end - timedelta(minutes=5), tick=False) as clock:
        assert shown(ask(auditor)) == {"can": ["maya.okafor"]}
        clock.shift(timedelta(minutes=1))
        with patch.object(PolicyIndex, "who_can", side_effect=AssertionError("asked again")):
            assert shown(ask(auditor)) == {"can": ["maya.okafor"]}
        clock.shift(timedelta(minutes=6))
        assert shown(ask(auditor)) == {}


def test_of_many_ways_the_first_have_names_and_all_have_numbers(auditor: Client) -> None:
    account = make.account()
    make.synced(account)
    for number in range(GROUPS + 2):
        user = make.user(account, f"user-{number:02d}")
        group = make.group(account, f"team-{number:02d}")
        make.edge(EdgeKind.MEMBER, user, group)
        make.inline(group, name=f"Read{number:02d}", body=say("Allow", "s3:GetObject", LEDGER))
    ways_shown = groups(ask(auditor, view=""))
    assert len(ways_shown) == GROUPS + 2
    assert [len(names) for _, names in ways_shown] == [1] * GROUPS + [0, 0]
    page = ask(auditor, view="")
    assert page.count("Show all 1") == 2
    link = re.findall(r'<a class="link" href="([^"]+)">Show all 1', page)[-1]
    assert shown(auditor.get(unescape(link)).content.decode())["can"] == [f"user-{GROUPS + 1:02d}"]
