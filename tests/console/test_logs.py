"""What a log line must not tell."""

from __future__ import annotations

import json
import logging
import sys

import pytest
import structlog
from django.conf import settings

from console.logs import WithholdSecrets, withhold_keys

LINK = "/sign-in/password/reset/key/1-dikgle-7d46070dfa5a107286178aaa2bbabbda/"


@pytest.mark.parametrize(
    ("text_told", "kept"),
    [
        (f"GET {LINK}", "GET /sign-in/password/reset/key/1-[withheld]/"),
        ("GET /sign-in/password/reset/key/1-set-password/", None),
        (
            f"Forbidden (CSRF cookie not set.): {LINK}",
            "Forbidden (CSRF cookie not set.): /sign-in/password/reset/key/1-[withheld]/",
        ),
        (
            "GET /sign-in/oidc/company/login/callback/?code=abc&state=x",
            "GET /sign-in/oidc/company/login/callback/?[withheld]",
        ),
        ("GET /sign-in/", None),
        ("POST /link/Zk3T.signature_of-it/", "POST /link/[withheld]/"),
        ("GET /people/?q=maya", None),
    ],
)
def test_addresses_that_let_somebody_in_are_withheld(text_told: str, kept: str | None) -> None:
    assert withhold_keys(None, "info", {"request": text_told, "code": 200}) == {
        "request": kept or text_told,
        "code": 200,
    }


def test_lines_of_both_kinds_of_loggers_go_through_it() -> None:
    assert withhold_keys in structlog.get_config()["processors"]
    (json,) = (
        handler.formatter
        for handler in logging.getLogger().handlers
        if isinstance(handler.formatter, structlog.stdlib.ProcessorFormatter)
    )
    shown = json.format(
        logging.LogRecord("django.request", logging.WARNING, "", 1, "Not Found: %s", (LINK,), None)
    )
    assert "1-[withheld]/" in shown
    assert "7d46070dfa5a" not in shown


# Errors

SECRETS = {
    "database": "postgres://gatehouse:wide-open-door@db.internal/gatehouse refused",
    "form": "can’t save {'password': 'quiet-harbour-lamp-51', 'name': 'Nora'}",
    "aws": 'SecretAccessKey="wJalrXUtnFEMI/K7MDENG" is wrong',
    "header": "Authorization: Bearer abcdefabcdefabcdef",
    "row": "duplicate key\nDETAIL:  Failing row contains (17, scrypt$8192$salt$hash).\nCONTEXT: sealed",
    "link": f"no such page: {LINK}",
    "key": f"bad signature under {settings.SECRET_KEY}",
}
TELLTALES = (
    "wide-open-door",
    "quiet-harbour",
    "wJalr",
    "abcdefabcdef",
    "scrypt",
    "sealed",
    "7d46070dfa5a",
    settings.SECRET_KEY,
    "local-variable-value",
)


def shown() -> logging.Formatter:
    """The formatter of every line in production."""
    (formatter,) = (
        handler.formatter
        for handler in logging.getLogger().handlers
        if isinstance(handler.formatter, structlog.stdlib.ProcessorFormatter)
    )
    return formatter


def fail(text: str) -> None:
    """An error with a cause and a note, in a function with a local variable."""
    kept = "local-variable-value"
    try:
        raise KeyError(text)
    except KeyError as error:
        raised = ValueError(text, len(kept))
        raised.add_note(text)
        raise raised from error


@pytest.mark.parametrize("text", SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize("kind", ["structlog", "logging", "celery"])
def test_an_error_is_told_with_its_place_and_without_values(
    text: str, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    try:
        fail(text)
    except ValueError as error:
        with caplog.at_level(logging.ERROR):
            if kind == "structlog":
                structlog.get_logger("gatehouse.test").exception(
                    "request_failed", error=error, seen={"a": [error]}
                )
            elif kind == "logging":
                logging.getLogger("django.request").error("Internal Server Error", exc_info=True)
            else:
                logging.getLogger("celery.app.trace").error("Task %s raised: %r", "a.b", error, exc_info=True)
            line = shown().format(caplog.records[-1])
    first, cause = json.loads(line)["exception"]
    assert (first["exc_type"], cause["exc_type"]) == ("ValueError", "KeyError")
    assert first["frames"][-1]["name"] == "fail"
    assert first["frames"][-1]["filename"].endswith("test_logs.py")
    assert [secret for secret in TELLTALES if secret in line] == []
    assert "locals" not in line


def test_a_configured_secret_is_removed_from_any_line() -> None:
    clean = WithholdSecrets(["s3cret-of-ours", ""])
    line = clean(None, "info", {"event": "x s3cret-of-ours y", "deep": [{"a": "s3cret-of-ours"}], "n": 3})
    assert line == {"event": "x [withheld] y", "deep": [{"a": "[withheld]"}], "n": 3}


def test_a_plain_error_keeps_its_text() -> None:
    try:
        raise LookupError("no account 111122223333 in section users")
    except LookupError:
        record = logging.LogRecord("x", logging.ERROR, "", 1, "failed", (), sys.exc_info())
    assert (
        json.loads(shown().format(record))["exception"][0]["exc_value"]
        == "no account 111122223333 in section users"
    )
