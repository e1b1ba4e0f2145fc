"""Cases of the act that limits sign-in sessions, as rows: slug, subject, good answers, operations, bad."""

from __future__ import annotations

from typing import Final

from iam.mirror.models import Entity, EntityState, UserCredentials
from tests import factories
from tests.iam.changes.site import Site


def role(site: Site) -> Entity:
    """A role whose sign-in sessions have no limit of their own."""
    made = factories.role(site.account, "app")
    attrs = {"MaxSessionDuration": 3600, "MaxSigninSessionDuration": None}
    EntityState.objects.filter(entity=made).update(attrs=attrs)
    return made


def user(site: Site) -> Entity:
    """A user with a console password, whose sign-in may last 30 days."""
    report = {"login_profile": {"MaxSigninSessionDuration": 2_592_000}}
    UserCredentials.objects.filter(user=site.user).update(has_password=True, report=report)
    return site.user


SIGN_IN: Final = (
    (
        "sign-in-sessions",
        role,
        {"hours": "8"},
        ("role.limit_sign_in",),
        (({"hours": "2161"}, "“2161” isn’t a whole number from 1 to 2,160"), ({"hours": ""}, "already")),
    ),
    (
        "sign-in-sessions",
        user,
        {"hours": "12"},
        ("login_profile.limit_sign_in",),
        (({"hours": "720"}, "already"),),
    ),
)
