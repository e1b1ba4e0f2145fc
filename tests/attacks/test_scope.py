"""What somebody who sees one account is told of another: nothing, whatever they ask and whatever the process
has read.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from django.test import Client

from iam.access.escalation import EscalationFilter, who_reaches
from iam.access.escalation_path import explained_path
from iam.directory.models import Role
from iam.mirror.models import AccountFact
from tests.attacks.conftest import HIDDEN, OTHER, SECRET, SEEN, World
from tests.console.access.who_can.conftest import SignIn

pytestmark = [pytest.mark.on_both, pytest.mark.django_db, pytest.mark.usefixtures("prompt_worker")]
THEN = "2026-02-01T00:00:00"
MAYA, OPENER = f"arn:aws:iam::{SEEN}:user/maya", f"arn:aws:iam::{SEEN}:role/opener"
RESOURCES = (
    "*",
    "arn:aws:iam::*:role/*",
    f"arn:aws:iam::{HIDDEN}:*",
    f"arn:aws:sqs:eu-west-1:{HIDDEN}:q",
    OPENER,
)
ACTIONS = ("sts:AssumeRole", "sqs:SendMessage", "iam:*")


def address(path: str, **query: str) -> str:
    return f"{path}?{urlencode(query)}"


def asked(world: World) -> Iterator[str]:
    """Questions in which the secret word does not stand."""
    maya, opener = world.of["maya"].pk, world.of["opener"].pk
    for resource in RESOURCES:
        for action in ACTIONS:
            query = {"action": action, "resource": resource}
            yield from (
                address(f"/access/who-can/{part}", **query)
                for part in ("", "reach/", "export.json", f"{maya}/")
            )
            yield address("/access/who-can/", **query, owner=SEEN)
            yield from (address("/access/simulate/", **query, principal=who) for who in (MAYA, OPENER))
        yield address(f"/people/{maya}/access/why/", action="sts:AssumeRole", resource=resource)
    for path in ("/escalation/", "/escalation/export.csv", "/escalation/export.json"):
        yield from (path, f"{path}?q=zz", f"{path}?show=there", address(path, to=OPENER))
    yield from (f"/escalation/{maya}/", f"/escalation/{opener}/", address(f"/escalation/{maya}/", to=OPENER))
    yield from (
        f"/people/{maya}/access/",
        f"/people/{maya}/access/sts/",
        f"/roles/{opener}/access/export.json",
    )
    yield from ("/services/", "/services/iam/", "/services/iam/export.csv", "/people/access-levels/")
    yield address("/access/compare/", a=str(maya), b=str(opener))
    for typed in ("zz", "arn:aws:iam::222"):
        yield address("/access/who-can/offers/", of="resource", resource=typed)
        yield address("/access/simulate/offers/", principal=typed)
        yield address("/access/compare/", a=typed)


def text(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code in {200, 404, 422}, (response.status_code, url)
    return b"".join(response.streaming_content if response.streaming else [response.content]).decode()


@pytest.fixture
def limited(world: World, sign_in: SignIn) -> Client:
    """Somebody who sees one account, after somebody else has made the process read all."""
    everything = sign_in(Role.AUDITOR, name="Everything")
    assert SECRET in text(everything, address("/access/who-can/", action="iam:*", resource="*"))
    assert SECRET in text(everything, "/escalation/")
    return sign_in(Role.ADMINISTRATOR, account_id=SEEN, name="One Account")


def test_no_answer_names_anything_of_an_account_that_is_not_seen(world: World, limited: Client) -> None:
    urls = [url for url in asked(world) if SECRET in text(limited, url).lower()]
    assert not urls


def test_no_answer_about_the_past_names_anything_of_an_account_that_is_not_seen(
    world: World, limited: Client
) -> None:
    urls = [url for url in asked(world) if "account" not in url][::5]
    leaking = [
        url
        for url in urls
        if SECRET in text(limited, f"{url}{'&' if '?' in url else '?'}as-of={THEN}").lower()
    ]
    assert not leaking


@pytest.mark.parametrize("name", ["user", "role", "policy", "broken"])
def test_somebody_of_another_account_is_nowhere(world: World, limited: Client, name: str) -> None:
    pk, arn = world.of[name].pk, world.of[name].arn
    paths = [
        f"/people/{pk}/access/",
        f"/people/{pk}/access/s3/",
        f"/people/{pk}/access/export.csv",
        f"/roles/{pk}/access/",
    ]
    paths += [f"/policies/{pk}/edit/", f"/escalation/{pk}/", f"/access/compare/?a={pk}"]
    paths += [
        f"/roles/{pk}/access/why/?action=s3:GetObject",
        f"/access/who-can/{pk}/?action=iam:*&resource=*",
    ]
    assert [path for path in paths if limited.get(path).status_code != 404] == []
    for path, field in (
        ("/access/simulate/", "principal"),
        ("/access/compare/", "a"),
        ("/escalation/", "to"),
    ):
        response = limited.get(address(path, **{field: arn, "action": "s3:GetObject"}))
        assert response.status_code == 422
        assert f"{SECRET}sid" not in response.content.decode()


def test_a_role_of_another_account_is_told_of_no_more_than_if_it_were_not_connected(
    world: World, limited: Client
) -> None:
    query = {"action": "sts:AssumeRole", "principal": MAYA}
    there = text(limited, address("/access/simulate/", **query, resource=OTHER))
    nowhere = text(
        limited, address("/access/simulate/", **query, resource=OTHER.replace(HIDDEN, "999999999999"))
    )
    same = nowhere.replace("999999999999", HIDDEN)
    assert there.count("Conditional") == same.count("Conditional") > 0
    for word in (
        f"{SECRET}trust",
        f"PrincipalTag/{SECRET}",
        f"{SECRET}-rcp",
        f"{SECRET}sid",
        f"{SECRET}-unit",
    ):
        assert word not in there


def test_what_is_not_known_of_other_accounts_is_not_counted(world: World) -> None:
    AccountFact.objects.all().delete()
    AccountFact.objects.create(
        account=world.of["user"].account,
        name="organization",
        value={"Id": "o-9", "ManagementAccountId": "999999999999"},
        valid_from=world.of["user"].first_seen,
        observed_at=world.of["user"].first_seen,
    )
    everything = {
        number
        for limitation in who_reaches(EscalationFilter(None), size=5).limitations
        for number in limitation.accounts
    }
    assert HIDDEN in everything
    explanation = explained_path(SEEN, world.of["maya"].pk, at=None, accounts=frozenset({SEEN}))
    assert explanation is not None
    for limitations in (
        who_reaches(EscalationFilter(frozenset({SEEN})), size=5).limitations,
        explanation.limitations,
    ):
        assert all(HIDDEN not in limit.accounts for limit in limitations)
        assert "running" in {limit.kind for limit in limitations}
