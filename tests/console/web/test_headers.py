"""What a browser is told with every answer, errors and files included."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from console.web.middleware import PERMISSIONS
from iam.directory.models import Role
from tests import factories

pytestmark = pytest.mark.django_db
ALWAYS = {
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": PERMISSIONS,
}
ANSWERS: tuple[tuple[str, str, dict[str, str], int], ...] = (
    ("GET", "/", {}, 200),
    ("GET", "/people/", {"HX-Request": "true"}, 200),
    ("GET", "/people/export.csv", {}, 200),
    ("GET", "/people/export.json", {}, 200),
    ("GET", "/audit/journal/?format=csv", {}, 200),
    ("GET", "/sign-in/factors/totp/activate/", {}, 200),
    ("GET", "/sign-in/password/reset/key/1-aaa-bbb/", {}, 200),
    ("GET", "/nowhere/", {}, 404),
    ("GET", "/static/nowhere.js", {}, 404),
    ("GET", "/people/?q=%00", {}, 400),
    ("GET", "/people/", {"Host": "evil.example"}, 400),
    ("GET", "/audit/journal/check/", {"HX-Request": "true"}, 405),
    ("POST", "/sign-in/", {}, 403),
    ("GET", "/operators/", {"X-Break": "yes"}, 500),
)


@pytest.mark.parametrize(("method", "path", "headers", "status"), ANSWERS, ids=lambda value: str(value)[:60])
def test_every_answer_says_how_to_treat_it(
    monkeypatch: pytest.MonkeyPatch, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(factories.operator(Role.ADMINISTRATOR))
    if "X-Break" in headers:
        monkeypatch.setattr("console.operators.pages.people.people_page", None)
    response = client.generic(method, path, headers=headers)
    assert response.status_code == status
    assert {name: response[name] for name in ALWAYS} == ALWAYS
    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert "no-store" in response["Cache-Control"] or status == 400


def test_a_static_file_is_stored_and_framed_by_nobody(client: Client, settings: Any) -> None:
    name = next(Path(settings.BASE_DIR / "static").glob("*.js")).name
    response = client.get(f"/static/{name}")
    assert response.status_code == 200
    assert {name: response[name] for name in ALWAYS} == ALWAYS
    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert "max-age" in response["Cache-Control"]
    response.close()


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_is_no_page(client: Client, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setattr("console.web.health._broker", lambda: "ok")
    response = client.get(path)
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in response["Content-Security-Policy"]
