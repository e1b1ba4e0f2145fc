"""Console passwords: given, changed, to be changed, taken away."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from iam.changes.operations import Operation
from iam.changes.operations.login_profile import (
    CreateLoginProfile,
    DeleteLoginProfile,
    RequirePasswordChange,
    UpdateLoginProfile,
)
from iam.changes.operations.sign_in_session import LimitUserSignIn
from iam.mirror.models import Entity
from iam.mirror.pull.sections import LOGIN_PROFILES
from tests.iam.changes.operations.credential_sorts import recipient, see
from tests.iam.changes.operations.stage import Stage, shown_or_none
from tests.iam.changes.operations.table import Case, nothing


def with_password(stage: Stage) -> Entity:
    """A user with a console password."""
    user = stage.user()
    stage.iam.create_login_profile(UserName=user.name, Password="harbour-Lantern-42!")
    stage.keep.update(user=user.name)
    see(stage, user, LOGIN_PROFILES)
    return user


def without_password(stage: Stage) -> Operation:
    """A user without a console password gets one."""
    user = stage.user()
    stage.keep.update(user=user.name)
    see(stage, user, LOGIN_PROFILES)
    return CreateLoginProfile.of(user, recipient=recipient(stage), sealed_id=uuid4())


def another_password(stage: Stage) -> Operation:
    """A user gets another password."""
    return UpdateLoginProfile.of(with_password(stage), recipient=recipient(stage), sealed_id=uuid4())


def shows_password(stage: Stage) -> Any:
    """Whether there is a password, and whether it must be changed."""
    answer = shown_or_none(stage.iam.get_login_profile, UserName=stage.keep["user"])
    return {"reset": answer["LoginProfile"].get("PasswordResetRequired", False)} if answer else None


def limited(stage: Stage) -> Operation:
    """A user whose sign-in sessions get a limit, where none is set."""
    return LimitUserSignIn.on(with_password(stage), seconds=28_800)


def unlimited(stage: Stage) -> Operation:
    """A user whose sign-in sessions may last 30 days, and then have no limit of their own."""
    user = with_password(stage)
    stage.iam.update_login_profile(UserName=user.name, MaxSigninSessionDuration=2_592_000)
    see(stage, user, LOGIN_PROFILES)
    return LimitUserSignIn.on(user, seconds=None)


def shows_limit(stage: Stage) -> Any:
    """How long a sign-in may last; None: no limit."""
    answer = shown_or_none(stage.iam.get_login_profile, UserName=stage.keep["user"])
    return {"limit": answer["LoginProfile"].get("MaxSigninSessionDuration")} if answer else None


def limit_otherwise(stage: Stage) -> None:
    """Somebody sets another limit."""
    stage.iam.update_login_profile(UserName=stage.keep["user"], MaxSigninSessionDuration=3600)


def must_change(stage: Stage, before: Any) -> Any:
    """There is a password that must be changed."""
    return {"reset": True}


def give_password(stage: Stage) -> None:
    """Somebody gives the user a password."""
    stage.iam.create_login_profile(UserName=stage.keep["user"], Password="harbour-Lantern-43!")


def take_password(stage: Stage) -> None:
    """Somebody takes the password away."""
    stage.iam.delete_login_profile(UserName=stage.keep["user"])


def make_the_user_again(stage: Stage) -> None:
    """Somebody deletes the user and makes another of the name, who has a password as well."""
    take_password(stage)
    stage.iam.delete_user(UserName=stage.keep["user"])
    stage.iam.create_user(UserName=stage.keep["user"])
    give_password(stage)


CASES = (
    Case(
        "login_profile.create",
        without_password,
        shows_password,
        after=must_change,
        meddle=give_password,
        repeats=False,
    ),
    Case(
        "login_profile.update",
        another_password,
        shows_password,
        after=must_change,
        meddle=take_password,
        is_reversible=False,
        repeats=False,
    ),
    Case(
        "login_profile.require_change",
        lambda stage: RequirePasswordChange.of(with_password(stage), must_change=True),
        shows_password,
        after=must_change,
        meddle=take_password,
    ),
    Case(
        "login_profile.limit_sign_in",
        limited,
        shows_limit,
        after=lambda _, was: {"limit": 28_800},
        meddle=take_password,
    ),
    Case(
        "login_profile.limit_sign_in to none",
        unlimited,
        shows_limit,
        after=lambda _, was: {"limit": None},
        meddle=limit_otherwise,
    ),
    Case(
        "login_profile.delete",
        lambda stage: DeleteLoginProfile.of(with_password(stage)),
        shows_password,
        after=nothing,
        meddle=make_the_user_again,
        is_reversible=False,
    ),
)
