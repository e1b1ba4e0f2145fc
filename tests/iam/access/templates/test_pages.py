"""The pages of templates, for each role, whole and in part."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from iam.access.templates.models import Template, TemplateVersion
from iam.access.templates.queries import offer_of
from iam.access.templates.shipped_files import ship
from iam.directory.models import Role, Team
from tests import factories

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _shipped() -> None:
    factories.account()
    ship(Template, TemplateVersion)


def browser(role: Role | None, name: str = "Ines Duarte") -> Client:
    client = Client()
    team = Team.objects.create(slug="payments", name="Payments") if role == Role.TEAM_LEAD else None
    client.force_login(factories.operator(role, name=name, team=team))
    return client


def written(**changes: str) -> dict[str, str]:
    """What the form of a new template sends."""
    return {
        "title": "Read our reports",
        "description": "Open the reports.",
        "category": "storage",
        "risk": "low",
        "hours": "8",
        "parameters": "1",
        "q0-name": "bucket",
        "q0-kind": "bucket",
        "q0-label": "Bucket",
        "statements": '[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::{{bucket}}/*"}]',
        "do": "save",
        **changes,
    }


def test_the_list_shows_all_and_finds_by_words_and_category() -> None:
    client = browser(Role.AUDITOR)
    assert client.get("/templates/").content.decode().count('class="tile"') >= 15
    page = client.get("/templates/?q=queue+messages").content.decode()
    assert "Read from an SQS queue" in page
    assert "Read an S3 bucket" not in page
    part = client.get("/templates/?category=storage", headers=HTMX).content.decode()
    assert "<html" not in part
    assert "Read an S3 bucket" in part
    assert "Read from an SQS queue" not in part
    assert "No template matches" in client.get("/templates/?q=%3Cscript%3E").content.decode()


def test_the_list_takes_the_same_queries_however_many_there_are() -> None:
    client = browser(Role.AUDITOR)
    client.get("/templates/")
    with CaptureQueriesContext(connection) as many:
        client.get("/templates/")
    Template.objects.exclude(slug="read-bucket").update(retired_at="2026-01-01T00:00:00Z")
    with CaptureQueriesContext(connection) as queries:
        client.get("/templates/")
    assert len(many) == len(queries)


def test_a_template_is_shown_in_words_and_as_text() -> None:
    page = browser(Role.AUDITOR).get("/templates/read-prefix/").content.decode()
    assert "List and open the files in one folder" in page
    assert "{{prefix}}" in page
    assert "Edit" not in page


def test_a_team_lead_reads_words_and_no_policy() -> None:
    client = browser(Role.TEAM_LEAD, "Elif Kaya")
    page = client.get("/templates/read-prefix/").content.decode()
    assert "List and open the files in one folder" in page
    assert "{{prefix}}" not in page
    assert client.get("/templates/read-prefix/difference/").status_code == 404


@pytest.mark.parametrize("slug", ["no-such", "READ-BUCKET"])
def test_what_is_not_there_is_not_found(slug: str) -> None:
    client = browser(Role.ADMINISTRATOR)
    for rest in ("", "edit/", "difference/", "rollout/", "versions/1/"):
        assert client.get(f"/templates/{slug}/{rest}").status_code == 404
    assert client.get("/templates/read-bucket/versions/99/").status_code == 404
    assert client.get("/templates/read-bucket/versions/99999999999999999999/").status_code == 404


def test_a_template_is_written_checked_and_saved() -> None:
    client = browser(Role.ADMINISTRATOR)
    assert client.get("/templates/new/").status_code == 200
    part = client.post("/templates/new/", written(do="check"), headers=HTMX).content.decode()
    assert "<html" not in part
    assert "No problems found" in part
    assert Template.objects.filter(slug="read-our-reports").count() == 0
    answer = client.post("/templates/new/", written())
    assert answer["Location"] == "/templates/read-our-reports/"
    offer = offer_of("read-our-reports")
    assert offer is not None
    assert offer.version.made_label == "Ines Duarte"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"statements": "{"}, "no JSON: line 1"),
        ({"statements": "[" * 200_000}, "nested too deeply"),
        ({"statements": "[" * 4000 + "]" * 4000}, "statement"),
        (
            {"statements": '[{"Effect":"Allow","Action":"s3:GetObject","Resource":"{{x}}"}]'},
            "No parameter is named",
        ),
        ({"title": ""}, "title"),
        ({"hours": "many"}, "number of hours"),
        ({"q0-kind": "shoe"}, "no kind"),
        ({"slug": "read-bucket"}, "already"),
        ({"statements": '[{"Effect":"Allow","Action":"s3:GetObject","Resource":"{{bucket}}"}]'}, "ARN"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_lost(change: dict[str, str], why: str) -> None:
    answer = browser(Role.ADMINISTRATOR).post("/templates/new/", written(**change))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert page.count('aria-invalid="true"') == 1
    assert why in page
    assert "Open the reports." in page


def test_parameters_are_added_and_removed_without_javascript() -> None:
    client = browser(Role.ADMINISTRATOR)
    page = client.post("/templates/new/", written(do="add-parameter")).content.decode()
    assert 'name="q1-name"' in page
    page = client.post("/templates/new/", written(do="drop-parameter:0")).content.decode()
    assert 'name="q0-name"' not in page
    assert "Open the reports." in page


def test_a_new_version_is_saved_once_and_the_old_one_can_be_read() -> None:
    client = browser(Role.ADMINISTRATOR)
    client.post("/templates/new/", written())
    address = "/templates/read-our-reports/edit/"
    page = client.get(address).content.decode()
    assert 'name="base" value="1"' in page
    again: dict[str, Any] = written(base="1", hours="4", note="Shorter")
    assert client.post(address, again).status_code == 302
    answer = client.post(address, written(base="1", hours="2"))
    assert answer.status_code == 422
    assert "Someone saved version 2" in answer.content.decode()
    old = client.get("/templates/read-our-reports/versions/1/").content.decode()
    assert "This is version 1" in old
    difference = client.get("/templates/read-our-reports/difference/").content.decode()
    assert "Longest hours" in difference
    assert "The statements are the same" in difference


def test_the_page_names_the_author_of_the_version_not_of_the_template() -> None:
    client = browser(Role.ADMINISTRATOR)
    assert "Version 1 created by</dt><dd>Gatehouse" in client.get("/templates/read-bucket/").content.decode()


def test_a_template_is_retired_and_offered_again() -> None:
    client = browser(Role.ADMINISTRATOR)
    client.post("/templates/read-bucket/retire/", {"do": "retire"})
    page = client.get("/templates/read-bucket/").content.decode()
    assert "Retired" in page
    assert "Grant access<" not in page
    assert "Read an S3 bucket" in client.get("/templates/?retired=1").content.decode()
    client.post("/templates/read-bucket/retire/", {"do": "restore"})
    assert "Grant access<" in client.get("/templates/read-bucket/").content.decode()


@pytest.mark.parametrize("role", [None, Role.MEMBER])
def test_who_sees_only_themselves_finds_no_templates(role: Role | None) -> None:
    client = browser(role, "Tomas Lind")
    for rest in ("", "read-bucket/", "read-bucket/versions/1/", "new/"):
        assert client.get(f"/templates/{rest}").status_code == 404


@pytest.mark.parametrize("role", [Role.APPROVER, Role.AUDITOR, Role.TEAM_LEAD])
def test_who_does_not_write_finds_no_form(role: Role) -> None:
    client = browser(role, "Hana Sato")
    assert client.get("/templates/new/").status_code == 404
    assert client.get("/templates/read-bucket/edit/").status_code == 404
    assert client.post("/templates/read-bucket/edit/", written()).status_code == 404
    assert client.post("/templates/read-bucket/retire/").status_code == 404
    assert Template.objects.get(slug="read-bucket").retired_at is None


def test_nobody_who_is_not_signed_in_sees_anything() -> None:
    assert Client().get("/templates/").status_code == 302
