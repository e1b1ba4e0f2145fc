"""Data that AWS has and moto lacks: boundaries of users, password dates, devices, service credentials."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

TagList = list[dict[str, str]]


@dataclass
class ServiceCredential:
    """A service-specific credential, such as an HTTPS Git password or a Bedrock API key."""

    id: str
    service: str
    service_user_name: str
    created: datetime
    status: str = "Active"
    expires: datetime | None = None
    alias: str | None = None


@dataclass
class MfaDevice:
    """An MFA device. `kind` is virtual, passkey, security-key or hardware. `user` is moto's user; None if it
    is unassigned.
    """

    serial: str
    kind: str
    seed: str = ""
    enabled: datetime | None = None
    user: Any = None
    tags: TagList = field(default_factory=list)
    certifications: dict[str, str] = field(default_factory=dict)


@dataclass
class StoredDelegation:
    """A delegation request of a partner. Dates are naive UTC, `duration` is in seconds."""

    id: str
    requestor: str
    requestor_name: str
    description: str
    template: str
    policy: str
    created: datetime
    updated: datetime
    duration: int = 3600
    state: str = "UNASSIGNED"
    owner: str | None = None
    approver: str | None = None
    boundaries: tuple[str, ...] = ()


@dataclass
class UserExtras:
    """Additional data of a user. Dates are naive UTC, `max_sign_in` is in seconds."""

    boundary: str | None = None
    login_created: datetime | None = None
    max_sign_in: int | None = None
    password_changed: datetime | None = None
    service_credentials: list[ServiceCredential] = field(default_factory=list)


@dataclass
class RootUser:
    """The root user, which IAM shows only in the credential report and the account summary."""

    created: datetime
    password_changed: datetime
    last_used: datetime | None = None
    mfa: str | None = None
    mfa_enabled: datetime | None = None
    keys: list[Any] = field(default_factory=list)


@dataclass
class AccountExtras:
    """Additional data of an account. `report` is the CSV and its time of creation (naive UTC). `report_asked`
    is the monotonic time at which the report was requested.
    """

    devices: dict[str, MfaDevice] = field(default_factory=dict)
    root: RootUser | None = None
    report: tuple[str, datetime] | None = None
    report_asked: float | None = None
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    root_access: set[str] = field(default_factory=set)
    issues_tokens: bool = False
    delegations: dict[str, StoredDelegation] = field(default_factory=dict)


def user_extras(user: Any) -> UserExtras:
    """Return the extras of a moto user, created on first use. They are kept when the user is renamed."""
    extras = getattr(user, "gatehouse_extras", None)
    if not isinstance(extras, UserExtras):
        extras = UserExtras()
        user.gatehouse_extras = extras
    return extras


def account_extras(backend: Any) -> AccountExtras:
    """Return the extras of an account. They are stored on moto's IAM backend, and so are removed together
    with it.
    """
    extras = getattr(backend, "gatehouse_extras", None)
    if not isinstance(extras, AccountExtras):
        extras = AccountExtras()
        backend.gatehouse_extras = extras
    return extras


def tags_of(entity: Any) -> TagList:
    """Return the tags that the overlay stores for a moto object without tags of its own."""
    return list(getattr(entity, "gatehouse_tags", ()))


def devices_of(backend: Any, user: Any) -> list[MfaDevice]:
    """Return the enabled devices of a user, by serial number."""
    devices = [d for d in account_extras(backend).devices.values() if d.user is user and d.enabled]
    return sorted(devices, key=lambda d: d.serial)
