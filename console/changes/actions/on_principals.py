"""Actions on users, groups and roles: permissions, boundaries, names, tags, trust policies and deletion."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from console.changes.actions.action import ACCESS, END, ActAction
from console.changes.actions.fields import (
    CHOICE,
    DOCUMENT,
    HIDDEN,
    LONG,
    NAME,
    NUMBER,
    TAGS,
    ActField,
    session_hours,
)
from iam.changes.acts import Subject, options
from iam.changes.acts.base import entity
from iam.changes.operations.principals import RoleSettings
from iam.changes.operations.sign_in_session import sign_in_limit
from iam.mirror.models import Kind


def _begin_inline(subject: Subject, name: str) -> dict[str, str]:
    """Return the current text of the inline policy as initial values."""
    return {"name": name, "document": options.inline_text(entity(subject), name)}


def _hours(subject: Subject) -> str:
    return str(RoleSettings.from_state(options.state_of(entity(subject))).max_session // 3600)


def _sign_in_hours(subject: Subject) -> str:
    seconds = sign_in_limit(entity(subject))
    return str(seconds // 3600) if seconds else ""


POLICY = ActField(
    "policy",
    "Managed policy",
    NAME,
    hint="Name or ARN. AWS managed policies need their ARN if no one has them yet.",
    example="arn:aws:iam::aws:policy/ReadOnlyAccess",
    choices=lambda subject: options.of_kind(subject.account, Kind.POLICY),
)

TAG_FIELD = ActField(
    "tags",
    "Tags",
    TAGS,
    hint="One per line: key = value. Removing a line removes the tag.",
    example="team = payments",
    is_needed=False,
    start=options.tags_text,
)
NAME_AND_PATH = (
    ActField("name", "Name", start=lambda subject: subject.name),
    ActField("path", "Path", start=lambda subject: getattr(options.state_of(subject), "path", "/")),
)

STARTER: Final = """{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "ReadReports",
      "Effect": "Allow",
      "Action": ["s3:GetObject"],
      "Resource": ["arn:aws:s3:::EXAMPLE-BUCKET/reports/*"]
    }
  ]
}"""
"""An example to edit."""

DOCUMENT_FIELD = ActField(
    "document",
    "Policy",
    DOCUMENT,
    hint="Policy in JSON. Replace the example.",
    start=lambda subject: STARTER,
)

PRINCIPAL_ACTIONS: Final = (
    ActAction("attach", "Attach policy", "Attach a policy to {}", (POLICY,), part=ACCESS),
    ActAction(
        "detach",
        "Detach policy",
        "Detach a policy from {}",
        (ActField("policy", "Policy", CHOICE, choices=options.attached),),
        part=ACCESS,
        begin=lambda subject, policy: {"policy": policy},
    ),
    ActAction(
        "put-inline",
        "Set inline policy",
        "Set an inline policy of {}",
        (
            ActField(
                "name",
                "Policy name",
                hint="If an inline policy with this name exists, its text is replaced.",
                example="read-reports",
            ),
            DOCUMENT_FIELD,
        ),
        part=ACCESS,
        begin=_begin_inline,
    ),
    ActAction(
        "delete-inline",
        "Delete inline policy",
        "Delete an inline policy of {}",
        (ActField("name", "Policy", CHOICE, choices=options.inline),),
        is_danger=True,
        part=ACCESS,
        begin=lambda subject, name: {"name": name},
    ),
    ActAction(
        "reduce",
        "Reduce permissions",
        "Reduce the permissions of {}",
        (
            ActField(
                "document",
                "Policy",
                DOCUMENT,
                hint="Policy in JSON. It replaces all attached and inline policies.",
            ),
        ),
        note="The page “Least privilege” fills in what was used.",
        part=ACCESS,
    ),
    ActAction(
        "put-boundary",
        "Set boundary",
        "Set the permissions boundary of {}",
        (POLICY,),
        note="Limits what other policies can allow. A permissions boundary doesn’t grant anything itself.",
        part=ACCESS,
    ),
    ActAction(
        "delete-boundary",
        "Remove boundary",
        "Remove the permissions boundary of {}",
        is_danger=True,
        note="Afterwards, only the attached and inline policies decide what is allowed.",
        part=ACCESS,
    ),
    ActAction("tag", "Edit tags", "Edit tags of {}", (TAG_FIELD,)),
    ActAction(
        "rename",
        "Rename or move",
        "Rename or move {}",
        NAME_AND_PATH,
        note="This changes the ARN. Policies that name the old ARN no longer apply.",
    ),
    ActAction(
        "trust",
        "Edit trust policy",
        "Edit who can assume {}",
        (
            ActField(
                "document",
                "Trust policy",
                DOCUMENT,
                hint=(
                    "Who can assume the role, in JSON. At most 2,048 characters, unless AWS raised "
                    "your quota."
                ),
                start=options.trust_text,
            ),
        ),
        part=ACCESS,
    ),
    ActAction(
        "settings",
        "Edit settings",
        "Edit settings of {}",
        (
            ActField(
                "description",
                "Description",
                LONG,
                is_needed=False,
                start=lambda subject: RoleSettings.from_state(options.state_of(subject)).description,
            ),
            session_hours(_hours),
        ),
    ),
    ActAction(
        "sign-in-sessions",
        "Limit sign-in sessions",
        "Limit sign-in sessions of {}",
        (
            ActField(
                "hours",
                "Maximum sign-in session in hours",
                NUMBER,
                hint="A whole number from 1 to 2,160 (90 days). Empty: AWS’s own limit.",
                is_needed=False,
                low=1,
                high=2160,
                start=_sign_in_hours,
            ),
        ),
    ),
    ActAction(
        "revoke-sessions",
        "Revoke sessions",
        "Revoke sessions of {}",
        (
            ActField(
                "whose",
                "Whose sessions",
                CHOICE,
                choices=lambda subject: (
                    ("everybody", "Everyone's"),
                    ("source-identity", "One person’s, by source identity"),
                    ("session-name", "One session, by its name"),
                ),
                start=lambda subject: "everybody",
            ),
            ActField(
                "value",
                "Source identity or session name",
                is_needed=False,
                hint="Needed only for one person’s sessions or for one session.",
                example="kwame.boateng",
            ),
            ActField(
                "since",
                "",
                HIDDEN,
                is_needed=False,
                start=lambda subject: f"{datetime.now(tz=UTC):%Y-%m-%dT%H:%M:%SZ}",
            ),
        ),
        is_danger=True,
        note="Sessions that began before now are denied everything. Anyone who can still assume the "
        "role can start a new session.",
        part=END,
    ),
    ActAction(
        "delete",
        "Delete",
        "Delete {}",
        is_danger=True,
        note="Everything that AWS requires to be removed first, such as access keys and attached "
        "policies, is removed in the same request.",
        part=END,
    ),
)
