"""Reads notification channels other than email, Slack and a webhook, from the environment; an invalid address
stops the start.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from console import env

SHORTEST_SECRET = 16


@dataclass(frozen=True, slots=True)
class ChatRooms:
    """Addresses of the channels; "" means none. `private` allows hosts outside the public internet."""

    slack: str
    webhook: str
    secret: str
    private: bool


def notification_rooms() -> ChatRooms:
    """Read the channels from the environment. Raises ConfigurationError."""
    private = env.flag("GATEHOUSE_WEBHOOK_PRIVATE", default=False)
    webhook = _address("GATEHOUSE_WEBHOOK_URL", private=private)
    secret = env.text("GATEHOUSE_WEBHOOK_SECRET", "")
    if webhook and len(secret) < SHORTEST_SECRET:
        raise env.ConfigurationError(
            f"GATEHOUSE_WEBHOOK_SECRET signs what is sent to GATEHOUSE_WEBHOOK_URL: set {SHORTEST_SECRET} "
            "or more random characters."
        )
    return ChatRooms(_address("GATEHOUSE_SLACK_WEBHOOK", private=private), webhook, secret, private)


def web_address(name: str) -> SplitResult | None:
    """Read an http or https address; None if it isn’t set.

    Raises ConfigurationError, which never repeats the address because it may contain a secret.
    """
    value = env.text(name, "")
    if not value:
        return None
    return split_address(
        value, f"{name} isn’t a web address: use https://HOST/PATH, without a name or password in it."
    )


def split_address(value: str, wrong: str) -> SplitResult:
    """Split an address that has a host, and no user, password, fragment or port 0.

    Raises ConfigurationError with the message `wrong`.
    """
    try:
        parts = urlsplit(value)
        has_port = parts.port != 0
    except ValueError:
        raise env.ConfigurationError(wrong) from None
    if not parts.hostname or parts.username or parts.password or parts.fragment or not has_port:
        raise env.ConfigurationError(wrong)
    return parts


def _address(name: str, *, private: bool) -> str:
    parts = web_address(name)
    if parts is None:
        return ""
    if parts.scheme != "https" and not (private and parts.scheme == "http"):
        raise env.ConfigurationError(
            f"{name} must start with https:// (or http:// within a network of your own, with "
            "GATEHOUSE_WEBHOOK_PRIVATE=true)."
        )
    return parts.geturl()
