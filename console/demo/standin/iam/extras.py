"""What AWS knows of a user and moto does not: boundary, password dates, devices, service credentials."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass
class ServiceCredential:
    """A service-specific credential, for instance an HTTPS git password or a Bedrock API key."""

    id: str
    user_name: str
    service: str
    service_user_name: str
    created: datetime
    status: str = "Active"
    expires: datetime | None = None
    alias: str | None = None


@dataclass
class UserExtras:
    """Facts of one user; dates are naive UTC."""

    boundary: str | None = None
    login_created: datetime | None = None
    password_changed: datetime | None = None
    service_credentials: list[ServiceCredential] = field(default_factory=list)
    device_tags: dict[str, list[dict[str, str]]] = field(default_factory=dict)


def user_extras(user: Any) -> UserExtras:
    """The extras of a moto user, made at the first question; they follow the user through a rename."""
    found = getattr(user, "gatehouse_extras", None)
    if not isinstance(found, UserExtras):
        found = UserExtras()
        user.gatehouse_extras = found
    return found
