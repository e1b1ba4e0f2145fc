"""Methods, origins, parameters and paths that no page of Gatehouse uses."""

from __future__ import annotations

import html
import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from iam.directory.models import Role
from iam.journal.services import record
from tests import factories
from tests.console.operators.conftest import PASSWORD
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.django_db
EVIL = "https://evil.example"


@pytest.mark.parametrize("path", ["/", "/sign-in/", "/people/", "/operators/"])
def test_trace_gives_nothing_back(client: Client, path: str) -> None:
    client.force_login(factories.operator(Role.ADMINISTRATOR))
    response = client.generic("TRACE", path, headers={"X-Probe": "give-this-back"})
    assert b"give-this-back" not in response.content
    assert response["Content-Type"] != "message/http"
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD, POST")


@pytest.mark.parametrize("is_signed_in", [True, False])
@pytest.mark.parametrize(
    "query", ["", "as-of-zone=UTC", "as-of=2026-01-01T10:00&as-of-zone=UTC", "as-of=2026-01-01T10:00"]
)
@pytest.mark.parametrize(
    "path", ["//evil.example/", "///evil.example/", "//evil.example", "/\\evil.example/", "/\t/evil.example/"]
)
def test_a_path_that_reads_as_another_host_leads_nowhere(
    client: Client, path: str, query: str, *, is_signed_in: bool
) -> None:
    """A link to `https://gatehouse.example//evil.example/?…` must not lead to the page of a stranger who asks
    for a password.
    """
    if is_signed_in:
        client.force_login(factories.operator(Role.ADMINISTRATOR))
    response = client.get("/", PATH_INFO=path, QUERY_STRING=query)
    assert response.status_code == 404
    assert "Location" not in response


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "DELETE", "PATCH", "PROPFIND", "FOO"])
def test_a_method_that_no_page_has_is_refused_before_any_view(client: Client, method: str) -> None:
    client.force_login(factories.operator(Role.ADMINISTRATOR))
    response = client.generic(method, "/people/")
    assert response.status_code == 405
    assert b"<table" not in response.content


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/nowhere/", "text/html; charset=utf-8"),
        ("/people/export.csv", "text/csv; charset=utf-8"),
        ("/people/export.json", "application/json"),
        ("/healthz", "application/json"),
        ("/static/js/gatehouse.js", 'text/javascript; charset="utf-8"'),
    ],
)
def test_each_answer_says_what_it_is_and_is_framed_by_nobody(client: Client, path: str, kind: str) -> None:
    client.force_login(factories.operator(Role.ADMINISTRATOR))
    response = client.get(path)
    assert response["Content-Type"] == kind
    policy = response["Content-Security-Policy"]
    assert {"default-src 'none'", "frame-ancestors 'none'"} <= {part.strip() for part in policy.split(";")}
    assert "'unsafe" not in policy
    response.close()


@pytest.mark.parametrize("method", ["GET", "OPTIONS", "POST"])
def test_no_other_origin_is_let_in(method: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(factories.operator(Role.ADMINISTRATOR))
    response = client.generic(method, "/people/", headers={"Origin": EVIL}, secure=True)
    assert [name for name in response.headers if name.lower().startswith("access-control-")] == []
    if method == "POST":
        assert response.status_code == 403


def test_a_field_is_never_taken_from_the_address(client: Client) -> None:
    operator = factories.operator(Role.MEMBER, name="Kwame Boateng")
    client.post(f"/sign-in/?login={operator.email}&password={PASSWORD.replace(' ', '+')}", {})
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize(
    "path",
    ["/static/", "/static/css/", "/.git/config", "/.env", "/static/../manage.py", "/static/%2e%2e/manage.py"],
)
def test_no_folder_and_no_source_is_served(client: Client, path: str) -> None:
    client.force_login(factories.operator(Role.ADMINISTRATOR))
    assert client.get(path).status_code == 404


def test_a_page_that_somebody_may_not_open_is_logged_with_who_and_where(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    operator = factories.operator(Role.MEMBER)
    client.force_login(operator)
    with caplog.at_level(logging.INFO):
        assert client.get("/operators/").status_code == 404
    lines = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    (line,) = [line for line in lines if line.get("event") == "request_finished"]
    assert (line["code"], line["user_id"]) == (404, operator.pk)
    assert "GET /operators/" in str(line["request"])
    assert line["request_id"]


def test_a_name_is_never_a_format_string(client: Client) -> None:
    administrator = factories.operator(Role.ADMINISTRATOR)
    client.force_login(administrator)
    name = "{0.__class__} {} %s %(name)s ${HOME} {{ 7 }}"
    factories.operator(Role.MEMBER, name=name)
    shown = client.get("/operators/", {"q": "HOME"}).content.decode()
    assert name in html.unescape(shown)
    record(kind="role.assign", actor=administrator.person, subject=name, data={"role": "member", "why": name})
    assert name in html.unescape(client.get("/audit/journal/").content.decode())


def test_an_error_shows_nothing_of_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("SELECT quiet-harbour FROM lamp")

    client = Client(raise_request_exception=False)
    client.force_login(factories.operator(Role.ADMINISTRATOR))
    monkeypatch.setattr("console.operators.pages.people.people_page", fail)
    response = client.get("/operators/")
    assert response.status_code == 500
    shown = response.content.decode()
    for telltale in ("quiet-harbour", "RuntimeError", "Traceback", "people.py", "Django"):
        assert telltale not in shown


PROGRAM = """
import logging, os, sys
import django
django.setup()
import structlog
structlog.get_logger("probe").warning("first\\nsecond", name="a\\r\\n{\\"event\\": \\"forged\\"}")
logging.getLogger("probe").warning("Not found: %s", "/x\\n{\\"event\\": \\"forged\\"}")
"""


def test_a_line_break_makes_no_second_line_in_the_log(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={
            "DJANGO_SETTINGS_MODULE": "console.settings",
            "GATEHOUSE_VAR": str(tmp_path),
            "PYTHONPATH": str(settings.BASE_DIR),
        },
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_S,
    )
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["event"].split()[0] for line in lines] == ["first", "Not"]
    assert [line["timestamp"][-1] for line in lines] == ["Z", "Z"]
