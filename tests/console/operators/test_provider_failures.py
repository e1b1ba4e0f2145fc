"""An identity provider that is down, slow, huge or confused: a page that says what to do, an entry with the
cause, never an error of ours.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from django.test import Client

from console.audit.entry_sentences import words_of
from console.operators.models import Operator
from console.operators.single_sign_on import provider_http
from iam.journal.models import Entry
from tests.console.operators.conftest import is_signed_in
from tests.console.operators.issuer import (
    ABSENT,
    ACCESS_TOKEN,
    CLIENT_SECRET,
    ENDPOINTS,
    Answer,
    Issuer,
    come_back,
    go_there,
    through,
)

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.console.operators.single_sign_on_urls")]

HTML = b"<!doctype html><title>Maintenance</title>"


def _last_failure() -> Entry:
    return Entry.objects.filter(kind="sign_in.failed").latest("id")


def _attempt(client: Client, issuer: Issuer, operator: Operator, endpoint: str, answer: Answer) -> Any:
    """A sign-in of which one endpoint answers wrongly: discovery fails on the way there, the others on the
    way back.
    """
    issuer.claims = {"sub": "s-1", "email": operator.email, "email_verified": True}
    if endpoint == "discovery":
        issuer.answers[endpoint] = answer
        return go_there(client)
    there = go_there(client)
    issuer.answers[endpoint] = answer
    return come_back(client, issuer, there)


def _is_told(client: Client, response: Any, *reasons: str) -> None:
    assert response.status_code == 401
    page = response.content.decode()
    assert "The sign-in failed" in page
    assert "Back to sign-in" in page
    assert not is_signed_in(client)
    assert not SocialAccount.objects.exists()
    entry = _last_failure()
    assert entry.data["reason"] in reasons
    assert entry.data["cause"] in words_of(entry)
    for secret in (CLIENT_SECRET, ACCESS_TOKEN, "one-code"):
        assert secret not in page
        assert secret not in entry.data_json


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(b"", 503), "bad_status"),
        (Answer(HTML, 503, "text/html"), "bad_status"),
        (Answer(b'{"error": "server_error"}', 500), "bad_status"),
        (Answer(b"", 404), "bad_status"),
        (Answer(b"", 302, location="http://127.0.0.1:9/elsewhere"), "bad_status"),
        (Answer(b"", 204), "bad_status"),
        (Answer(HTML, 200, "text/html"), "not_json"),
        (Answer(b""), "not_json"),
        (Answer(b"{"), "not_json"),
        (Answer(b"[]"), "not_json"),
        (Answer(b"null"), "not_json"),
        (Answer(b'"text"'), "not_json"),
        (Answer(b"\xff\xfe\x00"), "not_json"),
        (Answer(b"[" * 100_000), "not_json"),
        (Answer(b'{"a":' * 100_000), "not_json"),
        (Answer(b"1" * 5_000), "not_json"),
    ],
)
def test_a_wrong_answer_is_explained(
    client: Client, issuer: Issuer, kwame: Operator, endpoint: str, answer: Answer, reason: str
) -> None:
    _is_told(client, _attempt(client, issuer, kwame, endpoint, answer), reason)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_an_empty_object_is_explained(client: Client, issuer: Issuer, kwame: Operator, endpoint: str) -> None:
    reasons = ("bad_discovery", "no_id_token", "bad_signature", "other_subject")
    _is_told(client, _attempt(client, issuer, kwame, endpoint, Answer(b"{}")), *reasons)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_giant_answer_is_not_read_to_its_end(
    client: Client, issuer: Issuer, kwame: Operator, endpoint: str
) -> None:
    giant = Answer(b'{"a": "' + b"x" * 30_000_000 + b'"}')
    _is_told(client, _attempt(client, issuer, kwame, endpoint, giant), "too_large")


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_an_answer_that_drips_is_given_up(
    client: Client, issuer: Issuer, kwame: Operator, endpoint: str, settings: Any
) -> None:
    """Each byte comes well within any read timeout; all two thousand would take minutes."""
    settings.SSO_SECONDS = 0.6
    slow = Answer(b'{"a": "' + b"x" * 2_000 + b'"}', pause=0.1)
    _is_told(client, _attempt(client, issuer, kwame, endpoint, slow), "too_slow")
    assert len(slow.sent) < 1_000


@pytest.mark.parametrize("kind", ["discovery", "callback"])
def test_a_provider_that_is_down_is_explained(
    client: Client, issuer: Issuer, kwame: Operator, settings: Any, kind: str
) -> None:
    there = go_there(client) if kind == "callback" else None
    nowhere = "http://127.0.0.1:9"
    settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]["settings"]["server_url"] = nowhere
    response = come_back(client, issuer, there) if there else go_there(client)
    _is_told(client, response, "unreachable")
    assert "can’t be reached" in words_of(_last_failure())


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": ABSENT},
        {"issuer": "https://evil.example"},
        {"issuer": 7},
        {"authorization_endpoint": ABSENT},
        {"authorization_endpoint": 7},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "http://[::1"},
        {"token_endpoint": "file:///etc/passwd"},
        {"token_endpoint": "/token"},
        {"jwks_uri": ["x"]},
        {"userinfo_endpoint": ""},
        {"userinfo_endpoint": {}},
    ],
)
def test_an_odd_discovery_document_is_explained(
    client: Client, issuer: Issuer, document: dict[str, Any]
) -> None:
    issuer.discovery = document
    _is_told(client, go_there(client), "bad_discovery")


@pytest.mark.parametrize("methods", [None, 7, "client_secret_post", [7]])
def test_odd_fields_of_no_weight_do_no_harm(
    client: Client, issuer: Issuer, kwame: Operator, methods: Any
) -> None:
    issuer.discovery = {"token_endpoint_auth_methods_supported": methods}
    through(client, issuer, sub="s-1", email=kwame.email, email_verified=True)
    assert is_signed_in(client)


@pytest.mark.parametrize(
    "email", [None, 7, [], {}, ["kwame.boateng@example.com"], "", "no-address", "x" * 300]
)
def test_an_odd_address_is_nobodys(client: Client, issuer: Issuer, kwame: Operator, email: Any) -> None:
    response = through(client, issuer, sub="s-1", email=email, email_verified=True)
    assert response.status_code == 403
    assert _last_failure().data["reason"] == "unverified_address"


@pytest.mark.parametrize("name", [None, 7, [], {}, "x" * 500])
def test_other_odd_claims_do_no_harm(client: Client, issuer: Issuer, kwame: Operator, name: Any) -> None:
    odd = dict.fromkeys(("name", "given_name", "family_name", "preferred_username", "picture"), name)
    through(client, issuer, sub="s-1", email=kwame.email, email_verified=True, **odd)
    assert is_signed_in(client)


@pytest.mark.parametrize("token", [ABSENT, None, "", " ", 7, ["x"], "a\r\nHost: evil.example", "é"])
def test_an_odd_access_token_is_explained(
    client: Client, issuer: Issuer, kwame: Operator, token: Any
) -> None:
    issuer.token_fields = {"access_token": token}
    response = through(client, issuer, sub="s-1", email=kwame.email, email_verified=True)
    _is_told(client, response, "no_access_token")


def test_without_userinfo_the_token_is_enough(client: Client, issuer: Issuer, kwame: Operator) -> None:
    issuer.discovery = {"userinfo_endpoint": ABSENT}
    through(client, issuer, sub="s-1", email=kwame.email, email_verified=True)
    assert is_signed_in(client)
    assert "userinfo" not in issuer.asked


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"error": "access_denied"}, "cancelled"),
        ({"error": "temporarily_unavailable"}, "provider_error"),
        ({"error": "<script>alert(1)</script>"}, "provider_error"),
        ({}, "no_code"),
        ({"code": ""}, "no_code"),
    ],
)
def test_an_error_of_the_provider_is_recorded(
    client: Client, issuer: Issuer, answer: dict[str, str], reason: str
) -> None:
    state = issuer.authorize(go_there(client)["Location"])["state"]
    description = {"error_description": "a secret word"} if "error" in answer else {}
    response = client.get("/sign-in/oidc/company/login/callback/", answer | {"state": state} | description)
    assert response.status_code == 401
    assert _last_failure().data["reason"] == reason
    assert "secret word" not in _last_failure().data_json
    assert "script" not in _last_failure().data_json


def test_nothing_of_a_failed_sign_in_reaches_the_log(
    client: Client, issuer: Issuer, kwame: Operator, caplog: pytest.LogCaptureFixture
) -> None:
    issuer.token_claims = {"nonce": "another"}
    through(client, issuer, sub="s-1", email=kwame.email, email_verified=True)
    for secret in (CLIENT_SECRET, ACCESS_TOKEN, "one-code", "eyJ"):
        assert secret not in caplog.text


def test_a_binding_keeps_no_more_than_the_address(client: Client, issuer: Issuer, kwame: Operator) -> None:
    through(client, issuer, sub="s-1", email=kwame.email, email_verified=True, phone_number="+1 555 0100")
    binding = SocialAccount.objects.get()
    assert binding.provider == issuer.url
    assert json.loads(json.dumps(binding.extra_data)) == {"email": kwame.email}


def test_the_limits_are_sane() -> None:
    assert provider_http.LARGEST_ANSWER <= 2_000_000
