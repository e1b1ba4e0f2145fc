"""Acts on users, groups and roles: what they hold, what bounds them, their names and tags, who may assume
a role, and their end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from iam.changes.acts import choosing
from iam.changes.acts.base import ACCESS, END, HOLDERS, Act, Subject, entity
from iam.changes.acts.fields import (
    CHOICE,
    DOCUMENT,
    HIDDEN,
    LONG,
    NAME,
    NUMBER,
    TAGS,
    Field,
    FieldError,
    Given,
)
from iam.changes.operations import (
    ATTACH_POLICY,
    DETACH_POLICY,
    Attachment,
    DeleteInlinePolicy,
    Operation,
    PutInlinePolicy,
)
from iam.changes.operations.boundary import DeleteBoundary, PutBoundary
from iam.changes.operations.group import UpdateGroup
from iam.changes.operations.role import Settings, UpdateRole
from iam.changes.operations.role_sessions import RevokeSessions
from iam.changes.operations.tags import SetTags
from iam.changes.operations.trust_policy import ReplaceTrustPolicy
from iam.changes.operations.user import UpdateUser
from iam.changes.services.deletion import deletion_of
from iam.mirror.models import Edge, EdgeKind, Kind, valid_at

USER, GROUP, ROLE = Kind.USER.value, Kind.GROUP.value, Kind.ROLE.value


def _attach(subject: Subject, fields: Given) -> Sequence[Operation]:
    holder, text = entity(subject), str(fields["policy"])
    if text.startswith("arn:") and ":iam::aws:policy/" in text:
        return [Attachment.by_arn(ATTACH_POLICY, holder, arn=text)]
    policy = choosing.named(holder.account, Kind.POLICY, text, field="policy")
    return [Attachment.of(ATTACH_POLICY, holder, policy=policy)]


def _detach(subject: Subject, fields: Given) -> Sequence[Operation]:
    holder = entity(subject)
    policy = choosing.named(holder.account, Kind.POLICY, str(fields["policy"]), field="policy")
    return [Attachment.of(DETACH_POLICY, holder, policy=policy)]


def _inline(subject: Subject, fields: Given) -> Sequence[Operation]:
    return [PutInlinePolicy.of(entity(subject), name=str(fields["name"]), text=str(fields["document"]))]


def _begin_inline(subject: Subject, name: str) -> dict[str, str]:
    """The policy that is there, to be written anew."""
    return {"name": name, "document": choosing.inline_text(entity(subject), name)}


def _drop_inline(subject: Subject, fields: Given) -> Sequence[Operation]:
    return [DeleteInlinePolicy.of(entity(subject), name=str(fields["name"]))]


def _bound(subject: Subject, fields: Given) -> Sequence[Operation]:
    subject_entity = entity(subject)
    policy = choosing.named(subject_entity.account, Kind.POLICY, str(fields["policy"]), field="policy")
    return [PutBoundary.of(subject_entity, policy=policy)]


def _unbound(subject: Subject, fields: Given) -> Sequence[Operation]:
    return [DeleteBoundary.of(entity(subject))]


def _tag(subject: Subject, fields: Given) -> Sequence[Operation]:
    return [SetTags.of(entity(subject), tags=fields["tags"])]


def _rename(subject: Subject, fields: Given) -> Sequence[Operation]:
    subject_entity = entity(subject)
    return [
        (UpdateUser if subject_entity.kind == USER else UpdateGroup).of(
            subject_entity, name=fields["name"], path=fields["path"]
        )
    ]


def _settings(subject: Subject, fields: Given) -> Sequence[Operation]:
    settings = Settings(description=fields["description"], max_session=int(fields["hours"]) * 3600)
    return [UpdateRole.of(entity(subject), settings=settings)]


def _trust(subject: Subject, fields: Given) -> Sequence[Operation]:
    return [ReplaceTrustPolicy.of(entity(subject), text=fields["document"])]


def _revoke(subject: Subject, fields: Given) -> Sequence[Operation]:
    role, now, whose = entity(subject), _moment(fields["since"]), fields["whose"]
    if whose == "everybody":
        return [RevokeSessions.of_everybody(role, at=now)]
    if not fields["value"]:
        raise FieldError("Enter the source identity or the session name.", field="value")
    if whose == "source-identity":
        return [RevokeSessions.of_source_identity(role, source_identity=fields["value"], at=now)]
    return [RevokeSessions.of_session_name(role, session_name=fields["value"], at=now)]


def _moment(text: str) -> datetime:
    """When the form was opened, which makes what is asked for the same as what was shown; the moment that
    counts is that of sending."""
    now = datetime.now(tz=UTC)
    try:
        return min(now, datetime.fromisoformat(text).astimezone(UTC))
    except (ValueError, OverflowError):
        return now


def _delete(subject: Subject, fields: Given) -> Sequence[Operation]:
    return deletion_of(entity(subject))


def _has_boundary(subject: Subject) -> bool:
    return Edge.objects.filter(valid_at(None), kind=EdgeKind.BOUNDARY, source=entity(subject)).exists()


def _is_not_linked(subject: Subject) -> bool:
    return ":role/aws-service-role/" not in entity(subject).arn


def _hours(subject: Subject) -> str:
    return str(Settings.of(choosing.state_of(entity(subject))).max_session // 3600)


POLICY = Field(
    "policy",
    "Managed policy",
    NAME,
    hint="Name or ARN. AWS managed policies need their ARN if no one has them yet.",
    example="arn:aws:iam::aws:policy/ReadOnlyAccess",
    choices=lambda subject: choosing.of_kind(subject.account, Kind.POLICY),
)
TAG_FIELD = Field(
    "tags",
    "Tags",
    TAGS,
    hint="One per line: key = value. Removing a line removes the tag.",
    example="team = payments",
    is_needed=False,
    start=choosing.tags_text,
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
"""An example to write over."""
DOCUMENT_FIELD = Field(
    "document",
    "Policy",
    DOCUMENT,
    hint="Policy in JSON. Replace the example.",
    start=lambda subject: STARTER,
)

PRINCIPAL_ACTS: Final = (
    Act(
        "attach",
        "Attach policy",
        "Attach a policy to {}",
        HOLDERS,
        _attach,
        (POLICY,),
        is_open=_is_not_linked,
        part=ACCESS,
        is_plain=True,
    ),
    Act(
        "detach",
        "Detach policy",
        "Detach a policy from {}",
        HOLDERS,
        _detach,
        (Field("policy", "Policy", CHOICE, choices=choosing.attached),),
        is_open=lambda subject: _is_not_linked(subject) and bool(choosing.attached(entity(subject))),
        part=ACCESS,
        is_plain=True,
    ),
    Act(
        "put-inline",
        "Set inline policy",
        "Set an inline policy of {}",
        HOLDERS,
        _inline,
        (
            Field(
                "name",
                "Policy name",
                hint="If an inline policy with this name exists, its text is replaced.",
                example="read-reports",
            ),
            DOCUMENT_FIELD,
        ),
        is_open=_is_not_linked,
        part=ACCESS,
        begin=_begin_inline,
    ),
    Act(
        "delete-inline",
        "Delete inline policy",
        "Delete an inline policy of {}",
        HOLDERS,
        _drop_inline,
        (Field("name", "Policy", CHOICE, choices=choosing.inline),),
        is_danger=True,
        is_open=lambda subject: _is_not_linked(subject) and bool(choosing.inline(entity(subject))),
        part=ACCESS,
        begin=lambda subject, name: {"name": name},
    ),
    Act(
        "put-boundary",
        "Set boundary",
        "Set the permissions boundary of {}",
        (USER, ROLE),
        _bound,
        (POLICY,),
        is_open=_is_not_linked,
        note="Limits what other policies can allow. A permissions boundary doesn’t grant anything itself.",
        part=ACCESS,
    ),
    Act(
        "delete-boundary",
        "Remove boundary",
        "Remove the permissions boundary of {}",
        (USER, ROLE),
        _unbound,
        is_danger=True,
        is_open=_has_boundary,
        note="Afterwards, only the attached and inline policies decide what is allowed.",
        part=ACCESS,
    ),
    Act(
        "tag",
        "Edit tags",
        "Edit tags of {}",
        (USER, ROLE),
        _tag,
        (TAG_FIELD,),
        is_open=_is_not_linked,
        is_plain=True,
    ),
    Act(
        "rename",
        "Rename or move",
        "Rename or move {}",
        (USER, GROUP),
        _rename,
        (
            Field("name", "Name", start=lambda subject: subject.name),
            Field("path", "Path", start=lambda subject: getattr(choosing.state_of(subject), "path", "/")),
        ),
        note="This changes the ARN. Policies that name the old ARN no longer apply.",
        is_plain=True,
    ),
    Act(
        "trust",
        "Edit trust policy",
        "Edit who can assume {}",
        (ROLE,),
        _trust,
        (
            Field(
                "document",
                "Trust policy",
                DOCUMENT,
                hint=(
                    "Who can assume the role, in JSON. At most 2,048 characters, unless AWS raised "
                    "your quota."
                ),
                start=choosing.trust_text,
            ),
        ),
        is_open=_is_not_linked,
        part=ACCESS,
    ),
    Act(
        "settings",
        "Edit settings",
        "Edit settings of {}",
        (ROLE,),
        _settings,
        (
            Field(
                "description",
                "Description",
                LONG,
                is_needed=False,
                start=lambda subject: Settings.of(choosing.state_of(subject)).description,
            ),
            Field(
                "hours",
                "Maximum session duration in hours",
                NUMBER,
                hint="A whole number from 1 to 12.",
                low=1,
                high=12,
                start=_hours,
            ),
        ),
        is_open=_is_not_linked,
    ),
    Act(
        "revoke-sessions",
        "Revoke sessions",
        "Revoke sessions of {}",
        (ROLE,),
        _revoke,
        (
            Field(
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
            Field(
                "value",
                "Source identity or session name",
                is_needed=False,
                hint="Needed only for one person’s sessions or for one session.",
                example="kwame.boateng",
            ),
            Field(
                "since",
                "",
                HIDDEN,
                is_needed=False,
                start=lambda subject: f"{datetime.now(tz=UTC):%Y-%m-%dT%H:%M:%SZ}",
            ),
        ),
        is_danger=True,
        is_open=_is_not_linked,
        note=(
            "Sessions that began before now are denied everything. Anyone who can still assume the "
            "role can start a new session."
        ),
        part=END,
    ),
    Act(
        "delete",
        "Delete",
        "Delete {}",
        (*HOLDERS, Kind.POLICY.value, Kind.INSTANCE_PROFILE.value),
        _delete,
        is_danger=True,
        is_open=lambda subject: ":iam::aws:" not in entity(subject).arn,
        note=(
            "Everything that AWS requires to be removed first, such as access keys and attached "
            "policies, is removed in the same request."
        ),
        part=END,
        is_plain=True,
    ),
)
