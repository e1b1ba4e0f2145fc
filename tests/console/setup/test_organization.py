"""Connecting an organization from the pages: find, pick, connect by one role name."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse

from iam.mirror.accounts.run_jobs import run_job
from iam.mirror.models import Account, SetupJob
from tests import factories
from tests.console.setup.conftest import HTMX, text_of
from tests.iam.mirror.accounts.aws import HUB, ID_OF_SPOKES, SANDBOX, Cloud

HUB_ROLE = "arn:aws:iam::509330017742:role/gatehouse"


@pytest.mark.django_db
def test_an_organization_is_found_picked_and_connected(admin: Client, cloud: Cloud) -> None:
    start = reverse("setup:connect-organization")
    response = admin.post(start, {"account": ""})
    page = response["Location"]
    assert "Waiting for a worker" in text_of(admin.get(page))
    run_job(SetupJob.objects.get().pk)
    done = admin.get(f"{page}?n=1", headers=HTMX)
    assert done.status_code == 286
    body = text_of(admin.get(page))
    assert "5 can be connected." in body
    assert "Management account" in body
    assert "With the worker’s credentials" in body.replace("&#x27;", "'")
    plan = {"role_name": "gatehouse-reader", "write_role_name": "", "external_id": ID_OF_SPOKES}
    connect = page + "connect/"
    nothing = admin.post(connect, plan | {"which": "chosen"})
    assert nothing.status_code == 422
    assert "Select at least one account." in text_of(nothing)
    wrong = admin.post(
        connect,
        plan | {"which": "chosen", "account": [SANDBOX], "role_name": "a/b", "external_id": "a b"},
    )
    assert wrong.status_code == 422
    body = text_of(wrong)
    assert body.count('aria-invalid="true"') == 2
    assert f'value="{SANDBOX}" checked' in body
    assert body.count(" checked") == 1
    assert not Account.objects.exists()
    page_text = text_of(admin.post(connect, plan | {"which": "chosen", "account": [SANDBOX]}, follow=True))
    assert "1 account is connected and will be synced within a minute." in page_text
    page_text = text_of(admin.post(connect, plan | {"which": "all"}, follow=True))
    assert "4 accounts are connected" in page_text
    assert "Not connected: sandbox is connected already." in page_text
    assert "All accounts that can be connected are connected." in text_of(admin.get(page))
    assert Account.objects.get(account_id=HUB).source == "environment"


def a_large_organization(count: int) -> SetupJob:
    return SetupJob.objects.create(
        kind="discover",
        state="done",
        params={"account": "", "external_id": "gh-4e07b81c2d95"},
        ended_at=datetime.now(tz=UTC),
        result={
            "identity": {
                "account_id": "000000000001",
                "arn": HUB_ROLE,
                "partition": "aws",
                "principal": HUB_ROLE,
            },
            "own_credentials": False,
            "organization_id": "o-abc",
            "management_account_id": "000000000001",
            "accounts": [
                {
                    "account_id": f"{n:012d}",
                    "name": f"<b>team {n}</b>",
                    "status": "ACTIVE" if n % 10 else "SUSPENDED",
                }
                for n in range(1, count + 1)
            ],
        },
    )


def test_2000_accounts_are_paged_filtered_and_connected_in_one_go(admin: Client) -> None:
    job = a_large_organization(2000)
    page = reverse("setup:discovered", args=[job.pk])
    body = text_of(admin.get(page))
    assert "1 to 100 of 2,000" in body
    assert "<b>team" not in body
    assert body.count('name="account"') == 100
    assert "101 to 200" in text_of(admin.get(f"{page}?from=101"))
    assert text_of(admin.get(f"{page}?q=team+1999")).count('name="account"') == 1
    for nonsense in ("from=x", "from=-5", "from=999999", "q=nothing"):
        assert admin.get(f"{page}?{nonsense}").status_code == 200
    page_text = text_of(
        admin.post(page + "connect/", {"which": "all", "role_name": "r", "external_id": "e-1"}, follow=True)
    )
    assert "1800 accounts are connected" in page_text
    assert "and 197 more." in page_text
    assert Account.objects.filter(source="organization").count() == 1800


def test_the_external_id_of_a_stack_set_stays_the_same(admin: Client) -> None:
    def suggested(job: SetupJob) -> str:
        response = admin.get(reverse("setup:discovered", args=[job.pk]))
        value = str(response.context["form"].initial["external_id"])
        assert value in response.context["text"].cloudformation
        return value

    admin.post(reverse("setup:connect-organization"), {"account": ""})
    first = SetupJob.objects.get(kind="discover")
    SetupJob.objects.filter(pk=first.pk).update(state="done", result=a_large_organization(2).result)
    first.refresh_from_db()
    kept = suggested(first)
    assert len(kept) >= 24
    assert suggested(first) == kept
    SetupJob.objects.exclude(pk=first.pk).delete()
    admin.post(reverse("setup:connect-organization"), {"account": ""})
    second_job = SetupJob.objects.exclude(pk=first.pk).get()
    assert second_job.params["external_id"] == kept
    factories.account(
        "000000000001", source="organization", organization_id="o-abc", external_id="theirs-since-2024"
    )
    assert suggested(first) == "theirs-since-2024"


def test_the_stack_set_is_shown_for_a_connectable_organization(admin: Client) -> None:
    body = text_of(admin.get(reverse("setup:discovered", args=[a_large_organization(3).pk])))
    assert "AWSTemplateFormatVersion" in body
    assert "gatehouse-reader" in body


def test_a_discovery_that_failed_says_why(admin: Client) -> None:
    job = a_large_organization(1)
    SetupJob.objects.filter(pk=job.pk).update(state="failed", message="Only the <management> account can.")
    body = text_of(admin.get(reverse("setup:discovered", args=[job.pk])))
    assert "Only the &lt;management&gt; account can." in body
    assert admin.post(reverse("setup:connect-discovered", args=[job.pk]), {"which": "all"}).status_code == 404


def test_an_unknown_account_to_ask_through_is_refused(admin: Client) -> None:
    factories.account("339011276654", name="file", source="export", role_arn="")
    for number in ("339011276654", "999999999999"):
        assert admin.post(reverse("setup:connect-organization"), {"account": number}).status_code == 422
    assert not SetupJob.objects.exists()


def test_accounts_of_one_name_get_their_numbers_so_that_a_name_is_of_one_account(admin: Client) -> None:
    factories.account("111111111111", name="Team")
    job = a_large_organization(3)
    for account in job.result["accounts"]:
        account["name"] = "team"
    job.save()
    plan = {"role_name": "gatehouse-reader", "external_id": "gh-1", "which": "all"}
    admin.post(reverse("setup:connect-discovered", args=[job.pk]), plan)
    names = Account.objects.exclude(account_id="111111111111").values_list("name", flat=True)
    assert sorted(names) == ["team 000000000001", "team 000000000002", "team 000000000003"]
