"""Stores sessions in the database as a digest of the session key, and data that only the key can decrypt."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from asgiref.sync import sync_to_async
from cryptography.fernet import Fernet, InvalidToken
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.db.models import CharField, DateTimeField
from django.utils import timezone

from console.operators.models import OperatorSession
from iam.compiled_queries import CompiledQuery
from iam.prepared_statements import QueryParam

# Session values that are also stored in columns of the row.
SIGNED_IN = "gatehouse_signed_in"
SEEN = "gatehouse_seen"
ADDRESS = "gatehouse_address"
USER_AGENT = "gatehouse_user_agent"


def columns(data: dict[str, Any]) -> dict[str, Any]:
    """Return the columns of a session's row: operator (None before the sign-in is complete), start, and
    origin.
    """
    return {
        "operator_id": int(data[SESSION_KEY]) if SESSION_KEY in data else None,
        "began_at": _moment(data.get(SIGNED_IN)),
        "seen_at": _moment(data.get(SEEN)),
        "address": data.get(ADDRESS),
        "user_agent": data.get(USER_AGENT, ""),
    }


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, tz=UTC)


def digest(session_key: str) -> str:
    """Return the stored digest of a session key. The key has 165 random bits, so a salt or a slow hash would
    add nothing.
    """
    return hashlib.sha256(session_key.encode()).hexdigest()


def seal(session_key: str, data: str) -> str:
    """Encrypt the session data with a key derived from the session key, not from stored data."""
    return _cipher(session_key).encrypt(data.encode()).decode()


def unseal(session_key: str, stored: bytes | str) -> str:
    """Decrypt the session data; "" if it was encrypted with another key or altered."""
    try:
        return _cipher(session_key).decrypt(stored).decode()
    except InvalidToken:
        return ""


def _cipher(session_key: str) -> Fernet:
    key = hmac.digest(session_key.encode(), b"gatehouse session data", "sha256")
    return Fernet(base64.urlsafe_b64encode(key))


@lru_cache(maxsize=1)
def _live_session() -> CompiledQuery:
    """Return the query for the data of an unexpired session by digest; every page starts with it."""
    rows = SessionStore.get_model_class().objects.filter(
        expire_date__gt=QueryParam("now", DateTimeField()), session_key=QueryParam("key", CharField())
    )
    return CompiledQuery(lambda: rows.values_list("session_data"))


class SessionStore(db.SessionStore):
    """Django's database session store with digests: `session_key` is in the cookie, and its digest is the
    primary key.
    """

    @classmethod
    def get_model_class(cls) -> type[OperatorSession]:
        """Return the model of the rows."""
        return OperatorSession

    def encode(self, session_dict: dict[str, Any]) -> str:
        """Sign the data as Django does, then encrypt it."""
        return seal(self._own_key(), super().encode(session_dict))

    def decode(self, session_data: bytes | str) -> dict[str, Any]:
        """Decrypt the data; return an empty session if this session's key doesn’t open it."""
        return super().decode(unseal(self._own_key(), session_data))

    def _own_key(self) -> str:
        key: str = self._get_or_create_session_key()  # type: ignore[attr-defined]
        return key

    def create_model_instance(self, data: dict[str, Any]) -> OperatorSession:
        """Return the row to write."""
        return self.get_model_class()(
            session_key=digest(self._own_key()),
            session_data=self.encode(data),
            expire_date=self.get_expiry_date(),
            **columns(data),
        )

    def load(self) -> dict[str, Any]:
        """Return the data of this session; {} without a key if it has ended."""
        rows = _live_session().rows(now=timezone.now(), key=digest(self.session_key or ""))
        if not rows:
            self._session_key = None
            return {}
        return self.decode(rows[0][0])

    def exists(self, session_key: str) -> bool:
        """Return whether a session has this key."""
        return self.model.objects.filter(session_key=digest(session_key)).exists()

    def delete(self, session_key: str | None = None) -> None:
        """Delete the session with this key, or this session."""
        key = session_key or self.session_key
        if key is not None:
            self.model.objects.filter(session_key=digest(key)).delete()

    async def aload(self) -> dict[str, Any]:
        """Same as `load`; Django's own version would look up the key itself."""
        return await sync_to_async(self.load)()

    async def asave(self, must_create: bool = False) -> None:
        await sync_to_async(self.save)(must_create)

    async def aexists(self, session_key: str) -> bool:
        return await sync_to_async(self.exists)(session_key)

    async def adelete(self, session_key: str | None = None) -> None:
        await sync_to_async(self.delete)(session_key)
