"""Records allauth's and Django's signals about sign-ins, passwords and second factors in the journal."""

from __future__ import annotations

from typing import Any

from allauth.account import signals as account_signals
from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa import signals as mfa_signals
from django.contrib.auth import signals as auth_signals
from django.http import HttpRequest

from console.operators import sessions
from iam.directory.events import on_rights_reduced
from iam.journal.services import record

# Set on a request whose session expired, so that it isn't recorded as a sign-out.
ENDED = "_gatehouse_session_ended"


def connect() -> None:
    """Connect the receivers, once at startup."""
    auth_signals.user_logged_in.connect(_session_began, dispatch_uid="gatehouse.session")
    auth_signals.user_logged_out.connect(_signed_out, dispatch_uid="gatehouse.sign-out")
    account_signals.authentication_step_completed.connect(_confirmed, dispatch_uid="gatehouse.confirmed")
    account_signals.user_logged_in.connect(_signed_in, dispatch_uid="gatehouse.sign-in")
    account_signals.password_changed.connect(_password_changed, dispatch_uid="gatehouse.password")
    account_signals.password_set.connect(_password_changed, dispatch_uid="gatehouse.password-set")
    account_signals.password_reset.connect(_password_reset, dispatch_uid="gatehouse.password-reset")
    mfa_signals.authenticator_added.connect(_factor_added, dispatch_uid="gatehouse.factor")
    mfa_signals.authenticator_removed.connect(_factor_removed, dispatch_uid="gatehouse.factor-gone")
    mfa_signals.authenticator_reset.connect(_factor_reset, dispatch_uid="gatehouse.codes")
    on_rights_reduced(sessions.sign_out_everywhere)


def _session_began(*, request: HttpRequest, **kwargs: Any) -> None:
    sessions.begin(request)


def _confirmed(*, request: HttpRequest, reauthenticated: bool = False, **kwargs: Any) -> None:
    if reauthenticated:
        sessions.confirmed(request)


def _signed_in(*, request: HttpRequest, user: Any, **kwargs: Any) -> None:
    ways = [entry.get("type") or entry["method"] for entry in get_authentication_records(request, user)]
    record(kind="sign_in.succeeded", actor=user.person, subject=user.email, data={"by": ways})


def _signed_out(*, request: HttpRequest, user: Any, **kwargs: Any) -> None:
    if user is None or not getattr(user, "person", None):
        return
    ended = getattr(request, ENDED, "")
    kind = "session.ended" if ended else "sign_in.ended"
    actor = None if ended else user.person
    record(kind=kind, actor=actor, subject=user.email, data={"why": ended or "asked"})


def _password_changed(*, user: Any, **kwargs: Any) -> None:
    record(kind="password.change", actor=user.person, subject=user.email)


def _password_reset(*, user: Any, **kwargs: Any) -> None:
    record(kind="password.reset", actor=user.person, subject=user.email)


def _factor_added(*, user: Any, authenticator: Any, **kwargs: Any) -> None:
    record(kind="factor.add", actor=user.person, subject=user.email, data={"type": authenticator.type})


def _factor_removed(*, user: Any, authenticator: Any, **kwargs: Any) -> None:
    record(kind="factor.remove", actor=user.person, subject=user.email, data={"type": authenticator.type})


def _factor_reset(*, user: Any, authenticator: Any, **kwargs: Any) -> None:
    record(kind="factor.reset", actor=user.person, subject=user.email, data={"type": authenticator.type})
