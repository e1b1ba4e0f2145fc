"""Removes secrets from log lines, and logs errors by their place in the code, never with values of
variables.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from structlog.processors import ExceptionRenderer
from structlog.tracebacks import ExceptionDictTransformer

# The link to a password, and the query of an identity provider's callback.
LINK = re.compile(r"(/sign-in/password/reset/key/[0-9A-Za-z]+-)(?!set-password/)[^/?\s\"']+")
QUERY = re.compile(r"(/sign-in/[^?\s\"']*\?)[^\s\"']+")
# A one-time link signs in anyone who has it until its person has used it.
LINK_TOKEN = re.compile(r"(/link/)[^/?\s\"']+")
WITHHELD = r"\1[withheld]"
# Values next to a suspicious name in the text of an error: password=…, 'SecretAccessKey': '…', "token": "…".
NAMED = re.compile(
    r"((?:passwords?|passwd|passphrase|secret[a-z_]*|[a-z_]*token|private_?key|authorization|cookie|seed|otp|signature|"
    r"access_?key|x-amz-security-token)[\"']?\s*[=:]\s*(?:bearer\s+|basic\s+)?)(?:\"[^\"]*\"|'[^']*'|[^\s,;&)}\]]+)",
    re.IGNORECASE,
)
IN_ADDRESS = re.compile(r"(://[^:/@\s]*:)[^@\s]+(?=@)")
# PostgreSQL repeats whole rows and keys in the DETAIL of an error.
DETAIL = re.compile(r"(\n?(?:DETAIL|CONTEXT|QUERY|LINE \d+):).*", re.DOTALL)
FRAMES: Final = 40
MAX_ERROR_LENGTH: Final = 1_000
"""Maximum length of an error's own text; some errors repeat their whole input."""
SHORTEST_SECRET: Final = 8

_render = ExceptionRenderer(ExceptionDictTransformer(show_locals=False, max_frames=FRAMES, use_rich=False))


def withhold_keys(logger: Any, method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Structlog processor that removes one-time links, and queries of sign-in callbacks, from every text."""
    for name, value in line.items():
        if isinstance(value, str) and ("/sign-in/" in value or "/link/" in value):
            line[name] = _without_links(value)
    return line


class WithholdSecrets:
    """Last structlog processor: removes configured secrets from every text, including those of libraries."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = sorted(
            {secret for secret in secrets if len(secret) >= SHORTEST_SECRET}, key=len, reverse=True
        )
        self.known = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, logger: Any, method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """Return the line with each of its texts cleaned."""
        for name, value in line.items():
            line[name] = self._clean(value)
        return line

    def _clean(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.known.sub("[withheld]", value) if self.known else value
        if isinstance(value, Mapping):
            return {key: self._clean(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._clean(item) for item in value]
        if value is None or isinstance(value, bool | int | float):
            return value
        # The renderer would log its repr, which could contain secrets: an exception, a request, a model.
        return self._clean(_without_secrets(repr(value)))


def render_exception(logger: Any, method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Structlog processor that removes secrets from the texts of logged errors.

    What remains is file, line and function of each error; variables are never logged.
    """
    exc_info = line.get("exc_info")
    line = _render(logger, method, line)
    if not exc_info:
        return line
    for error in line.get("exception", ()):
        _clean_error(error)
    if isinstance(event := line.get("event"), str):
        line["event"] = _without_secrets(event)
    return line


def _clean_error(error: MutableMapping[str, Any]) -> None:
    error["exc_value"] = _without_secrets(error["exc_value"])
    error["exc_notes"] = [_without_secrets(note) for note in error.get("exc_notes", ())]
    # The text that a SyntaxError quotes, and the parts of a group, which are errors with texts of their own.
    error.pop("syntax_error", None)
    for group in error.get("exceptions", ()):
        for inner in group:
            _clean_error(inner)


def _without_links(text: str) -> str:
    return LINK_TOKEN.sub(WITHHELD, QUERY.sub(WITHHELD, LINK.sub(WITHHELD, text)))


def _without_secrets(text: str) -> str:
    for pattern in (IN_ADDRESS, NAMED, DETAIL):
        text = pattern.sub(WITHHELD, text)
    text = _without_links(text)
    return text if len(text) <= MAX_ERROR_LENGTH else f"{text[:MAX_ERROR_LENGTH]}…"


def secrets_in_addresses(*addresses: str) -> list[str]:
    """Return the passwords in database and broker URLs, both as written and decoded."""
    written = [parts.password for parts in map(urlsplit, addresses) if parts.password]
    return [*written, *map(unquote, written)]


def secrets_in_environment() -> list[str]:
    """Return this process's own AWS secrets; the SDK doesn’t put them into errors today, but doesn’t promise
    so.
    """
    names = (
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_SECURITY_TOKEN",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    )
    return [value for name in names if (value := os.environ.get(name))]
