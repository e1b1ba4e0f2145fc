"""What a log line must not tell."""

from __future__ import annotations

import logging

import pytest
import structlog

from console.logs import withhold_keys

LINK = "/sign-in/password/reset/key/1-dikgle-7d46070dfa5a107286178aaa2bbabbda/"


@pytest.mark.parametrize(
    ("told", "kept"),
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
def test_addresses_that_let_somebody_in_are_withheld(told: str, kept: str | None) -> None:
    assert withhold_keys(None, "info", {"request": told, "code": 200}) == {
        "request": kept or told,
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
