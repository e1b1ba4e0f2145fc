"""Acts that make something in an account, and those on the account as a whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from iam.changes.acts import choosing
from iam.changes.acts.base import ACCOUNT, END, MAKE, Act, Subject, account
from iam.changes.acts.fields import DOCUMENT, FLAG, LINES, LONG, NAME, NUMBER, TAGS, Field, Given
from iam.changes.acts.on_principals import DOCUMENT_FIELD
from iam.changes.operations import CreatePolicy, Operation
from iam.changes.operations.account_alias import CREATE_ALIAS, DELETE_ALIAS, Alias
from iam.changes.operations.group import CreateGroup
from iam.changes.operations.instance_profile import CreateInstanceProfile
from iam.changes.operations.oidc_provider import CreateOidcProvider
from iam.changes.operations.password_policy import DeletePasswordPolicy, PasswordRules, UpdatePasswordPolicy
from iam.changes.operations.role import CreateRole, Settings
from iam.changes.operations.saml_provider import CreateSamlProvider
from iam.changes.operations.service_linked_role import CreateServiceLinkedRole
from iam.changes.operations.user import CreateUser
from iam.mirror.models import Kind

ABOUT: Final = (ACCOUNT,)
NAME_FIELD = Field("name", "Name", hint="Letters, digits and + = , . @ _ -")
TRUSTS_EC2: Final = """{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": {"Service": "ec2.amazonaws.com"},
      "Action": "sts:AssumeRole"
    }
  ]
}"""
"""An example to write over."""
PATH_FIELD = Field(
    "path",
    "Path",
    hint="Begins and ends with a slash, such as /payments/. A single slash means no path.",
    start=lambda subject: "/",
)
NEW_TAGS = Field(
    "tags", "Tags", TAGS, hint="One per line: key = value.", example="team = payments", is_needed=False
)
BOUNDARY = Field(
    "boundary",
    "Permissions boundary",
    NAME,
    hint="Name or ARN of a managed policy. Leave it empty for none.",
    is_needed=False,
    choices=lambda subject: choosing.of_kind(account(subject), Kind.POLICY),
)


def _boundary(subject: Subject, fields: Given) -> str:
    text = fields["boundary"]
    return choosing.named(account(subject), Kind.POLICY, text, field="boundary").arn if text else ""


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
        settings=Settings(description=fields["description"], max_session=int(fields["hours"]) * 3600),
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
    """AWS has one alias an account; the new one takes the place of the old one."""
    return [Alias.of(CREATE_ALIAS, account(subject), alias=fields["alias"])]


def _no_alias(subject: Subject, fields: Given) -> Sequence[Operation]:
    return [Alias.of(DELETE_ALIAS, account(subject), alias=account(subject).alias)]


def _rules(subject: Subject, fields: Given) -> Sequence[Operation]:
    rules: dict[str, Any] = {name: fields[name] or 0 for name in NUMBERS} | {
        name: fields[name] for name in FLAGS
    }
    return [UpdatePasswordPolicy(account(subject), PasswordRules(**rules))]


def _no_rules(subject: Subject, fields: Given) -> Sequence[Operation]:
    return [DeletePasswordPolicy.of(account(subject))]


NUMBERS: Final = {
    "minimum_length": ("Minimum password length", 6, 128),
    "maximum_age": ("Maximum password age in days (0: never expires)", 0, 1095),
    "reuse_prevention": ("Number of old passwords that can’t be reused (0: none)", 0, 24),
}
FLAGS: Final = {
    "requires_uppercase": "Require an uppercase letter",
    "requires_lowercase": "Require a lowercase letter",
    "requires_numbers": "Require a number",
    "requires_symbols": "Require a symbol",
    "allows_change": "Let users change their own password",
    "hard_expiry": "Require an administrator reset when a password expires",
}


def _rule_now(name: str) -> Callable[[Any], str]:
    """How the rule is now, as the form shows it."""

    def now(subject: Any) -> str:
        value = choosing.fact(account(subject), "password_policy")
        if not isinstance(value, dict):
            unset = "0" if name in NUMBERS else ""
            return {"minimum_length": "14", "allows_change": "1"}.get(name, unset)
        setting = value.get(name)
        if name in NUMBERS:
            return str(setting or 0)
        return "1" if setting else ""

    return now


def _has_rules(subject: Subject) -> bool:
    return isinstance(choosing.fact(account(subject), "password_policy"), dict)


RULES: Final = (
    *(
        Field(
            name,
            label,
            NUMBER,
            hint=f"A whole number from {low} to {high:,}.",
            low=low,
            high=high,
            start=_rule_now(name),
        )
        for name, (label, low, high) in NUMBERS.items()
    ),
    *(Field(name, label, FLAG, is_needed=False, start=_rule_now(name)) for name, label in FLAGS.items()),
)
DESCRIPTION = Field("description", "Description", is_needed=False)
LONG_DESCRIPTION = Field("description", "Description", LONG, is_needed=False)

MAKING: Final = (
    Act(
        "create-user",
        "New user",
        "Create a user in {}",
        ABOUT,
        _user,
        (NAME_FIELD, PATH_FIELD, BOUNDARY, NEW_TAGS),
        part=MAKE,
    ),
    Act(
        "create-group",
        "New group",
        "Create a group in {}",
        ABOUT,
        _group,
        (NAME_FIELD, PATH_FIELD),
        part=MAKE,
    ),
    Act(
        "create-role",
        "New role",
        "Create a role in {}",
        ABOUT,
        _role,
        (
            NAME_FIELD,
            PATH_FIELD,
            Field(
                "document",
                "Trust policy",
                DOCUMENT,
                hint=(
                    "Who can assume the role. The example lets EC2 instances assume it. Replace it "
                    "for others."
                ),
                start=lambda subject: TRUSTS_EC2,
            ),
            LONG_DESCRIPTION,
            Field(
                "hours",
                "Maximum session duration in hours",
                NUMBER,
                hint="A whole number from 1 to 12.",
                low=1,
                high=12,
                start=lambda subject: "1",
            ),
            BOUNDARY,
            NEW_TAGS,
        ),
        part=MAKE,
    ),
    Act(
        "create-policy",
        "New policy",
        "Create a managed policy in {}",
        ABOUT,
        _policy,
        (NAME_FIELD, PATH_FIELD, DOCUMENT_FIELD, DESCRIPTION, NEW_TAGS),
        part=MAKE,
    ),
    Act(
        "create-profile",
        "New instance profile",
        "Create an instance profile in {}",
        ABOUT,
        _profile,
        (NAME_FIELD, PATH_FIELD),
        part=MAKE,
    ),
    Act(
        "create-linked-role",
        "New service-linked role",
        "Create a service-linked role in {}",
        ABOUT,
        _linked,
        (
            Field("service", "Service", hint="Its service principal.", example="autoscaling.amazonaws.com"),
            Field("suffix", "Suffix", is_needed=False, hint="Only for services that allow several roles."),
            DESCRIPTION,
        ),
        part=MAKE,
    ),
    Act(
        "create-saml",
        "New SAML provider",
        "Create a SAML provider in {}",
        ABOUT,
        _saml,
        (
            NAME_FIELD,
            Field("metadata", "Metadata document", LONG, hint="The XML file from the identity provider."),
            NEW_TAGS,
        ),
        part=MAKE,
    ),
    Act(
        "create-oidc",
        "New OpenID Connect provider",
        "Create an OpenID Connect provider in {}",
        ABOUT,
        _oidc,
        (
            Field(
                "url",
                "Issuer",
                hint="Begins with https://.",
                example="https://token.actions.githubusercontent.com",
            ),
            Field(
                "clients",
                "Audiences (client IDs)",
                LINES,
                hint="One per line.",
                example="sts.amazonaws.com",
                is_needed=False,
            ),
            Field(
                "thumbprints",
                "Thumbprints",
                LINES,
                hint="One per line. AWS finds most thumbprints itself, so you can leave this empty.",
                is_needed=False,
            ),
            NEW_TAGS,
        ),
        part=MAKE,
    ),
    Act(
        "set-alias",
        "Set alias",
        "Set the account alias of {}",
        ABOUT,
        _alias,
        (
            Field(
                "alias",
                "Alias",
                hint=(
                    "3 to 63 lowercase letters, digits and single hyphens. It becomes part of the "
                    "sign-in address."
                ),
                start=lambda subject: account(subject).alias,
            ),
        ),
    ),
    Act(
        "delete-alias",
        "Remove alias",
        "Remove the account alias of {}",
        ABOUT,
        _no_alias,
        is_danger=True,
        part=END,
        is_open=lambda subject: bool(account(subject).alias),
    ),
    Act("password-rules", "Set password policy", "Set the password policy of {}", ABOUT, _rules, RULES),
    Act(
        "delete-password-rules",
        "Delete password policy",
        "Delete the password policy of {}",
        ABOUT,
        _no_rules,
        is_danger=True,
        part=END,
        is_open=_has_rules,
    ),
)
