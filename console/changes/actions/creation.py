"""Actions that create something in an account, and actions on the account itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from console.changes.actions.action import END, MAKE, ActAction
from console.changes.actions.fields import (
    DOCUMENT,
    FLAG,
    LINES,
    LONG,
    NAME,
    NUMBER,
    TAGS,
    ActField,
    session_hours,
)
from console.changes.actions.on_principals import DOCUMENT_FIELD
from iam.changes.acts import options
from iam.changes.acts.base import account
from iam.mirror.models import Kind

NAME_FIELD = ActField("name", "Name", hint="Letters, digits and + = , . @ _ -")

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
"""An example to edit."""

PATH_FIELD = ActField(
    "path",
    "Path",
    hint="Begins and ends with a slash, such as /payments/. A single slash means no path.",
    start=lambda subject: "/",
)

NEW_TAGS = ActField(
    "tags", "Tags", TAGS, hint="One per line: key = value.", example="team = payments", is_needed=False
)

BOUNDARY = ActField(
    "boundary",
    "Permissions boundary",
    NAME,
    hint="Name or ARN of a managed policy. Leave it empty for none.",
    is_needed=False,
    choices=lambda subject: options.of_kind(account(subject), Kind.POLICY),
)

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
    """Return a function that formats the current value of a password rule for the form."""

    def now(subject: Any) -> str:
        value = options.fact(account(subject), "password_policy")
        if not isinstance(value, dict):
            unset = "0" if name in NUMBERS else ""
            return {"minimum_length": "14", "allows_change": "1"}.get(name, unset)
        setting = value.get(name)
        if name in NUMBERS:
            return str(setting or 0)
        return "1" if setting else ""

    return now


RULES: Final = (
    *(
        ActField(
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
    *(ActField(name, label, FLAG, is_needed=False, start=_rule_now(name)) for name, label in FLAGS.items()),
)

DESCRIPTION = ActField("description", "Description", is_needed=False)

LONG_DESCRIPTION = ActField("description", "Description", LONG, is_needed=False)

MAKING_ACTIONS: Final = (
    ActAction(
        "create-user",
        "New user",
        "Create a user in {}",
        (NAME_FIELD, PATH_FIELD, BOUNDARY, NEW_TAGS),
        part=MAKE,
    ),
    ActAction("create-group", "New group", "Create a group in {}", (NAME_FIELD, PATH_FIELD), part=MAKE),
    ActAction(
        "create-role",
        "New role",
        "Create a role in {}",
        (
            NAME_FIELD,
            PATH_FIELD,
            ActField(
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
            session_hours(lambda subject: "1"),
            BOUNDARY,
            NEW_TAGS,
        ),
        part=MAKE,
    ),
    ActAction(
        "create-policy",
        "New policy",
        "Create a managed policy in {}",
        (NAME_FIELD, PATH_FIELD, DOCUMENT_FIELD, DESCRIPTION, NEW_TAGS),
        part=MAKE,
    ),
    ActAction(
        "create-profile",
        "New instance profile",
        "Create an instance profile in {}",
        (NAME_FIELD, PATH_FIELD),
        part=MAKE,
    ),
    ActAction(
        "create-linked-role",
        "New service-linked role",
        "Create a service-linked role in {}",
        (
            ActField(
                "service", "Service", hint="Its service principal.", example="autoscaling.amazonaws.com"
            ),
            ActField("suffix", "Suffix", is_needed=False, hint="Only for services that allow several roles."),
            DESCRIPTION,
        ),
        part=MAKE,
    ),
    ActAction(
        "create-saml",
        "New SAML provider",
        "Create a SAML provider in {}",
        (
            NAME_FIELD,
            ActField("metadata", "Metadata document", LONG, hint="The XML file from the identity provider."),
            NEW_TAGS,
        ),
        part=MAKE,
    ),
    ActAction(
        "create-oidc",
        "New OpenID Connect provider",
        "Create an OpenID Connect provider in {}",
        (
            ActField(
                "url",
                "Issuer",
                hint="Begins with https://.",
                example="https://token.actions.githubusercontent.com",
            ),
            ActField(
                "clients",
                "Audiences (client IDs)",
                LINES,
                hint="One per line.",
                example="sts.amazonaws.com",
                is_needed=False,
            ),
            ActField(
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
    ActAction(
        "set-alias",
        "Set alias",
        "Set the account alias of {}",
        (
            ActField(
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
    ActAction("delete-alias", "Remove alias", "Remove the account alias of {}", is_danger=True, part=END),
    ActAction("password-rules", "Set password policy", "Set the password policy of {}", RULES),
    ActAction(
        "delete-password-rules",
        "Delete password policy",
        "Delete the password policy of {}",
        is_danger=True,
        part=END,
    ),
)
