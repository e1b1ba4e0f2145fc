"""The page of one of those who can: the way through policies, boundary and organization to the decision."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from iam.directory.models import Role
from iam.mirror.models import EdgeKind
from tests import factories as make
from tests.console.access.who_can.conftest import ASK, SignIn, World, say

STAGE = re.compile(r'<li><span class="pin"[^>]*>.*?</span><div>(.*?)</div></li>', re.DOTALL)


def why(client: Client, pk: int, **query: Any) -> str:
    """The page, as text."""
    response = client.get(f"/access/who-can/{pk}/?{urlencode(ASK | query)}")
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def stages(page: str) -> list[str]:
    """The steps of the tall path, without the statements' texts."""
    plain = [re.sub(r"<details.*?</details>", "", part, flags=re.DOTALL) for part in STAGE.findall(page)]
    words = [unescape(re.sub(r"\s*<[^>]+>\s*", "|", part)) for part in plain]
    return [re.sub(r"\|+", "|", part).strip("| \n") for part in words]


def test_the_way_leads_through_the_group_to_the_decision(world: World, auditor: Client) -> None:
    page = why(auditor, world.of["maya.okafor"].pk)
    assert stages(page) == [
        "maya.okafor|IAM user in production",
        "OncallRead, statement 1, allows it|Through group platform-oncall",
        "Allowed",
    ]
    assert f'href="/policies/{world.of["OncallRead"].pk}/"' in page
    assert "s3:List*" in page
    assert f"/access/simulate/?{urlencode(ASK | {'principal': world.of['maya.okafor'].arn})}" in unescape(
        page
    )


def test_what_a_decision_depends_on_is_told(world: World, auditor: Client) -> None:
    assert stages(why(auditor, world.of["priya.nair"].pk))[1:] == [
        "WithMfa, statement 1, allows it conditionally|Only when MFA is present",
        "Conditional",
    ]
    assert stages(why(auditor, world.of["priya.nair"].pk, mfa="no"))[1:] == [
        "No identity-based policy allows s3:GetObject here",
        "WithMfa, statement 1, allows the action, but not this request|It requires that MFA is present",
        "Not allowed",
    ]


def test_a_deny_is_told(world: World, auditor: Client) -> None:
    assert stages(why(auditor, world.of["jonah.weiss"].pk))[1:] == [
        "DenyLedger, statement 1, denies it",
        "Denied",
    ]


def test_a_boundary_stands_after_the_policies(world: World, auditor: Client) -> None:
    limit = make.policy(world.production, "Limit", body=say("Allow", "ec2:*"))
    make.edge(EdgeKind.BOUNDARY, world.of["maya.okafor"], limit)
    page = why(auditor, world.of["maya.okafor"].pk)
    assert stages(page)[1:] == [
        "OncallRead, statement 1, allows it|Through group platform-oncall",
        "The permissions boundary doesn’t allow s3:GetObject here",
        "Not allowed",
    ]


def test_of_several_actions_each_has_its_mark_and_its_own_page(world: World, auditor: Client) -> None:
    query = {"action": "s3", "level": "list", "resource": "arn:aws:s3:::pay-ledger"}
    page = why(auditor, world.of["ines.duarte"].pk, **query)
    links = re.findall(r'<a class="grow mono small" href="([^"]+)">([^<]+)</a>', page)
    assert "s3:ListBucket" in [name for _, name in links]
    [url] = [url for url, name in links if name == "s3:ListBucket"]
    response = auditor.get(unescape(url))
    assert stages(response.content.decode())[-1] == "Allowed"


def test_the_drawer_is_the_same_without_the_frame(world: World, auditor: Client) -> None:
    response = auditor.get(
        f"/access/who-can/{world.of['maya.okafor'].pk}/?{urlencode(ASK)}", headers={"HX-Request": "true"}
    )
    page = response.content.decode()
    assert page.startswith('<header><h2 id="why-h">maya.okafor</h2>')
    assert len(stages(page)) == 3


def test_a_past_moment_is_explained_by_what_was_there(world: World, auditor: Client) -> None:
    later = make.FIRST_READ + timedelta(days=30)
    user = world.of["maya.okafor"]
    make.ends(user.edges_out.get(kind=EdgeKind.MEMBER), at=later)
    assert stages(why(auditor, user.pk))[-1] == "Not allowed"
    past = {"as-of": f"{later - timedelta(days=1):%Y-%m-%dT%H:%M:%S}"}
    assert stages(why(auditor, user.pk, **past))[-1] == "Allowed"
    missing = {"as-of": "2020-01-01T00:00:00"}
    assert auditor.get(f"/access/who-can/{user.pk}/?{urlencode(ASK | missing)}").status_code == 404


@pytest.mark.parametrize("query", [{}, {"action": "nonsense"}, ASK | {"resource": "x"}])
def test_without_a_question_there_is_no_page(world: World, auditor: Client, query: dict[str, str]) -> None:
    url = f"/access/who-can/{world.of['maya.okafor'].pk}/?{urlencode(query)}"
    assert auditor.get(url).status_code == 404


def test_somebody_of_an_account_that_is_not_seen_is_404(world: World, sign_in: SignIn) -> None:
    client = sign_in(Role.AUDITOR, account_id="222222222222")
    assert client.get(f"/access/who-can/{world.of['tomas.lind'].pk}/?{urlencode(ASK)}").status_code == 200
    assert client.get(f"/access/who-can/{world.of['maya.okafor'].pk}/?{urlencode(ASK)}").status_code == 404
    assert client.get(f"/access/who-can/{world.of['analysts'].pk}/?{urlencode(ASK)}").status_code == 404
    assert client.get(f"/access/who-can/999999/?{urlencode(ASK)}").status_code == 404


def test_the_page_of_a_role_leads_to_who_can_assume_it(world: World, auditor: Client) -> None:
    role = world.of["pay-settle"]
    page = auditor.get(f"/roles/{role.pk}/").content.decode()
    link = re.search(r'href="(/access/who-can/[^"]+)"', page)
    assert link
    answer = auditor.get(unescape(link.group(1)))
    assert answer.status_code == 200
    assert f'value="{role.arn}"' in answer.content.decode()


def test_a_policy_that_nobody_has_read_is_told_of_in_plain_words(world: World, auditor: Client) -> None:
    key = {"action": "kms:Decrypt", "resource": "arn:aws:kms:eu-west-1:111111111111:key/1"}
    assert stages(why(auditor, world.of["ines.duarte"].pk, **key))[2:] == [
        "The resource-based policy isn’t synced. It must allow this too, or leave it to the account",
        "Conditional",
    ]
    answer = auditor.get(f"/access/who-can/?{urlencode(key)}").content.decode()
    assert "The resource-based policy isn’t synced" in unescape(answer)
    assert "NotRead" not in answer
    assert "undecidable" not in answer


def test_what_cannot_be_decided_is_said(world: World, auditor: Client) -> None:
    odd = say("Allow", "s3:GetObject", Condition={"StringIsLike": {"aws:username": "x"}})
    make.inline(world.of["nobody"], "odd", body=odd)
    shown_stages = stages(why(auditor, world.of["nobody"].pk))
    assert shown_stages[1] == (
        "odd, statement 1, allows it conditionally"
        "|Gatehouse can’t evaluate: Statement[0].Condition[0]: StringIsLike isn’t a condition operator"
    )


def test_a_trust_policy_that_means_somebody_else_is_told(world: World, auditor: Client) -> None:
    make.inline(world.of["nobody"], "assume", body=say("Allow", "sts:AssumeRole"))
    role = {"action": "sts:AssumeRole", "resource": world.of["pay-settle"].arn}
    shown_stages = stages(why(auditor, world.of["nobody"].pk, **role))
    assert "Its principals: the caller isn’t included" in "|".join(shown_stages)
    assert shown_stages[-1] == "Not allowed"
