"""Who may open which list, and whose rows are in it."""

from __future__ import annotations

import pytest
from django.test import Client

from iam.directory.models import Role
from iam.guard import viewer_for
from iam.mirror.models import EdgeKind, Kind
from tests import factories
from tests.console.identities.lists.conftest import SignIn, shown

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]

EVERYBODY_ELSES = ["roles", "policies", "instance-profiles", "providers"]
LISTS = ["people", "groups", *EVERYBODY_ELSES]
WHOLE = [Role.ADMINISTRATOR, Role.APPROVER, Role.AUDITOR]


@pytest.mark.parametrize("name", LISTS)
def test_nobody_sees_a_list_without_signing_in(client: Client, name: str) -> None:
    for address in (f"/{name}/", f"/{name}/export.csv", "/search/?q=ma"):
        response = client.get(address)
        assert response.status_code == 302
        assert response["Location"].startswith("/sign-in/")


@pytest.mark.parametrize("role", WHOLE)
@pytest.mark.parametrize("name", LISTS)
def test_who_sees_accounts_sees_every_list_whole_and_in_part(sign_in: SignIn, name: str, role: Role) -> None:
    client = sign_in(role)
    page = client.get(f"/{name}/")
    part = client.get(f"/{name}/", HTTP_HX_REQUEST="true")
    assert page.status_code == part.status_code == 200
    assert b"<!DOCTYPE html>" in page.content
    assert b"<!DOCTYPE html>" not in part.content
    assert b'id="table"' in page.content
    assert b'id="table"' in part.content
    assert client.get(f"/{name}/", HTTP_HX_REQUEST="true", HTTP_HX_HISTORY_RESTORE_REQUEST="true").content[
        :15
    ] == (b"<!DOCTYPE html>")


@pytest.mark.parametrize("name", LISTS)
def test_a_member_sees_no_list(sign_in: SignIn, name: str) -> None:
    client = sign_in(Role.MEMBER)
    for address in (f"/{name}/", f"/{name}/export.csv", f"/{name}/export.json", "/search/?q=ma"):
        assert client.get(address).status_code == 404


@pytest.mark.parametrize("name", EVERYBODY_ELSES)
def test_a_team_lead_sees_no_list_of_what_is_not_people(sign_in: SignIn, name: str) -> None:
    client = sign_in(Role.TEAM_LEAD)
    assert client.get(f"/{name}/").status_code == 404
    assert client.get(f"/{name}/export.csv").status_code == 404


def test_a_team_lead_sees_their_people_and_groups_and_nobody_else(sign_in: SignIn) -> None:
    production = factories.account()
    team, others = factories.group(production, "payments-dev"), factories.group(production, "sre")
    factories.edge(EdgeKind.MEMBER, factories.user(production, "maya.okafor"), team)
    factories.edge(EdgeKind.MEMBER, factories.user(production, "hana.sato"), others)
    client = sign_in(Role.TEAM_LEAD)
    assert shown(client.get("/people/")) == ["maya.okafor"]
    assert shown(client.get("/groups/")) == ["payments-dev"]
    assert b"The IAM users of your teams." in client.get("/people/").content
    assert "hana" not in client.get("/people/export.csv").getvalue().decode()
    assert b"1\xe2\x80\x931 of 1<" in client.get("/people/").content


def test_of_an_account_without_a_right_nothing_is_there(sign_in: SignIn) -> None:
    mine, other = factories.account(), factories.account("222222222222", name="staging")
    factories.user(mine, "maya.okafor")
    factories.user(other, "hana.sato")
    client = Client()
    operator = factories.operator(None, name="Jonas Berg")
    factories.assign(operator.person, Role.AUDITOR, account_id=mine.account_id)
    client.force_login(operator)
    assert viewer_for(operator.person).scope.accounts == {mine.account_id}
    assert shown(client.get("/people/")) == ["maya.okafor"]
    assert client.get("/people/?account=222222222222").status_code == 404
    assert client.get("/people/export.csv?account=222222222222").status_code == 404
    assert client.get("/people/?account=999999999999").status_code == 404


def test_chosen_numbers_of_others_are_not_exported(sign_in: SignIn) -> None:
    production = factories.account()
    factories.edge(
        EdgeKind.MEMBER,
        factories.user(production, "maya.okafor"),
        factories.group(production, "payments-dev"),
    )
    stranger = factories.user(production, "hana.sato")
    text = sign_in(Role.TEAM_LEAD).get(f"/people/export.csv?id={stranger.pk}").getvalue().decode()
    assert text.count("\n") == 1
    assert "hana" not in text


@pytest.mark.parametrize("name", LISTS)
def test_files_are_only_in_forms_that_exist(auditor: Client, name: str) -> None:
    assert auditor.get(f"/{name}/export.xlsx").status_code == 404


@pytest.mark.parametrize(
    ("kind", "name"),
    [(Kind.USER, "people"), (Kind.GROUP, "groups"), (Kind.ROLE, "roles"), (Kind.POLICY, "policies"),
     (Kind.INSTANCE_PROFILE, "instance-profiles"), (Kind.SAML_PROVIDER, "providers")],
)  # fmt: skip
def test_a_hostile_name_is_shown_as_text(auditor: Client, kind: Kind, name: str) -> None:
    hostile = '"><script>alert(1)</script>'
    factories.entity(factories.account(name=hostile), kind, hostile, path="/<b>/")
    for address in (f"/{name}/", f"/{name}/?q=<script>", f"/{name}/?q=%22%3E%3Cb", (
        f"/{name}/?view=<i>&sort=<i>&after=<i>"
    )):  # fmt: skip
        page = auditor.get(address).content.decode()
        for forbidden in ("<script>alert", "<b>", "<i>"):
            assert forbidden not in page, (address, forbidden)
    assert shown(auditor.get(f"/{name}/")) == [hostile]


def test_without_an_account_the_list_leads_to_the_first_one(sign_in: SignIn) -> None:
    page = sign_in(Role.ADMINISTRATOR).get("/people/").content.decode()
    assert "No account is connected" in page
    assert "/accounts/connect/" in page
    assert "/accounts/connect/" not in sign_in(Role.AUDITOR).get("/people/").content.decode()
