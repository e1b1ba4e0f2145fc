"""STS: sessions in the account of the role, only for callers that the role trusts.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
"""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

from moto.core.responses import ActionResult
from moto.iam.models import iam_backends
from moto.sts.responses import TokenResponse

from console.demo.standin import calls, clock, enforcement, ids
from console.demo.standin.callers import SESSIONS, AssumedRoleSession
from console.demo.standin.errors import AnswerError, StandinRefusedError
from console.demo.standin.overlay import ResponseOverlay


class StsRequest(ResponseOverlay, TokenResponse):  # type: ignore[misc]
    """An STS request."""

    def get_caller_identity(self) -> ActionResult:
        """Return the caller's identity: a user's ARN, or the assumed role with its session name."""
        caller = _call().caller
        return ActionResult({"UserId": caller.principal_id, "Account": caller.account, "Arn": caller.arn})

    def assume_role(self) -> ActionResult:
        """Return credentials of a role in the role's account. Raises AccessDenied if the role doesn't exist
        or doesn't trust the caller.
        """
        arn = self._get_param("RoleArn")
        role = _role(arn)
        if role is None or not (_call().replayed or enforcement.is_trusted(role, _call())):
            raise _denied(arn)
        duration = int(self._get_param("DurationSeconds") or 3600)
        longest = 3600 if _call().caller.kind == "AssumedRole" else int(role.max_session_duration or 3600)
        if not 900 <= duration <= longest:
            raise AnswerError(
                "ValidationError",
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
            )
        session = self._open(role, duration=duration)
        return ActionResult(_credentials(session) | {"SourceIdentity": session.source_identity or None})

    def get_session_token(self) -> ActionResult:
        """Refuse, because moto returns a fixed key, which here is the hub's."""
        raise NotImplementedError

    get_federation_token = assume_role_with_web_identity = assume_role_with_saml = get_session_token

    def _open(self, role: Any, *, duration: int) -> AssumedRoleSession:
        session = AssumedRoleSession(
            access_key_id=ids.stable_key("ASIA", role.account_id, _call().seed),
            secret=base64.b64encode(calls.derive("secret")[:30]).decode(),
            token=base64.b64encode(calls.derive("token") * 8).decode(),
            account=role.account_id,
            role_arn=role.arn,
            role_id=role.id,
            name=self._get_param("RoleSessionName"),
            source_identity=self._get_param("SourceIdentity") or "",
            expires=clock.utcnow() + timedelta(seconds=duration),
        )
        SESSIONS[session.access_key_id] = session
        return session


def _call() -> calls.StandinCall:
    call = calls.current()
    assert call is not None
    return call


def _role(arn: str) -> Any | None:
    account = arn.split(":")[4] if arn.count(":") >= 5 else ""
    if account not in iam_backends:
        return None
    return next((r for r in iam_backends[account]["aws"].roles.values() if r.arn == arn), None)


def _denied(arn: str) -> StandinRefusedError:
    return StandinRefusedError(
        "AccessDenied",
        f"User: {_call().caller.arn} is not authorized to perform: sts:AssumeRole on resource: {arn}",
    )


def _credentials(session: AssumedRoleSession) -> dict[str, Any]:
    role = session.role_arn.rsplit("/", 1)[-1]
    return {
        "Credentials": {
            "AccessKeyId": session.access_key_id,
            "SecretAccessKey": session.secret,
            "SessionToken": session.token,
            "Expiration": session.expires,
        },
        "AssumedRoleUser": {
            "AssumedRoleId": f"{session.role_id}:{session.name}",
            "Arn": f"arn:aws:sts::{session.account}:assumed-role/{role}/{session.name}",
        },
    }
