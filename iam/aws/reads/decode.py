"""Convert a `<member>` of an IAM response to a record, several times faster than botocore's parser."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar
from xml.etree.ElementTree import ParseError, fromstring

from iam.aws.documents import decode_document
from iam.aws.raw_lists import malformed
from iam.aws.records import (
    GroupRecord,
    InlinePolicyRecord,
    LastUsed,
    PolicyRecord,
    PolicyVersionRecord,
    Record,
    RoleRecord,
    UserRecord,
)

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

Fields = dict[str, "Element"]
T = TypeVar("T")


def fields_of(fragment: bytes, *, action: str) -> Fields:
    """Return the child elements of a member by tag. AwsError if it is not well-formed.

    `raw_lists.cut_lists` has already refused document types, so no entity can be declared or expanded.
    """
    try:
        return {child.tag: child for child in fromstring(fragment)}  # noqa: S314
    except ParseError as error:
        raise malformed(action, f"a list member is not well-formed XML ({error})") from error


def decode(kind: str, fragment: bytes, *, action: str) -> Record:
    """Return the record of a member of GetAccountAuthorizationDetails. AwsError if a field that AWS always
    sends is missing.
    """
    return build_all([fragment], build=_DECODERS[kind], action=action)[0]


def build_all(fragments: list[bytes], *, build: Callable[[Fields], T], action: str) -> list[T]:
    """Return the result of `build` for each member. AwsError if a member is unreadable."""
    try:
        return [build(fields_of(fragment, action=action)) for fragment in fragments]
    except KeyError as error:
        raise malformed(action, f"a list member lacks the element {error.args[0]}") from error
    except ValueError as error:
        raise malformed(action, f"a list member has a value that cannot be read ({error})") from error


def text(fields: Fields, tag: str) -> str:
    """Return the text of a required child. KeyError if it is missing."""
    return fields[tag].text or ""


def optional(fields: Fields, tag: str) -> str | None:
    """Return the text of a child, or None if it is missing."""
    child = fields.get(tag)
    return None if child is None else child.text or ""


def moment(value: str) -> datetime:
    """Convert an AWS timestamp to an aware datetime in UTC."""
    return datetime.fromisoformat(value)


def optional_moment(fields: Fields, tag: str) -> datetime | None:
    """Return the timestamp of a child, or None if it is missing or empty."""
    value = optional(fields, tag)
    return moment(value) if value else None


def tags_of(fields: Fields) -> dict[str, str]:
    """Return the tags of an entity. AWS lists each key once."""
    if "Tags" not in fields:
        return {}
    return {_child(member, "Key"): _child(member, "Value") for member in fields["Tags"]}


def last_used_of(fields: Fields) -> LastUsed | None:
    """Return `RoleLastUsed`, or None if AWS has recorded no use of the role."""
    element = fields.get("RoleLastUsed")
    at = element.findtext("LastUsedDate") if element is not None else None
    return LastUsed(moment(at), element.findtext("Region")) if element is not None and at else None


def _child(element: Element, tag: str) -> str:
    child = element.find(tag)
    if child is None:
        raise KeyError(tag)
    return child.text or ""


def _inline(fields: Fields, tag: str) -> tuple[InlinePolicyRecord, ...]:
    if tag not in fields:
        return ()
    return tuple(
        sorted(
            InlinePolicyRecord(
                _child(member, "PolicyName"), decode_document(_child(member, "PolicyDocument"))
            )
            for member in fields[tag]
        )
    )


def _attached(fields: Fields) -> tuple[str, ...]:
    if "AttachedManagedPolicies" not in fields:
        return ()
    return tuple(sorted(_child(member, "PolicyArn") for member in fields["AttachedManagedPolicies"]))


def _boundary(fields: Fields) -> str | None:
    return (
        _child(fields["PermissionsBoundary"], "PermissionsBoundaryArn")
        if "PermissionsBoundary" in fields
        else None
    )


def _names(fields: Fields, tag: str) -> tuple[str, ...]:
    return tuple(sorted(member.text or "" for member in fields[tag])) if tag in fields else ()


def _user(fields: Fields) -> UserRecord:
    return UserRecord(
        aws_id=text(fields, "UserId"),
        name=text(fields, "UserName"),
        path=text(fields, "Path"),
        arn=text(fields, "Arn"),
        created_at=moment(text(fields, "CreateDate")),
        tags=tags_of(fields),
        groups=_names(fields, "GroupList"),
        inline=_inline(fields, "UserPolicyList"),
        attached=_attached(fields),
        boundary=_boundary(fields),
    )


def _group(fields: Fields) -> GroupRecord:
    return GroupRecord(
        aws_id=text(fields, "GroupId"),
        name=text(fields, "GroupName"),
        path=text(fields, "Path"),
        arn=text(fields, "Arn"),
        created_at=moment(text(fields, "CreateDate")),
        inline=_inline(fields, "GroupPolicyList"),
        attached=_attached(fields),
    )


def _role(fields: Fields) -> RoleRecord:
    last_used = last_used_of(fields)
    last_used_at, last_used_region = (last_used.at, last_used.region) if last_used else (None, None)
    profiles = fields.get("InstanceProfileList", ())
    return RoleRecord(
        aws_id=text(fields, "RoleId"),
        name=text(fields, "RoleName"),
        path=text(fields, "Path"),
        arn=text(fields, "Arn"),
        created_at=moment(text(fields, "CreateDate")),
        tags=tags_of(fields),
        inline=_inline(fields, "RolePolicyList"),
        attached=_attached(fields),
        boundary=_boundary(fields),
        trust=decode_document(text(fields, "AssumeRolePolicyDocument")),
        instance_profiles=tuple(sorted(_child(profile, "Arn") for profile in profiles)),
        last_used_at=last_used_at,
        last_used_region=last_used_region,
    )


def _version(member: Element) -> PolicyVersionRecord:
    return PolicyVersionRecord(
        version_id=_child(member, "VersionId"),
        document=decode_document(_child(member, "Document")),
        is_default=_child(member, "IsDefaultVersion") == "true",
        created_at=moment(_child(member, "CreateDate")),
    )


def _policy(fields: Fields) -> PolicyRecord:
    arn = text(fields, "Arn")
    return PolicyRecord(
        aws_id=text(fields, "PolicyId"),
        name=text(fields, "PolicyName"),
        path=text(fields, "Path"),
        arn=arn,
        created_at=moment(text(fields, "CreateDate")),
        updated_at=moment(text(fields, "UpdateDate")),
        description=optional(fields, "Description") or "",
        versions=tuple(_version(member) for member in fields["PolicyVersionList"]),
        default_version_id=text(fields, "DefaultVersionId"),
        attachment_count=int(text(fields, "AttachmentCount")),
        boundary_count=int(optional(fields, "PermissionsBoundaryUsageCount") or 0),
        is_attachable=optional(fields, "IsAttachable") != "false",
        is_aws_managed=is_aws_managed(arn),
    )


def is_aws_managed(arn: str) -> bool:
    """Return True for an AWS managed policy, which has "aws" as the account id in its ARN."""
    return arn.split(":", 5)[4] == "aws"


_DECODERS: dict[str, Callable[[Fields], Record]] = {
    "user": _user,
    "group": _group,
    "role": _role,
    "policy": _policy,
}
