"""Profiles and trust anchors of IAM Roles Anywhere in some Regions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from iam.aws.calls import build_all
from iam.aws.reads.pages import token_pages
from iam.aws.reads.regional import read_regions
from iam.aws.session import Aws


@dataclass(frozen=True, slots=True)
class RolesAnywhereProfile:
    """A profile with the roles that a certificate can get. `session_policy` is the text of the policy that
    limits the sessions, "" if there is none. `mappings` are the specifiers of each certificate field that
    become session tags; empty if AWS returns none, which means all.
    """

    profile_id: str
    arn: str
    region: str
    name: str
    is_enabled: bool
    role_arns: tuple[str, ...]
    session_policy: str
    managed_policy_arns: tuple[str, ...]
    duration_seconds: int | None
    accepts_session_name: bool
    mappings: dict[str, tuple[str, ...]]
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class TrustAnchor:
    """A certificate authority that Roles Anywhere trusts. `source` is its type, for example
    CERTIFICATE_BUNDLE.
    """

    anchor_id: str
    arn: str
    region: str
    name: str
    is_enabled: bool
    source: str
    created_at: datetime | None


def list_profiles(aws: Aws, *, regions: Iterable[str]) -> tuple[RolesAnywhereProfile, ...]:
    """Return all profiles of the Regions. One call for each Region and page; AwsError if one fails.
    https://docs.aws.amazon.com/rolesanywhere/latest/APIReference/API_ListProfiles.html
    """
    profiles: list[RolesAnywhereProfile] = []
    for region, rows in read_regions(aws, "rolesanywhere", regions=regions, read=_profiles_of):
        profiles += build_all(rows, partial(_profile, region=region), action="rolesanywhere:ListProfiles")
    return tuple(profiles)


def list_trust_anchors(aws: Aws, *, regions: Iterable[str]) -> tuple[TrustAnchor, ...]:
    """Return all trust anchors of the Regions. One call for each Region and page; AwsError if one fails.
    https://docs.aws.amazon.com/rolesanywhere/latest/APIReference/API_ListTrustAnchors.html
    """
    anchors: list[TrustAnchor] = []
    for region, rows in read_regions(aws, "rolesanywhere", regions=regions, read=_anchors_of):
        anchors += build_all(rows, partial(_anchor, region=region), action="rolesanywhere:ListTrustAnchors")
    return tuple(anchors)


def _profiles_of(client: Any) -> list[Mapping[str, Any]]:
    return list(token_pages(client, "ListProfiles", key="profiles", paged_by="nextToken"))


def _anchors_of(client: Any) -> list[Mapping[str, Any]]:
    return list(token_pages(client, "ListTrustAnchors", key="trustAnchors", paged_by="nextToken"))


def _profile(row: Mapping[str, Any], *, region: str) -> RolesAnywhereProfile:
    mappings = {}
    for mapping in row.get("attributeMappings") or ():
        specifiers = [str(rule["specifier"]) for rule in mapping.get("mappingRules") or ()]
        mappings[str(mapping["certificateField"])] = tuple(sorted(specifiers))
    return RolesAnywhereProfile(
        profile_id=row["profileId"],
        arn=row["profileArn"],
        region=region,
        name=row["name"],
        is_enabled=bool(row.get("enabled")),
        role_arns=tuple(sorted(row.get("roleArns") or ())),
        session_policy=str(row.get("sessionPolicy") or ""),
        managed_policy_arns=tuple(sorted(row.get("managedPolicyArns") or ())),
        duration_seconds=row.get("durationSeconds"),
        accepts_session_name=bool(row.get("acceptRoleSessionName")),
        mappings=mappings,
        created_at=row.get("createdAt"),
    )


def _anchor(row: Mapping[str, Any], *, region: str) -> TrustAnchor:
    return TrustAnchor(
        anchor_id=row["trustAnchorId"],
        arn=row["trustAnchorArn"],
        region=region,
        name=row["name"],
        is_enabled=bool(row.get("enabled")),
        source=str((row.get("source") or {}).get("sourceType") or ""),
        created_at=row.get("createdAt"),
    )
