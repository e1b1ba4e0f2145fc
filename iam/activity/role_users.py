"""Finds the users of roles in events: people who signed in with SAML, OpenID Connect or IAM Identity Center.

Source:
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from iam.activity.callers import FEDERATED, IDENTITY_CENTER, ROLE
from iam.activity.records import EventRecord

SSO_PATH: Final = ":role/aws-reserved/sso.amazonaws.com/"
"""The roles of permission sets. Their sessions are named after the users of IAM Identity Center."""
WITH_SAML: Final = "AssumeRoleWithSAML"
SIGN_INS: Final = (WITH_SAML, "AssumeRoleWithWebIdentity")
MAX_BYTES: Final = 2048
"""An index row of PostgreSQL has at most 2,704 bytes. Real names are shorter than this."""


class NamedRoleUser(NamedTuple):
    """The key columns of a RoleUser."""

    role_arn: str
    name: str
    person: str


def users_of(event: EventRecord) -> Iterator[NamedRoleUser]:
    """Yield each role user that the event names."""
    for user in _named(event):
        if (user.name or user.person) and len("".join(user).encode()) <= MAX_BYTES:
            yield user


def _named(event: EventRecord) -> Iterator[NamedRoleUser]:
    caller, session = event.caller, event.session
    if caller.kind == ROLE and caller.arn:
        # Session names can be anything. Those of programs, which almost never contain an @, are left out.
        is_center = SSO_PATH in caller.arn
        session_names = (name.lower() for name in (session.name, session.source_identity) if name)
        names = {name for name in session_names if is_center or "@" in name}
        for name in names or {""}:
            yield NamedRoleUser(caller.arn, name, session.person)
    elif caller.kind == IDENTITY_CENTER and caller.name != caller.unique_id:
        yield NamedRoleUser("", caller.name.lower(), caller.unique_id)
    elif caller.kind == FEDERATED and event.action in SIGN_INS and event.resource and not event.error_code:
        is_person = event.action == WITH_SAML or "@" in caller.name
        name = caller.name.lower() if is_person else ""
        yield NamedRoleUser(event.resource, name, session.person)
