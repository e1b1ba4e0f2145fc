"""What a log line must not tell, and how it tells of an error: where in the code, and never with what
values.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from structlog.processors import ExceptionRenderer
from structlog.tracebacks import ExceptionDictTransformer

# The link to a password, and what an identity provider hands over in the query of a callback.
LINK = re.compile(r"(/sign-in/password/reset/key/[0-9A-Za-z]+-)(?!set-password/)[^/?\s\"']+")
QUERY = re.compile(r"(/sign-in/[^?\s\"']*\?)[^\s\"']+")
# A one-time link lets its holder in until its person has used it.
LINK_TOKEN = re.compile(r"(/link/)[^/?\s\"']+")
WITHHELD = r"\1[withheld]"
# Values beside a tell-tale name, in the text of an error: password=…, 'SecretAccessKey': '…', "token": "…".
NAMED = re.compile(
    r"((?:passwords?|passwd|passphrase|secret[a-z_]*|[a-z_]*token|private_?key|authorization|cookie|seed|otp|signature|"
    r"access_?key|x-amz-security-token)[\"']?\s*[=:]\s*(?:bearer\s+|basic\s+)?)(?:\"[^\"]*\"|'[^']*'|[^\s,;&)}\]]+)",
    re.IGNORECASE,
)
IN_ADDRESS = re.compile(r"(://[^:/@\s]*:)[^@\s]+(?=@)")
# PostgreSQL repeats whole rows and keys in the detail of an error.
DETAIL = re.compile(r"(\n?(?:DETAIL|CONTEXT|QUERY|LINE \d+):).*", re.DOTALL)
FRAMES: Final = 40
MAX_ERROR_LENGTH: Final = 1_000
"""Characters of an error's own text: some repeat the whole input."""
SHORTEST_SECRET: Final = 8

_render = ExceptionRenderer(ExceptionDictTransformer(show_locals=False, max_frames=FRAMES, use_rich=False))


def withhold_keys(logger: Any, method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Take out of every text of the line what would let its reader in. A processor of structlog."""
    for name, value in line.items():
        if isinstance(value, str) and ("/sign-in/" in value or "/link/" in value):
            line[name] = _without_links(value)
    return line


class WithholdSecrets:
    """The last processor before a line is written: configured secrets are removed from every text, also from
    those of libraries.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        known = sorted(
            {secret for secret in secrets if len(secret) >= SHORTEST_SECRET}, key=len, reverse=True
        )
        self.known = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, logger: Any, method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """The line with each of its texts cleaned."""
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
        # The renderer would fall back to its repr, which nobody has looked at: an exception, a request, a
        # model.
        return self._clean(_without_secrets(repr(value)))


def render_exception(logger: Any, method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The traceback as a list of errors with file, line and function; no variables, and no values in the
    errors' own texts.
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
    # What a SyntaxError quotes, and the parts of a group: each is an error with a text of its own.
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
    """The passwords of database and broker, as they are written in the addresses and as they are meant."""
    written = [parts.password for parts in map(urlsplit, addresses) if parts.password]
    return [*written, *map(unquote, written)]


def secrets_in_environment() -> list[str]:
    """AWS's own secrets of this process: the SDK repeats them in no error today, and nobody promises it."""
    names = (
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_SECURITY_TOKEN",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    )
    return [value for name in names if (value := os.environ.get(name))]
