"""A pasted list of people to offboard: every way to name somebody, ambiguous rows with candidates,
corrections in the table, nothing cut.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from iam.directory.models import Identity, Role
from iam.linking.refresh import refresh_links
from iam.mirror.models import Account, Entity
from iam.people.offboarding.models import Leaver, OffboardingRun
from iam.people.runs.models import RowStatus
from tests import factories
from tests.iam.linking.test_ownership import tagged

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    browser = Client()
    browser.force_login(factories.operator(Role.ADMINISTRATOR))
    return browser


@pytest.fixture
def users() -> dict[str, Entity]:
    account: Account = factories.account(write_role_arn="arn:aws:iam::111111111111:role/gatehouse-writer")
    other = factories.account("222222222222", name="data", write_role_arn="arn:aws:iam::222222222222:role/w")
    users = {
        "maya": factories.user(account, "maya.okafor"),
        "tagged": tagged(factories.user(account, "ko"), email="kofi@example.com"),
        "jonas one": factories.user(account, "jonas"),
        "jonas two": factories.user(other, "jonas"),
        "noor": factories.user(account, "noor.amin"),
    }
    maya = factories.person("Maya Okafor", email="maya@example.com")
    Identity.objects.create(person=maya, user_arn=users["maya"].arn)
    refresh_links(whole=True)
    return users


def paste(client: Client, text: str) -> Any:
    return client.post(reverse("offboarding:file"), {"people": text})


def standings() -> dict[str, str]:
    return dict(Leaver.objects.values_list("typed", "standing"))


def test_names_addresses_user_names_and_arns_are_understood_and_a_wrong_name_blocks_no_other(
    client: Client, users: dict[str, Entity]
) -> None:
    arn = users["noor"].arn
    assert paste(client, f"Maya <maya@example.com>, kofi@example.com; {arn}\nnobody.here").status_code == 302
    assert standings() == {
        "maya@example.com": RowStatus.READY,
        "kofi@example.com": RowStatus.READY,
        arn: RowStatus.READY,
        "nobody.here": RowStatus.BAD,
    }
    assert paste(client, "MAYA OKAFOR").status_code == 302
    assert OffboardingRun.objects.order_by("-created_at").first().people.get().standing == RowStatus.READY  # type: ignore[union-attr]


def test_an_ambiguous_name_shows_who_is_meant_to_choose_from(
    client: Client, users: dict[str, Entity]
) -> None:
    paste(client, "jonas")
    row = Leaver.objects.get()
    assert row.standing == RowStatus.BAD
    page = " ".join(client.get(reverse("offboarding:run", args=[row.run_id])).content.decode().split())
    for user in (users["jonas one"], users["jonas two"]):
        assert f'value="{user.arn}"' in page
    data = {"do": "correct", f"text-{row.pk}": "jonas", f"pick-{row.pk}": users["jonas two"].arn}
    client.post(reverse("offboarding:run-request", args=[row.run_id]), data)
    chosen = Leaver.objects.get()
    assert chosen.standing == RowStatus.READY
    assert [seat.user for seat in chosen.seats.all()] == [users["jonas two"]]


def test_a_wrong_row_is_corrected_in_the_table_and_the_others_stay(
    client: Client, users: dict[str, Entity]
) -> None:
    paste(client, "maya@example.com\nnoor.amim")
    bad = Leaver.objects.get(standing=RowStatus.BAD)
    page = client.get(reverse("offboarding:run", args=[bad.run_id])).content.decode()
    assert 'value="noor.amim"' in page
    client.post(
        reverse("offboarding:run-request", args=[bad.run_id]),
        {"do": "correct", f"text-{bad.pk}": "noor.amin"},
    )
    assert standings() == {"maya@example.com": RowStatus.READY, "noor.amin": RowStatus.READY}


@pytest.mark.parametrize("text", ["x" * 20_001, "\n".join(f"user{number}" for number in range(201))])
def test_a_list_that_is_too_long_is_refused_and_nothing_of_it_is_lost(client: Client, text: str) -> None:
    factories.account()
    answer = paste(client, text)
    assert answer.status_code == 422
    assert "The limit here is" in answer.content.decode()
    assert answer.context["text"] == text
    assert not OffboardingRun.objects.exists()
