"""Identifies the caller and the account of a request by its access key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from moto.iam.models import iam_backends

from console.demo.standin import clock, ids
from console.demo.standin.calls import StandinCaller
from console.demo.standin.errors import StandinRefusedError


@dataclass(frozen=True)
class AssumedRoleSession:
    """Temporary credentials issued by AssumeRole."""

    access_key_id: str
    secret: str
    token: str
    account: str
    role_arn: str
    role_id: str
    name: str
    source_identity: str
    expires: datetime


SESSIONS: dict[str, AssumedRoleSession] = {}


def identify(access_key_id: str, *, hub: str) -> StandinCaller:
    """Return the caller that owns the key. Raises StandinRefusedError for an inactive key, and for an expired
    or unknown session.

    An unknown long-term key counts as the hub's own credentials, because the embedded default must work with
    any placeholder keys in its environment.
    """
    if access_key_id.startswith("ASIA"):
        return _session_caller(access_key_id)
    for account, backends in list(iam_backends.items()):
        key = backends["aws"].access_keys.get(access_key_id)
        if key is not None and key.user_name:
            if key.status != "Active":
                raise StandinRefusedError(
                    "InvalidClientTokenId", "The security token included in the request is invalid."
                )
            return _user_caller(account, backends["aws"].users[key.user_name], access_key_id)
    return StandinCaller(
        kind="IAMUser",
        account=hub,
        arn=f"arn:aws:iam::{hub}:user/unregistered",
        principal_id=ids.stable("AIDA", hub, "unregistered"),
        access_key_id=access_key_id,
        user_name="unregistered",
        known=False,
    )


def secret_of(caller: StandinCaller) -> tuple[str, str | None] | None:
    """Return (secret, session token) of the caller's key, or None for an unknown key."""
    session = SESSIONS.get(caller.access_key_id)
    if session is not None:
        return session.secret, session.token
    key = iam_backends[caller.account]["aws"].access_keys.get(caller.access_key_id)
    return (key.secret_access_key, None) if key is not None else None


def _session_caller(access_key_id: str) -> StandinCaller:
    session = SESSIONS.get(access_key_id)
    if session is None:
        raise StandinRefusedError(
            "InvalidClientTokenId", "The security token included in the request is invalid."
        )
    if session.expires <= clock.utcnow():
        raise StandinRefusedError("ExpiredToken", "The security token included in the request is expired")
    role = session.role_arn.rsplit("/", 1)[-1]
    return StandinCaller(
        kind="AssumedRole",
        account=session.account,
        arn=f"arn:aws:sts::{session.account}:assumed-role/{role}/{session.name}",
        principal_id=f"{session.role_id}:{session.name}",
        access_key_id=access_key_id,
        role_arn=session.role_arn,
        session_name=session.name,
    )


def _user_caller(account: str, user: Any, access_key_id: str) -> StandinCaller:
    return StandinCaller(
        kind="IAMUser",
        account=account,
        arn=user.arn,
        principal_id=user.id,
        access_key_id=access_key_id,
        user_name=user.name,
    )
