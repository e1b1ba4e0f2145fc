"""Connecting from the pages: by a role, by an organization, by what the worker has; every step works without
JavaScript.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from iam.aws.permissions import read_policy
from iam.directory.models import Role
from iam.journal.models import Entry
from iam.mirror.accounts.run_jobs import run_job
from iam.mirror.doctor.run import run_examination
from iam.mirror.models import Account, ConnectionDraft, DoctorRun, Pull, SetupJob
from tests import factories
from tests.console.setup.conftest import HTMX, signed_in, text_of
from tests.iam.mirror.accounts.aws import HUB, ID_OF_SPOKES, SANDBOX, Cloud, arn_of

CONNECT = "/accounts/connect/"
FIRST = {"account_id": "3390-1127-6654", "name": "brightwater", "partition": "aws"}
HUB_ROLE = "arn:aws:iam::509330017742:role/gatehouse"


def known_hub(arn: str = HUB_ROLE) -> SetupJob:
    """The worker has said who it is."""
    return SetupJob.objects.create(
        kind="identity",
        state="done",
        ended_at=datetime.now(tz=UTC),
        result={"account_id": "509330017742", "arn": arn, "partition": "aws", "principal": arn},
    )


def begun(client: Client, **fields: str) -> ConnectionDraft:
    """The first step, taken."""
    response = client.post(CONNECT, FIRST | fields)
    draft = ConnectionDraft.objects.get()
    assert response["Location"] == reverse("setup:connect-role", args=[draft.pk])
    return draft


def second(draft: ConnectionDraft) -> str:
    return reverse("setup:connect-role", args=[draft.pk])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"account_id": ""}, "Enter the 12-digit account ID"),
        ({"account_id": "12"}, "An account ID has 12 digits."),
        ({"name": ""}, "Enter a name for the account."),
        ({"name": "a\u202eb"}, "can’t be displayed"),
        ({"partition": "aws-iso"}, "Select a valid choice"),
        ({"account_id": "447109238816"}, "Account 447109238816 is connected already, as production."),
    ],
)
def test_the_first_step_says_what_is_wrong_and_keeps_what_was_typed(
    admin: Client, account: Account, change: dict[str, str], words: str
) -> None:
    response = admin.post(CONNECT, FIRST | change)
    assert response.status_code == 422
    body = text_of(response)
    assert words in body
    assert 'aria-invalid="true"' in body
    assert not ConnectionDraft.objects.exists()


def test_a_hub_of_another_partition_is_said_at_once(admin: Client) -> None:
    known_hub()
    response = admin.post(CONNECT, FIRST | {"partition": "aws-cn"})
    assert response.status_code == 422
    assert "roles of aws-cn can only trust principals in aws-cn" in text_of(response)
    assert not ConnectionDraft.objects.exists()


def test_the_second_step_shows_trust_and_permissions_ready_to_copy(admin: Client) -> None:
    known_hub()
    draft = begun(admin)
    body = text_of(admin.get(second(draft)))
    assert draft.external_id in body
    assert f'"{HUB_ROLE}"'.replace('"', "&quot;") in body
    assert "sts:ExternalId" in body
    assert 'data-copy-from="trust-read"' in body
    assert 'data-copy-from="perm-write"' in body
    assert "iam:AddUserToGroup" in body
    assert 'value="arn:aws:iam::339011276654:role/gatehouse-reader"' in body


@pytest.mark.parametrize(
    ("how", "words"),
    [("cloudformation", "AWSTemplateFormatVersion"), ("terraform", "aws_iam_role"), ("hand", "Trust")],
)
def test_the_role_can_be_made_in_three_ways(admin: Client, how: str, words: str) -> None:
    known_hub()
    body = text_of(admin.get(second(begun(admin)) + f"?how={how}"))
    assert words in body
    assert f'href="?how={how}" aria-current="true"' in body


def test_every_text_is_a_download(admin: Client) -> None:
    known_hub()
    draft = begun(admin)
    for purpose, name in (("read", "gatehouse-reader"), ("write", "gatehouse-writer")):
        for what, ending in (
            ("cloudformation", "yaml"),
            ("terraform", "tf"),
            ("trust", "trust.json"),
            ("permissions", "permissions.json"),
        ):
            response = admin.get(reverse("setup:download", args=[draft.pk, purpose, what]))
            assert response.status_code == 200
            assert response["Content-Disposition"] == f'attachment; filename="{name}-339011276654.{ending}"'
    policy = admin.get(reverse("setup:download", args=[draft.pk, "read", "permissions"])).json()
    assert policy == read_policy()
    for purpose, what in (("read", "x"), ("all", "trust")):
        assert admin.get(reverse("setup:download", args=[draft.pk, purpose, what])).status_code == 404


def test_while_nobody_knows_the_hub_the_page_waits_and_asks(admin: Client) -> None:
    draft = begun(admin)
    assert SetupJob.objects.get().kind == "identity"
    body = admin.get(second(draft)).content.decode()
    assert "Checking the worker’s identity" in body
    assert "load delay:1s" in body
    address = reverse("setup:connect-hub", args=[draft.pk])
    assert admin.get(address, headers=HTMX).status_code == 200
    SetupJob.objects.update(
        state="done", result={"account_id": "1", "arn": HUB_ROLE, "partition": "aws", "principal": HUB_ROLE}
    )
    ConnectionDraft.objects.update(hub_arn=HUB_ROLE)
    done = admin.get(address, headers=HTMX)
    assert done.status_code == 286
    assert "sts:ExternalId" in done.content.decode()
    assert "load delay" not in done.content.decode()


def test_a_worker_that_cannot_say_who_it_is_can_be_spoken_for(admin: Client) -> None:
    draft = begun(admin)
    SetupJob.objects.update(state="failed", message="AWS rejected the worker’s credentials.")
    body = text_of(admin.get(second(draft)))
    assert "The worker’s identity is unknown." in body
    change = reverse("setup:change-draft", args=[draft.pk])
    wrong = admin.post(change, {"hub_arn": "x"})
    assert wrong.status_code == 422
    assert "Enter the ARN of a role" in text_of(wrong)
    assert (
        admin.post(change, {"hub_arn": "arn:aws:iam::509330017742:role/platform/gatehouse"}).status_code
        == 302
    )
    assert "role/platform/gatehouse" in text_of(admin.get(second(draft)))


def test_a_root_user_as_hub_is_no_good_trust(admin: Client) -> None:
    draft = begun(admin)
    ConnectionDraft.objects.update(hub_arn="arn:aws:iam::509330017742:root")
    assert "A role can’t trust" in text_of(admin.get(second(draft)))


def test_a_role_that_exists_already_brings_its_external_id(admin: Client) -> None:
    known_hub()
    draft = begun(admin)
    change = reverse("setup:change-draft", args=[draft.pk])
    assert admin.post(change, {"external_id": 'a"b'}).status_code == 422
    admin.post(change, {"external_id": "theirs/2026"})
    assert "theirs/2026" in text_of(admin.get(second(draft)))


def test_a_prepared_connection_waits_and_can_be_forgotten(admin: Client) -> None:
    draft = begun(admin)
    assert "Not finished" in text_of(admin.get(CONNECT))
    again = admin.post(CONNECT, FIRST)
    assert again["Location"] == second(draft)
    admin.post(reverse("setup:discard-draft", args=[draft.pk]))
    assert not ConnectionDraft.objects.exists()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"role_arn": ""}, "Enter the ARN of the role that you created."),
        (
            {"role_arn": "arn:aws:iam::447109238816:role/x"},
            "This role belongs to account 447109238816, not to 339011276654.",
        ),
        ({"role_arn": "arn:aws-cn:iam::339011276654:role/x"}, "in the partition aws-cn"),
        (
            {
                "role_arn": "arn:aws:iam::339011276654:role/x",
                "write_role_arn": "arn:aws:iam::339011276654:role/x",
            },
            "second role",
        ),
    ],
)
def test_the_second_step_says_what_is_wrong(admin: Client, fields: dict[str, str], words: str) -> None:
    known_hub()
    draft = begun(admin)
    response = admin.post(second(draft), fields)
    assert response.status_code == 422
    assert words in text_of(response)
    assert not Account.objects.exists()


@pytest.mark.django_db
def test_connecting_by_a_role_ends_in_a_checked_and_read_account(admin: Client, cloud: Cloud) -> None:
    known_hub()
    draft = begun(admin, account_id=SANDBOX, name="sandbox")
    admin.post(reverse("setup:change-draft", args=[draft.pk]), {"external_id": ID_OF_SPOKES})
    response = admin.post(second(draft), {"role_arn": arn_of(SANDBOX)})
    assert response["Location"] == reverse("setup:doctor", args=[SANDBOX])
    body = text_of(admin.get(response["Location"]))
    assert 'aria-current="step"><span>Check' in body
    run = DoctorRun.objects.get()
    assert run.pull_after
    run_examination(run.pk)
    body = text_of(admin.get(response["Location"]))
    assert 'aria-current="step"><span>First sync' in body
    assert "Follow the first sync" in body
    assert Pull.objects.get().state == "queued"
    assert not ConnectionDraft.objects.exists()
    assert Entry.objects.get(kind="account.connect").actor_label == "Ines Duarte"


def test_a_disconnected_account_is_connected_again_from_the_list(admin: Client, account: Account) -> None:
    Account.objects.update(removed_at=datetime.now(tz=UTC))
    known_hub()
    body = text_of(admin.get(f"{CONNECT}?account_id=447109238816&name=production&partition=aws"))
    assert 'value="447109238816"' in body
    draft = begun(admin, account_id="447109238816", name="production")
    admin.post(second(draft), {"role_arn": "arn:aws:iam::447109238816:role/gatehouse-reader"})
    account.refresh_from_db()
    assert account.removed_at is None
    assert account.external_id == draft.external_id


@pytest.mark.django_db
def test_what_the_worker_has_is_found_and_connected(admin: Client, cloud: Cloud) -> None:
    page = reverse("setup:connect-environment")
    assert "A worker checks its own" in text_of(admin.get(page))
    admin.post(reverse("setup:look-up-environment"))
    assert "Waiting for a worker" in text_of(admin.get(page))
    assert admin.get(f"{page}?n=1", headers=HTMX).status_code == 200
    run_job(SetupJob.objects.get().pk)
    response = admin.get(f"{page}?n=2", headers=HTMX)
    assert response.status_code == 286
    assert HUB in response.content.decode()
    connect = reverse("setup:connect-own-account")
    assert admin.post(connect, {"name": ""}).status_code == 422
    assert admin.post(connect, {"name": "hub"})["Location"] == reverse("setup:doctor", args=[HUB])
    made = Account.objects.get()
    assert (made.source, made.account_id, made.is_writable) == ("environment", HUB, True)
    assert "This account is connected, as" in text_of(admin.get(page))
    again = admin.post(connect, {"name": "hub"})
    assert again.status_code == 422


def test_nothing_is_connected_before_the_worker_has_said_who_it_is(admin: Client) -> None:
    assert admin.post(reverse("setup:connect-own-account"), {"name": "x"}).status_code == 404
    known = known_hub()
    SetupJob.objects.filter(pk=known.pk).update(state="failed", message="No credentials.")
    assert "No credentials." in text_of(admin.get(reverse("setup:connect-environment")))


def test_somebody_elses_job_of_one_account_is_not_shown() -> None:
    job = SetupJob.objects.create(kind="import", params={"export": "x"})
    client = Client()
    operator = factories.operator(None)
    factories.assign(operator.person, Role.ADMINISTRATOR, account_id="339011276654")
    client.force_login(operator)
    assert client.get(reverse("setup:import", args=[job.pk])).status_code == 404
    SetupJob.objects.update(requested_by=operator.person.pk)
    assert client.get(reverse("setup:import", args=[job.pk])).status_code == 200


test_somebody_elses_job_of_one_account_is_not_shown = pytest.mark.django_db(
    test_somebody_elses_job_of_one_account_is_not_shown
)


def test_the_ways_are_links(admin: Client) -> None:
    for name in ("connect", "connect-organization", "connect-environment", "upload"):
        body = admin.get(reverse(f"setup:{name}")).content.decode()
        assert body.count('class="tile"') == 4
        assert body.count('aria-current="true"') >= 1


def test_an_address_of_a_draft_needs_its_manager(admin: Client) -> None:
    draft = begun(admin)
    other: Any = signed_in(Role.AUDITOR, name="Tomas Lind")
    assert other.get(second(draft)).status_code == 404
    assert other.get(reverse("setup:download", args=[draft.pk, "read", "trust"])).status_code == 404


def test_all_that_is_wrong_with_the_first_step_is_said_at_once(admin: Client) -> None:
    page = text_of(admin.post(CONNECT, FIRST | {"account_id": "12", "name": ""}))
    assert "An account ID has 12 digits." in page
    assert "Enter a name for the account." in page


def test_the_list_of_accounts_leads_back_to_what_was_prepared(admin: Client, auditor: Client) -> None:
    assert "prepared, not made yet" not in text_of(admin.get("/accounts/"))
    begun(admin)
    assert "1 connection prepared but not finished" in text_of(admin.get("/accounts/"))
    assert "prepared" not in text_of(auditor.get("/accounts/"))


def test_a_page_that_waits_long_says_that_perhaps_nobody_works(admin: Client) -> None:
    page = "/accounts/connect/environment/"
    admin.post("/accounts/connect/environment/look/")
    assert "none is running" not in text_of(admin.get(page))
    SetupJob.objects.update(created_at=datetime.now(tz=UTC) - timedelta(minutes=3))
    assert "Waiting for a worker for 3 min. If this takes longer" in text_of(admin.get(page))


def test_a_name_that_another_account_has_is_refused_at_its_field(admin: Client, account: Account) -> None:
    values = {"account_id": "222222222222", "name": "  PRODUCTION ", "partition": "aws"}
    body = text_of(admin.post(reverse("setup:connect"), values))
    assert "Account 4471-0923-8816 is called production already. Choose another name." in body
    assert not ConnectionDraft.objects.exists()
    account.removed_at = account.created_at
    account.save()
    assert admin.post(reverse("setup:connect"), values).status_code == 302
