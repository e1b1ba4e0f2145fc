"""IAM's XML, element by element and entity by entity."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from tests.bench.fakeaws.ids import BASE_ACCOUNT

Fact = dict[str, Any]


def x(tag: str, value: object) -> str:
    """One element; None gives nothing, booleans and numbers as AWS writes them."""
    if value is None:
        return ""
    if isinstance(value, bool):
        value = "true" if value else "false"
    return f"<{tag}>{escape(str(value))}</{tag}>"


def doc(tag: str, text: str) -> str:
    """A policy document, percent-encoded."""
    return f"<{tag}>{_quoted(text)}</{tag}>"


@lru_cache(maxsize=4096)
def _quoted(text: str) -> str:
    return quote(text, safe="")


def members(tag: str, items: Iterable[str]) -> str:
    """A list element."""
    return f"<{tag}>{''.join(f'<member>{item}</member>' for item in items)}</{tag}>"


def tags_xml(tags: Mapping[str, str]) -> str:
    """The tags of an entity."""
    return members("Tags", (x("Key", key) + x("Value", value) for key, value in tags.items()))


def attached_xml(attached: Iterable[tuple[str, str]], tag: str = "AttachedManagedPolicies") -> str:
    """(name, ARN) of attached policies."""
    return members(tag, (x("PolicyName", name) + x("PolicyArn", arn) for name, arn in attached))


def boundary_xml(arn: str | None) -> str:
    """The permissions boundary, or nothing."""
    if not arn:
        return ""
    inner = x("PermissionsBoundaryType", "Policy") + x("PermissionsBoundaryArn", arn)
    return f"<PermissionsBoundary>{inner}</PermissionsBoundary>"


def head_xml(e: Fact, kind: str) -> str:
    """What every principal begins with; kind is "User", "Group" or "Role"."""
    return (
        x("Path", e["path"])
        + x(f"{kind}Name", e["name"])
        + x(f"{kind}Id", e["id"])
        + x("Arn", e["arn"])
        + x("CreateDate", e["created"])
    )


def inline_xml(tag: str, inline: Iterable[tuple[str, str]]) -> str:
    """Inline policies with their documents."""
    return members(tag, (x("PolicyName", name) + doc("PolicyDocument", text) for name, text in inline))


def role_short(e: Fact, full: bool = False) -> str:
    """A role as ListRoles has it, or as GetRole (full)."""
    text = (
        head_xml(e, "Role")
        + doc("AssumeRolePolicyDocument", e["trust"])
        + x("Description", e["desc"])
        + x("MaxSessionDuration", 3600)
        + x("MaxSigninSessionDuration", e.get("max_sign_in"))
    )
    return text + boundary_xml(e["boundary"]) + tags_xml(e["tags"]) + last_used(e) if full else text


def last_used(e: Fact) -> str:
    """When a role was last used; an empty element when never."""
    inner = x("LastUsedDate", e["used"]) + x("Region", "eu-west-1") if e["used"] else ""
    return f"<RoleLastUsed>{inner}</RoleLastUsed>"


def profile_xml(e: Fact, profile: tuple[str, str, str]) -> str:
    """The instance profile of a role."""
    name, profile_id, created = profile
    return (
        x("Path", "/")
        + x("InstanceProfileName", name)
        + x("InstanceProfileId", profile_id)
        + x("Arn", f"arn:aws:iam::{BASE_ACCOUNT}:instance-profile/{name}")
        + x("CreateDate", created)
        + members("Roles", [role_short(e)])
    )


def gaad_user(e: Fact) -> str:
    """A user of GetAccountAuthorizationDetails."""
    return (
        head_xml(e, "User")
        + members("GroupList", map(escape, e["groups"]))
        + attached_xml(e["attached"])
        + boundary_xml(e["boundary"])
        + (inline_xml("UserPolicyList", e["inline"]) if e["inline"] else "")
        + tags_xml(e["tags"])
    )


def gaad_group(e: Fact) -> str:
    """A group of GetAccountAuthorizationDetails."""
    return head_xml(e, "Group") + attached_xml(e["attached"]) + inline_xml("GroupPolicyList", e["inline"])


def gaad_role(e: Fact) -> str:
    """A role of GetAccountAuthorizationDetails."""
    return (
        head_xml(e, "Role")
        + doc("AssumeRolePolicyDocument", e["trust"])
        + members("InstanceProfileList", (profile_xml(e, profile) for profile in e["profiles"]))
        + inline_xml("RolePolicyList", e["inline"])
        + attached_xml(e["attached"])
        + boundary_xml(e["boundary"])
        + tags_xml(e["tags"])
        + last_used(e)
    )


def policy_head(p: Fact) -> str:
    """A managed policy without its versions."""
    return (
        x("PolicyName", p["name"])
        + x("PolicyId", p["id"])
        + x("Arn", p["arn"])
        + x("Path", p["path"])
        + x("DefaultVersionId", p["default"])
        + x("AttachmentCount", p["attached"])
        + x("PermissionsBoundaryUsageCount", p["bounds"])
        + x("IsAttachable", True)
        + x("CreateDate", p["created"])
        + x("UpdateDate", p["updated"])
    )


def version_xml(p: Fact, version: tuple[str, str, str]) -> str:
    """One version of a policy."""
    version_id, text, created = version
    return (
        doc("Document", text)
        + x("VersionId", version_id)
        + x("IsDefaultVersion", version_id == p["default"])
        + x("CreateDate", created)
    )


def gaad_policy(p: Fact) -> str:
    """A managed policy of GetAccountAuthorizationDetails."""
    versions = (version_xml(p, version) for version in p["versions"])
    return policy_head(p) + x("Description", p["desc"] or None) + members("PolicyVersionList", versions)


def user_xml(e: Fact, full: bool = False) -> str:
    """A user as ListUsers has it, or as GetUser (full)."""
    text = head_xml(e, "User") + x("PasswordLastUsed", e["pw_used"])
    return text + boundary_xml(e["boundary"]) + tags_xml(e["tags"]) if full else text
