"""The pages of leaving: what ends is shown before it is asked for, lists cost the same for one and for many, and a certificate that was altered says so."""

from __future__ import annotations

import json
from io import BytesIO

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from iam.changes.models import Change
from iam.directory.models import Role
from iam.mirror.models import Account, EdgeKind, Entity
from iam.people.leaving.closing import DENY, DENY_TEXT
from iam.people.leaving.models import Certificate, Leaver, Run, Stage, Standing
from tests import factories, leaving

pytestmark = pytest.mark.django_db
NUMBER = "111111111111"


@pytest.fixture
def user() -> Entity:
    """In a group of an account that is written to."""
    account = factories.account(NUMBER, write_role_arn=f"arn:aws:iam::{NUMBER}:role/w")
    user = factories.user(account, "maya.okafor")
    factories.edge(EdgeKind.MEMBER, user, factories.group(account, "payments-dev"))
    return user


@pytest.fixture
def admin(user: Entity) -> Client:
    """The browser of an administrator."""
    client = Client()
    client.force_login(factories.operator(Role.ADMINISTRATOR, name="Ines Duarte"))
    return client


def test_what_ends_is_shown_and_then_asked_for_once(admin: Client, user: Entity) -> None:
    address = f"{reverse('leaving:begin')}?user={user.pk}"
    page = admin.get(address).content.decode()
    assert "Write inline policy GatehouseLeft of maya.okafor" in page
    assert "Remove maya.okafor from payments-dev" in page
    assert admin.post(address, {"reason": "", "grace": "30", "key": "k"}).status_code == 422
    sent = {"reason": "Last day", "grace": "0", "key": "k"}
    answers = {admin.post(address, sent)["Location"] for _ in range(2)}
    assert len(answers) == 1
    live = admin.get(answers.pop()).content.decode()
    assert "Waiting for approval" in live
    assert "hx-get" in live
    change = Change.objects.get(position=0)
    assert (
        reverse("leaving:run", args=[Run.objects.get().pk])
        in admin.get(reverse("changes:change", args=[change.pk])).content.decode()
    )
    again = admin.get(address).content.decode()
    assert "maya.okafor is being offboarded already" in again
    assert "cannot be asked for as it is" not in again
    later = admin.post(address, {**sent, "key": "other", "when": "later", "at": "yesterday"})
    assert "Write when access ends" in later.content.decode()


def test_a_list_is_checked_row_by_row_and_nobody_is_asked_for_while_one_is_bad(
    admin: Client, user: Entity
) -> None:
    file = BytesIO(b"E-mail;User name\n;maya.okafor\n;nobody\n")
    file.name = "leavers.csv"
    draft = admin.post(reverse("leaving:file"), {"file": file})["Location"]
    assert "No one in your accounts or teams" in admin.get(draft).content.decode()
    run = Run.objects.get()
    ask = reverse("leaving:run-ask", args=[run.pk])
    refused = admin.post(ask, {"reason": "They go", "grace": "30"})
    assert "1 of 2 rows need fixing" in refused.content.decode()
    assert not Change.objects.exists()
    admin.post(ask, {"reason": "They go", "grace": "30", "skip": "1"})
    assert Leaver.objects.filter(stage=Stage.WAITING).count() == 1
    huge = admin.generic(
        "POST",
        reverse("leaving:file"),
        b"x",
        content_type="multipart/form-data; boundary=x",
        CONTENT_LENGTH="1073741824",
    )
    assert (huge.status_code, huge["Connection"]) == (413, "close")


def test_lists_cost_the_same_for_one_and_for_many_and_are_narrowed(admin: Client, user: Entity) -> None:
    author = factories.person("Hana Sato")
    leaving.left(user, author)

    def cost() -> tuple[int, str]:
        with CaptureQueriesContext(connection) as found:
            page = admin.get(reverse("leaving:leavers")).content.decode()
        return len(found), page

    admin.get(reverse("leaving:leavers"))
    few, _ = cost()
    others = [factories.user(user.account, f"leaver-{number}") for number in range(12)]
    for one in others:
        leaving.left(one, author, stage=Stage.DELETED)
    many, page = cost()
    assert few == many
    assert "leaver-11" in page
    narrowed = admin.get(f"{reverse('leaving:leavers')}?show=deleted&q=leaver-3").content.decode()
    assert "leaver-3" in narrowed
    assert "leaver-4" not in narrowed


def test_of_whoever_has_left_it_is_said_and_where_that_stands(admin: Client) -> None:
    gone = factories.user(Account.objects.get(), "nina", credentials={"has_password": False})
    factories.inline(gone, DENY, body=json.loads(DENY_TEXT))
    leaver = leaving.left(gone, factories.person("Hana Sato"))
    page = admin.get(f"{reverse('leaving:begin')}?user={gone.pk}").content.decode()
    assert "nina has left already" in page
    assert reverse("leaving:leaver", args=[leaver.pk]) in page
    assert "cannot be asked for as it is" not in page


def test_in_a_list_whoever_has_left_is_to_be_put_right(admin: Client, user: Entity) -> None:
    leaver = leaving.left(user, factories.person("Hana Sato"))
    file = BytesIO(b"E-mail;User name\n;maya.okafor\n")
    file.name = "leavers.csv"
    draft = admin.post(reverse("leaving:file"), {"file": file})["Location"]
    page = admin.get(draft).content.decode()
    assert f"has left ({leaver.run.reference}): there is nothing left to end." in page
    assert not Leaver.objects.filter(standing=Standing.READY, stage=Stage.DRAFT).exists()


def test_a_deletion_that_is_refused_keeps_the_reason(admin: Client, user: Entity) -> None:
    leaver = leaving.left(user, factories.person("Hana Sato"), stage=Stage.RETURNED)
    page = admin.post(reverse("leaving:delete", args=[leaver.pk]), {"reason": "Gone <for> good"})
    assert page.status_code == 422
    assert "Gone &lt;for&gt; good</textarea>" in page.content.decode()


def test_a_certificate_stands_in_the_journal_until_somebody_alters_it(admin: Client, user: Entity) -> None:
    leaver = leaving.left(user, factories.person("Hana Sato"))
    address = reverse("leaving:certificate", args=[leaver.pk, "ended"])
    assert "Stands in the journal" in admin.get(address).content.decode()
    file = admin.get(reverse("leaving:certificate-export", args=[leaver.pk, "ended"]))
    assert file.content.decode() == Certificate.objects.get().text
    Certificate.objects.update(text=file.content.decode().replace("maya", "nina"))
    assert "Does not match the journal" in admin.get(address).content.decode()
    live = admin.get(reverse("leaving:leaver", args=[leaver.pk]), headers={"HX-Request": "true"})
    assert live.status_code == 286
