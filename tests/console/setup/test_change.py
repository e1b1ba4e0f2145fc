"""An account's settings and its disconnection, from their pages."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from iam.journal.models import Entry
from iam.mirror.models import Account, DoctorRun
from tests import factories
from tests.console.setup.conftest import text_of

NUMBER = "447109238816"


def page(name: str, number: str = NUMBER) -> str:
    return reverse(f"setup:{name}", args=[number])


@pytest.fixture
def form() -> dict[str, Any]:
    return {
        "name": "production",
        "pull_every": "",
        "role_arn": f"arn:aws:iam::{NUMBER}:role/gatehouse-reader",
        "write_role_arn": "",
        "external_id": "gh-4e07b81c2d95",
    }


def test_settings_are_saved_and_said(admin: Client, account: Account, form: dict[str, Any]) -> None:
    body = text_of(admin.post(page("settings"), form | {"name": "prod", "pull_every": "60"}, follow=True))
    assert "Saved." in body
    account.refresh_from_db()
    assert (account.name, account.pull_every) == ("prod", 60)
    assert "No changes to save." in text_of(
        admin.post(page("settings"), form | {"name": "prod", "pull_every": "60"}, follow=True)
    )


def test_a_changed_role_leads_to_the_doctor(admin: Client, account: Account, form: dict[str, Any]) -> None:
    write = f"arn:aws:iam::{NUMBER}:role/gatehouse-writer"
    assert admin.post(page("settings"), form | {"write_role_arn": write})["Location"] == page("doctor")
    account.refresh_from_db()
    assert account.is_writable


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": ""}, "Enter a name for the account."),
        ({"role_arn": "x"}, "isn’t a role ARN"),
        ({"role_arn": "arn:aws:iam::111111111111:role/x"}, "belongs to account 111111111111"),
        ({"write_role_arn": f"arn:aws:iam::{NUMBER}:role/gatehouse-reader"}, "second role"),
        ({"external_id": ""}, "An external ID has"),
        ({"pull_every": "7"}, "Select a valid choice"),
    ],
)
def test_settings_that_cannot_be_are_refused_beside_their_field(
    admin: Client, account: Account, form: dict[str, Any], change: dict[str, str], words: str
) -> None:
    response = admin.post(page("settings"), form | change)
    assert response.status_code == 422
    body = text_of(response)
    assert words in body
    assert 'aria-invalid="true"' in body
    account.refresh_from_db()
    assert account.name == "production"


def test_an_account_of_the_environment_has_only_a_name_and_an_interval(admin: Client) -> None:
    factories.account("509330017742", name="hub", source="environment", role_arn="")
    body = text_of(admin.get(page("settings", "509330017742")))
    assert 'name="role_arn"' not in body
    admin.post(page("settings", "509330017742"), {"name": "home", "pull_every": "5"})
    assert Account.objects.get().name == "home"


def test_disconnecting_asks_for_the_name(admin: Client, account: Account) -> None:
    assert "The data is kept" in text_of(admin.get(page("disconnect")))
    refused = admin.post(page("disconnect"), {"name": "prod"})
    assert refused.status_code == 422
    assert "Type production exactly as shown." in text_of(refused)
    body = text_of(admin.post(page("disconnect"), {"name": "production"}, follow=True))
    assert "production is disconnected. Its data is kept." in body
    assert Account.objects.get().removed_at is not None
    assert Entry.objects.get(kind="account.disconnect").account_id == NUMBER


@pytest.mark.parametrize("name", ["settings", "disconnect"])
def test_a_sign_in_that_is_old_is_renewed_before_danger(
    admin: Client, account: Account, settings: Any, name: str
) -> None:
    settings.REAUTHENTICATE_MINUTES = 0
    response = admin.post(page(name), {"name": "production"})
    assert response.status_code == 302
    assert page(name) not in response["Location"].split("?")[0]
    assert Account.objects.get().removed_at is None


def test_every_field_says_what_is_wrong_with_it_at_once(admin: Client, account: Account) -> None:
    factories.account("222222222222", name="data")
    values = {"name": "Data", "role_arn": "nope", "write_role_arn": "also nope", "external_id": "a b"}
    body = text_of(admin.post(reverse("setup:settings", args=[account.account_id]), values))
    assert body.count('aria-invalid="true"') == 4
    assert "Account 2222-2222-2222 is called data already." in body
    assert "also nope" in body


def test_new_roles_are_checked_at_once_since_the_last_check_was_of_others(
    admin: Client, account: Account
) -> None:
    DoctorRun.objects.create(account=account, state="done")
    values = {
        "name": account.name,
        "role_arn": account.role_arn,
        "write_role_arn": account.write_role_arn,
        "external_id": "gh-another",
    }
    address = reverse("setup:settings", args=[account.account_id])
    shown = text_of(admin.post(address, values, follow=True))
    assert "The roles are being checked." in shown
    assert "Last check" not in shown
    assert DoctorRun.objects.filter(account=account, state="queued", pull_after=True).count() == 1
    admin.post(address, values | {"name": "renamed"}, follow=True)
    assert DoctorRun.objects.filter(account=account).count() == 2
