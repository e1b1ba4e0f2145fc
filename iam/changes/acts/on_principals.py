"""Acts on users, groups and roles: permissions, boundary, name, tags, trust policy and deletion."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from iam.changes.acts import options
from iam.changes.acts.base import HOLDERS, Act, Given, Subject, entity
from iam.changes.errors import FieldError
from iam.changes.operations import (
    ATTACH_POLICY,
    DETACH_POLICY,
    Attachment,
    DeleteInlinePolicy,
    Operation,
    PutInlinePolicy,
)
from iam.changes.operations.boundary import DeleteBoundary, PutBoundary
from iam.changes.operations.principals import (
    ReplaceTrustPolicy,
    RoleSettings,
    UpdateGroup,
    UpdateRole,
    UpdateUser,
)
from iam.changes.operations.role_sessions import RevokeSessions
from iam.changes.operations.sign_in_session import LimitRoleSignIn, LimitUserSignIn
from iam.changes.operations.tags import SetTags
from iam.changes.operations.user_credential import credentials_row
from iam.changes.services.deletion import deletion_of
from iam.mirror.models import Edge, EdgeKind, Kind, valid_at

REDUCED_POLICY: Final = "gatehouse-least-privilege"
"""The name of the inline policy that allows what was used."""
USER, GROUP, ROLE = Kind.USER.value, Kind.GROUP.value, Kind.ROLE.value


def _attach(subject: Subject, fields: Given) -> Sequence[Operation]:
    holder, text = entity(subject), str(fields["policy"])
    if text.startswith("arn:") and ":iam::aws:policy/" in text:
        return [Attachment.by_arn(ATTACH_POLICY, holder, arn=text)]
    policy = options.entity_named(holder.account, Kind.POLICY, text, field="policy")
    return [Attachment.of(ATTACH_POLICY, holder, policy=policy)]


def _detach(subject: Subject, fields: Given) -> Sequence[Operation]:
    holder = entity(subject)
    policy = options.entity_named(holder.account, Kind.POLICY, str(fields["policy"]), field="policy")
    return [Attachment.of(DETACH_POLICY, holder, policy=policy)]


def _inline(subject: Subject, fields: Given) -> Sequence[Operation]:
    return [PutInlinePolicy.of(entity(subject), name=str(fields["name"]), text=str(fields["document"]))]


def _drop_inline(subject: Subject, fields: Given) -> Sequence[Operation]:
    return [DeleteInlinePolicy.of(entity(subject), policy_name=str(fields["name"]))]


def _reduce(subject: Subject, fields: Given) -> Sequence[Operation]:
    """Operations that replace all of the holder's own policies by one inline policy."""
    holder = entity(subject)
    edges = Edge.objects.filter(valid_at(None), kind=EdgeKind.ATTACHED, source=holder)
    attached = edges.select_related("target").order_by("target__name")
    inline = [name for name, _ in options.inline(holder) if name != REDUCED_POLICY]
    return [
        PutInlinePolicy.of(holder, name=REDUCED_POLICY, text=str(fields["document"])),
        *(Attachment.of(DETACH_POLICY, holder, policy=edge.target) for edge in attached),
        *(DeleteInlinePolicy.of(holder, policy_name=name) for name in inline),
    ]


def _has_own_policies(subject: Subject) -> bool:
    holder = entity(subject)
    return _is_not_linked(subject) and bool(options.attached(holder) or options.inline(holder))


def _bound(subject: Subject, fields: Given) -> Sequence[Operation]:
    subject_entity = entity(subject)
    policy = options.entity_named(subject_entity.account, Kind.POLICY, str(fields["policy"]), field="policy")
    return [PutBoundary.of(subject_entity, policy=policy)]


def _unbound(subject: Subject, fields: Given) -> Sequence[Operation]:
    return [DeleteBoundary.of(entity(subject))]


def set_tags(subject: Subject, fields: Given) -> Sequence[Operation]:
    """The operations that replace the existing tags by those entered."""
    return [SetTags.of(entity(subject), tags=fields["tags"])]


def _rename(subject: Subject, fields: Given) -> Sequence[Operation]:
    subject_entity = entity(subject)
    return [
        (UpdateUser if subject_entity.kind == USER else UpdateGroup).of(
            subject_entity, new_name=fields["name"], new_path=fields["path"]
        )
    ]


def _settings(subject: Subject, fields: Given) -> Sequence[Operation]:
    settings = RoleSettings(description=fields["description"], max_session=int(fields["hours"]) * 3600)
    return [UpdateRole.of(entity(subject), **settings.params)]


def _sign_in(subject: Subject, fields: Given) -> Sequence[Operation]:
    """The sign-in settings; without hours, AWS's default applies."""
    principal = entity(subject)
    seconds = int(fields["hours"]) * 3600 if fields["hours"] else None
    if principal.kind == ROLE:
        return [LimitRoleSignIn.on(principal, options.state_of(principal), seconds=seconds)]
    return [LimitUserSignIn.on(principal, seconds=seconds)]


def _can_limit_sign_in(subject: Subject) -> bool:
    principal = entity(subject)
    if principal.kind == ROLE:
        return _is_not_linked(subject)
    row = credentials_row(principal)
    return row is not None and bool(row.has_password)


def _trust(subject: Subject, fields: Given) -> Sequence[Operation]:
    return [ReplaceTrustPolicy.of(entity(subject), document=fields["document"])]


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
    """The time at which the form was opened, so that the request equals its preview; the time of sending is
    what counts.
    """
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


PRINCIPAL_ACTS: Final = (
    Act("attach", HOLDERS, _attach, is_open=_is_not_linked, is_plain=True),
    Act(
        "detach",
        HOLDERS,
        _detach,
        is_open=lambda subject: _is_not_linked(subject) and bool(options.attached(entity(subject))),
        is_plain=True,
    ),
    Act("put-inline", HOLDERS, _inline, is_open=_is_not_linked),
    Act(
        "delete-inline",
        HOLDERS,
        _drop_inline,
        is_open=lambda subject: _is_not_linked(subject) and bool(options.inline(entity(subject))),
    ),
    Act("reduce", (USER, ROLE), _reduce, is_open=_has_own_policies),
    Act("put-boundary", (USER, ROLE), _bound, is_open=_is_not_linked),
    Act("delete-boundary", (USER, ROLE), _unbound, is_open=_has_boundary),
    Act("tag", (USER, ROLE), set_tags, is_open=_is_not_linked, is_plain=True),
    Act("rename", (USER, GROUP), _rename, is_plain=True),
    Act("trust", (ROLE,), _trust, is_open=_is_not_linked),
    Act("settings", (ROLE,), _settings, is_open=_is_not_linked),
    Act("sign-in-sessions", (USER, ROLE), _sign_in, is_open=_can_limit_sign_in),
    Act("revoke-sessions", (ROLE,), _revoke, is_open=_is_not_linked),
    Act(
        "delete",
        (*HOLDERS, Kind.POLICY.value, Kind.INSTANCE_PROFILE.value),
        _delete,
        is_open=lambda subject: ":iam::aws:" not in entity(subject).arn,
        is_plain=True,
    ),
)
