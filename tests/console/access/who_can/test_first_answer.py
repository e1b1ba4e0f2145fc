"""The first answer assumes what is usual, and is grouped by how access is given."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import urlencode

import pytest
from django.test import Client

from iam.mirror.models import Section, Usage
from tests import factories as make
from tests.console.access.who_can.conftest import ASK, LEDGER, World, crowd, say
from tests.console.access.who_can.test_page import (
    CHIP,
    URL,
    ask,
    groups,
    shown,
    summary,
)

pytestmark = pytest.mark.django_db


def test_nothing_asked_is_the_form_with_examples(world: World, auditor: Client) -> None:
    response = auditor.get(URL)
    assert response.status_code == 200
    assert "Ask about an action" in response.content.decode()
    assert LEDGER not in response.content.decode()


def test_the_first_answer_assumes_what_is_usual_and_says_so(world: World, auditor: Client) -> None:
    Usage.objects.filter(entity=world.of["pay-settle"]).update(region="eu-west-1")
    europe = {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}
    until = {"DateLessThan": {"aws:CurrentTime": "2099-01-01T00:00:00Z"}}
    make.inline(world.of["nobody"], "here", body=say("Allow", "s3:GetObject", Condition=europe | until))
    response = auditor.get(f"{URL}?{urlencode({'action': 's3:GetObject', 'resource': LEDGER})}")
    page = response.content.decode()
    assert "tomas.lind" not in page, "the bucket is in production, where most policies name it"
    assert "conditional" not in summary(page)
    assert "6 confirmed" in summary(page)
    chips = [" ".join(re.sub(r"<[^>]+>", "", chip).split()) for chip in CHIP.findall(page)]
    assert chips == [
        "MFA: present",
        "Region: eu-west-1",
        "Time: now",
        "Account of the resource: production (111111111111)",
    ]


@pytest.mark.parametrize(("number", "who"), [(0, "priya.nair"), (1, "nobody"), (2, "nobody")])
def test_each_assumption_can_be_removed(world: World, auditor: Client, number: int, who: str) -> None:
    Usage.objects.filter(entity=world.of["pay-settle"]).update(region="eu-west-1")
    europe = {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}
    until = {"DateLessThan": {"aws:CurrentTime": "2099-01-01T00:00:00Z"}}
    make.inline(world.of["nobody"], "here", body=say("Allow", "s3:GetObject", Condition=europe | until))
    page = auditor.get(f"{URL}?action=s3:GetObject&resource={LEDGER}&view=list").content.decode()
    assert "maybe" not in shown(page)
    link = re.findall(r'<a href="([^"]+)"\s+aria-label="Remove assumption', page)[number]
    assert shown(auditor.get(URL + unescape(link)).content.decode())["maybe"] == [who]


def test_without_the_account_of_the_resource_each_is_judged_in_its_own(world: World, auditor: Client) -> None:
    assert "tomas.lind" in shown(ask(auditor))["can"]
    page = ask(auditor, owner="222222222222", mfa="yes")
    assert shown(page) == {"can": ["tomas.lind"]}
    for choice in ("production (named in 3 policies)", "staging (named in 1 policy)"):
        assert choice in page


def test_where_several_accounts_name_a_resource_equally_none_is_assumed(auditor: Client) -> None:
    for number in ("111111111111", "222222222222"):
        user = make.user(make.account(number), f"user-{number[0]}")
        make.inline(user, body=say("Allow", "s3:GetObject", LEDGER))
    page = auditor.get(f"{URL}?action=s3:GetObject&resource={LEDGER}").content.decode()
    assert "Policies in several accounts name this resource. Choose the account that owns it." in page
    assert "Account of the resource: <b>" not in page


def test_the_answer_is_grouped_by_how_access_is_given(world: World, auditor: Client) -> None:
    page = auditor.get(f"{URL}?{urlencode(ASK)}").content.decode()
    assert groups(page) == [
        (
            (
                "Directly, by inline policies of users and roles 2 IAM users and 1 role 2 confirmed 1 "
                "conditional"
            ),
            ["pay-settle", "tomas.lind", "priya.nair"],
        ),
        (
            "Group platform-oncall: OncallRead production 2 IAM users 2 confirmed",
            ["hana.sato", "maya.okafor"],
        ),
        ("Group iam-admins: Everything production 1 IAM user 1 confirmed", ["ines.duarte"]),
    ]


def test_groups_together_are_everybody_who_can(auditor: Client) -> None:
    crowd(60)
    page = auditor.get(f"{URL}?{urlencode(ASK)}").content.decode()
    [(title, names)] = groups(page)
    assert "60 IAM users 60 confirmed" in title
    assert len(names) == 5
    link = re.search(r'<a class="link"\s+href="([^"]+)">Show all 60</a>', page)
    assert link
    whole = auditor.get(unescape(link.group(1))).content.decode()
    assert len(shown(whole)["can"]) == 50
    assert "1–50 of 60" in whole


def test_what_could_stop_access_and_was_not_synced_makes_it_unconfirmed(
    world: World, auditor: Client
) -> None:
    Section.objects.filter(account=world.staging, name="organization").update(state="denied")
    page = ask(auditor)
    assert shown(page)["unconfirmed"] == ["tomas.lind"]
    assert "4 confirmed, 1 conditional, 1 unconfirmed" in summary(page)
    assert "Unconfirmed: SCPs weren’t synced" in unescape(page)
    assert "SCPs weren’t synced, so answers there are unconfirmed. Applies to staging." in unescape(page)
    assert shown(ask(auditor, certainty="confirmed")) == {
        "can": ["pay-settle", "hana.sato", "ines.duarte", "maya.okafor"]
    }


def test_the_answer_is_filtered_by_name_login_email_kind_and_certainty(world: World, auditor: Client) -> None:
    make.person("Okafor, Maya", email="mayo@example.com", arns=(world.of["maya.okafor"].arn,))
    for text in ("okafor", "MAYA.OK", "mayo@example.com", "okafor, maya"):
        assert shown(ask(auditor, q=text)) == {"can": ["Okafor, Maya"]}, text
    assert shown(ask(auditor, kind="roles")) == {"can": ["pay-settle"]}
    assert shown(ask(auditor, certainty="conditional")) == {"maybe": ["priya.nair"]}
    nothing = ask(auditor, q="no-one-at-all")
    assert "No one matches" in nothing
    assert "6 IAM users" not in nothing
    assert "5 IAM users" in summary(nothing), "the headline counts the whole answer"


def test_people_are_counted_apart_from_their_users(world: World, auditor: Client) -> None:
    person = make.person("Maya", email="maya@example.com", arns=(world.of["maya.okafor"].arn,))
    person.identities.create(user_arn=world.of["hana.sato"].arn)
    assert summary(ask(auditor)).startswith("5 IAM users (1 person, 3 unmatched) and 1 role can")


def test_a_wrong_resource_is_said_at_its_field_and_nothing_typed_is_lost(
    world: World, auditor: Client
) -> None:
    query = {"resource": "nope", "q": "maya", "region": "eu-west-1", "ip": "10.0.0.7"}
    response = auditor.get(f"{URL}?{urlencode(ASK | query)}")
    page = unescape(response.content.decode())
    assert response.status_code == 422
    field = re.search(r'<input[^>]*id="q-resource"[^>]*>', page)
    assert field
    assert 'aria-invalid="true"' in field.group()
    assert 'aria-describedby="q-resource-h q-resource-e"' in field.group()
    assert 'value="nope"' in field.group()
    for value in ('value="eu-west-1"', 'value="10.0.0.7"', 'value="s3:GetObject"'):
        assert value in page
