"""Acts that create something in an account, and acts on the account itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from iam.changes.acts import options
from iam.changes.acts.base import ACCOUNT, Act, Given, Subject, account
from iam.changes.operations import CreatePolicy, Operation
from iam.changes.operations.account_setting import (
    CREATE_ALIAS,
    DELETE_ALIAS,
    Alias,
    DeletePasswordPolicy,
    PasswordRules,
    UpdatePasswordPolicy,
)
from iam.changes.operations.instance_profile import CreateInstanceProfile
from iam.changes.operations.oidc_provider import CreateOidcProvider
from iam.changes.operations.principals import CreateGroup, CreateRole, CreateUser, RoleSettings
from iam.changes.operations.saml_provider import CreateSamlProvider
from iam.changes.operations.service_linked_role import CreateServiceLinkedRole
from iam.mirror.models import Kind

ABOUT: Final = (ACCOUNT,)
NUMBERS: Final = ("minimum_length", "maximum_age", "reuse_prevention")
"""The numeric settings of the password policy; 0 means not set."""


def _boundary(subject: Subject, fields: Given) -> str:
    text = fields["boundary"]
    return options.entity_named(account(subject), Kind.POLICY, text, field="boundary").arn if text else ""


def _user(subject: Subject, fields: Given) -> Sequence[Operation]:
    boundary = _boundary(subject, fields)
    return [
        CreateUser.of(
            account(subject), name=fields["name"], path=fields["path"], boundary=boundary, tags=fields["tags"]
        )
    ]


def _group(subject: Subject, fields: Given) -> Sequence[Operation]:
    return [CreateGroup.of(account(subject), name=fields["name"], path=fields["path"])]


def _role(subject: Subject, fields: Given) -> Sequence[Operation]:
    made = CreateRole.of(
        account(subject),
        name=fields["name"],
        trust=fields["document"],
        path=fields["path"],
        settings=RoleSettings(description=fields["description"], max_session=int(fields["hours"]) * 3600),
        boundary=_boundary(subject, fields),
        tags=fields["tags"],
    )
    return [made]


def _policy(subject: Subject, fields: Given) -> Sequence[Operation]:
    made = CreatePolicy.of(
        account(subject),
        name=fields["name"],
        text=fields["document"],
        path=fields["path"],
        description=fields["description"],
        tags=fields["tags"],
    )
    return [made]


def _profile(subject: Subject, fields: Given) -> Sequence[Operation]:
    return [CreateInstanceProfile.of(account(subject), name=fields["name"], path=fields["path"])]


def _linked(subject: Subject, fields: Given) -> Sequence[Operation]:
    return [
        CreateServiceLinkedRole.of(
            account(subject),
            service=fields["service"],
            suffix=fields["suffix"],
            description=fields["description"],
        )
    ]


def _saml(subject: Subject, fields: Given) -> Sequence[Operation]:
    return [
        CreateSamlProvider.of(
            account(subject), name=fields["name"], metadata=fields["metadata"], tags=fields["tags"]
        )
    ]


def _oidc(subject: Subject, fields: Given) -> Sequence[Operation]:
    made = CreateOidcProvider.of(
        account(subject),
        url=fields["url"],
        clients=fields["clients"],
        thumbprints=fields["thumbprints"],
        tags=fields["tags"],
    )
    return [made]


def _alias(subject: Subject, fields: Given) -> Sequence[Operation]:
    """The operations for a new alias. AWS allows one alias per account, so it replaces the old one."""
    return [Alias.of(CREATE_ALIAS, account(subject), alias=fields["alias"])]


def _no_alias(subject: Subject, fields: Given) -> Sequence[Operation]:
    return [Alias.of(DELETE_ALIAS, account(subject), alias=account(subject).alias)]


def _rules(subject: Subject, fields: Given) -> Sequence[Operation]:
    numbers = {name: fields[name] or 0 for name in NUMBERS}
    return [UpdatePasswordPolicy(account(subject), PasswordRules(**fields | numbers))]


def _no_rules(subject: Subject, fields: Given) -> Sequence[Operation]:
    return [DeletePasswordPolicy.of(account(subject))]


def _has_rules(subject: Subject) -> bool:
    return isinstance(options.fact(account(subject), "password_policy"), dict)


MAKING: Final = (
    Act("create-user", ABOUT, _user),
    Act("create-group", ABOUT, _group),
    Act("create-role", ABOUT, _role),
    Act("create-policy", ABOUT, _policy),
    Act("create-profile", ABOUT, _profile),
    Act("create-linked-role", ABOUT, _linked),
    Act("create-saml", ABOUT, _saml),
    Act("create-oidc", ABOUT, _oidc),
    Act("set-alias", ABOUT, _alias),
    Act("delete-alias", ABOUT, _no_alias, is_open=lambda subject: bool(account(subject).alias)),
    Act("password-rules", ABOUT, _rules),
    Act("delete-password-rules", ABOUT, _no_rules, is_open=_has_rules),
)
