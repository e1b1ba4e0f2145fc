"""Who can become somebody who can: told beside the answer, with the first step, and only of what the asker
sees.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from iam.access.escalation_calculation import stored_calculation
from iam.access.escalation_calculation.calculation import calculate_due
from iam.directory.models import Role
from iam.mirror.models import Entity
from iam.mirror.pull import revisions
from tests import factories as make
from tests.console.access.who_can.conftest import ASK, SignIn, World, say

URL = "/access/who-can/reach/"
ROW = re.compile(r'<li><div class="grow stack sm">(.*?</ul></div>.*?)</li>', re.DOTALL)


pytestmark = pytest.mark.usefixtures("prompt_worker")


def reach(client: Client, **query: Any) -> list[str]:
    """Each row as its words."""
    response = client.get(f"{URL}?{urlencode(ASK | query)}")
    assert response.status_code == 200, response.status_code
    rows = ROW.findall(response.content.decode())
    return [" ".join(unescape(re.sub(r"<[^>]+>", " ", row)).split()) for row in rows]


@pytest.fixture
def open_role(world: World) -> Entity:
    """A role that reads everything, and that everybody of production whose own policies say so may assume."""
    trust = say("Allow", "sts:AssumeRole")
    del trust["Statement"][0]["Resource"]
    trust["Statement"][0]["Principal"] = {"AWS": "arn:aws:iam::111111111111:root"}
    role = make.role(world.production, "reader", trust=trust)
    make.inline(role, "read", body=say("Allow", "s3:Get*"))
    return role


def test_who_may_assume_a_role_that_can_is_told(world: World, open_role: Entity, auditor: Client) -> None:
    assert reach(auditor) == []
    make.inline(world.of["nobody"], "assume", body=say("Allow", "sts:AssumeRole", open_role.arn))
    revisions.note_written(world.production.pk, [world.of["nobody"].pk])
    assert reach(auditor) == ["nobody Confirmed in 1 step, production nobody reader someone who can Details"]


def test_the_way_is_told_step_by_step(world: World, open_role: Entity, auditor: Client) -> None:
    make.inline(world.of["nobody"], "assume", body=say("Allow", "sts:AssumeRole", open_role.arn))
    page = auditor.get(f"{URL}?{urlencode(ASK)}").content.decode()
    link = re.search(r'href="(/escalation/[^"]+)"', page)
    assert link
    way = auditor.get(unescape(link.group(1)))
    assert way.status_code == 200
    assert "reader" in way.content.decode()


def test_who_may_change_its_own_permissions_is_told(world: World, auditor: Client) -> None:
    user = world.of["nobody"]
    make.inline(user, "self", body=say("Allow", "iam:PutUserPolicy", user.arn))
    names_reached = reach(auditor, resource="arn:aws:s3:::pay-ledger/x")
    assert [row.split()[:2] for row in names_reached] == [["nobody", "Confirmed"]]


def test_the_answer_leads_there(world: World, auditor: Client) -> None:
    page = auditor.get(f"/access/who-can/?{urlencode(ASK)}").content.decode()
    link = unescape(re.findall(r'<a class="more" href="([^"]+)" hx-get', page)[0])
    assert link == f"{URL}?{urlencode(ASK)}"
    assert 'hx-trigger="load"' in page
    part = auditor.get(link, headers={"HX-Request": "true"}).content.decode()
    assert part.startswith('<section class="card" id="reach"')
    query = ASK | {"action": "s3:PutObject", "account": "222222222222"}
    nobody = auditor.get(f"/access/who-can/?{urlencode(query)}")
    assert URL not in nobody.content.decode()


def test_of_ways_through_accounts_that_are_not_seen_nothing_is_told(world: World, sign_in: SignIn) -> None:
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": "222222222222"}, "Action": "sts:AssumeRole"}],
    }
    role = make.role(world.production, "reader", trust=trust)
    make.inline(role, "read", body=say("Allow", "s3:Get*"))
    user = make.user(world.staging, "climber")
    make.inline(user, "assume", body=say("Allow", "sts:AssumeRole", role.arn))
    assert any(row.startswith("climber") for row in reach(sign_in(Role.AUDITOR)))
    assert reach(sign_in(Role.AUDITOR, account_id="222222222222", name="Part")) == []


def test_without_a_question_there_is_no_page(world: World, auditor: Client) -> None:
    assert auditor.get(URL).status_code == 404
    assert auditor.get(f"{URL}?action=nonsense").status_code == 404


def test_while_a_worker_looks_the_part_asks_for_itself_and_the_page_stays(
    world: World, open_role: Entity, auditor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"{URL}?{urlencode(ASK)}"
    with monkeypatch.context() as patched:
        patched.setattr(stored_calculation, "nudge", lambda: None)
        waiting = unescape(auditor.get(address, headers={"HX-Request": "true"}).content.decode())
        assert "Looking through the paths" in waiting
        assert f'hx-get="{address}"' in waiting
        assert 'hx-swap="outerHTML"' in waiting
        page = unescape(auditor.get(address).content.decode())
        assert f'hx-get="{address}"' not in page, "the page is loaded again as a whole"
    calculate_due()
    part = auditor.get(address, headers={"HX-Request": "true"}).content.decode()
    assert part.startswith('<section class="card" id="reach"')
