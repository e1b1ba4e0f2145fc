"""Cases of `roles-anywhere-profile-unrestricted`."""

from __future__ import annotations

import json
from typing import Any

from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rules.roles_anywhere_profile_unrestricted import RolesAnywhereProfileUnrestricted
from iam.mirror.models import Kind
from tests.iam.audit.findings.rules.site import (
    CONDITIONAL,
    FALSE,
    FULL,
    NUMBER,
    OUTSIDE,
    PREFIX,
    TRUE,
    UNREAD,
    Site,
    allow,
    answer_of,
    cases_of,
    trusts,
)

REGION = "eu-west-1"
ANCHOR = f"arn:aws:rolesanywhere:{REGION}:{NUMBER}:trust-anchor/1111"
SERVICE = {"Service": "rolesanywhere.amazonaws.com"}
ACTIONS: Any = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]
OU, CN = "aws:PrincipalTag/x509Subject/OU", "aws:PrincipalTag/x509Subject/CN"
SAN, ISSUER = "aws:PrincipalTag/x509SAN/DNS", "aws:PrincipalTag/x509Issuer/CN"


def anywhere(action: Any = ACTIONS, effect: str = "Allow", **condition: Any) -> dict[str, Any]:
    """A trust in Roles Anywhere."""
    return trusts(SERVICE, action=action, effect=effect, **condition)


def anchor(site: Site, *, category: str = "enabled", region: str = REGION) -> None:
    site.entity(Kind.TRUST_ANCHOR, "ca", category=category, attrs={"Region": region})


def profile(site: Site, *roles: str, category: str = "enabled", limit: Any = None, **attrs: Any) -> int:
    """A profile with roles by ARN, and a trust anchor."""
    anchor(site)
    document = site.document(*limit) if limit else None
    shape = {"Region": REGION, "RoleArns": list(roles), "ManagedPolicyArns": []} | attrs
    return site.entity(Kind.ANYWHERE_PROFILE, "depot", category=category, attrs=shape, document=document)


def role(site: Site, *trust: dict[str, Any], name: str = "depot") -> str:
    """The ARN of a role with this trust."""
    site.role(name, *(trust or (anywhere(),)))
    return f"{PREFIX}role/{name}"


def given_by(*trust: dict[str, Any], **more: Any) -> Any:
    """A profile with one role of this trust."""
    return lambda site: profile(site, role(site, *trust), **more)


def without_anchor(site: Site, **anchor_fields: str) -> None:
    arn = role(site)
    shape = {"Region": REGION, "RoleArns": [arn]}
    site.entity(Kind.ANYWHERE_PROFILE, "depot", category="enabled", attrs=shape)
    if anchor_fields:
        anchor(site, **anchor_fields)


def with_managed(site: Site, *statements: dict[str, Any]) -> None:
    site.policy("Limit", *statements)
    profile(site, role(site), ManagedPolicyArns=[f"{PREFIX}policy/Limit"])


def roles_unsynced(site: Site) -> None:
    site.unsynced.add("roles")
    profile(site, f"{PREFIX}role/unseen")


CASES = {
    "no condition": (given_by(), TRUE),
    "one of two roles": (
        lambda site: profile(
            site, role(site), role(site, anywhere(StringEquals={OU: "depot"}), name="limited")
        ),
        TRUE,
    ),
    "an organizational unit": (given_by(anywhere(StringEquals={OU: "depot"})), FALSE),
    "an issuer": (given_by(anywhere(StringLike={ISSUER: "depot-*"})), FALSE),
    "a name of the host, in other letters": (
        given_by(anywhere(StringEquals={SAN.lower(): "depot.example"})),
        FALSE,
    ),
    "any organizational unit": (given_by(anywhere(StringLike={OU: "*"})), TRUE),
    "all but one common name": (given_by(anywhere(StringNotEquals={CN: "old-host"})), TRUE),
    "certificates without the attribute": (given_by(anywhere(StringEqualsIfExists={OU: "depot"})), TRUE),
    "a trust anchor": (given_by(anywhere(ArnEquals={"aws:SourceArn": ANCHOR})), FALSE),
    "any trust anchor": (
        given_by(anywhere(ArnLike={"aws:SourceArn": f"arn:aws:rolesanywhere:*:{NUMBER}:trust-anchor/*"})),
        TRUE,
    ),
    "this account": (given_by(anywhere(StringEquals={"aws:SourceAccount": NUMBER})), TRUE),
    "the source identity": (given_by(anywhere(StringEquals={"sts:SourceIdentity": "depot-1"})), FALSE),
    "a Deny for all other certificates": (
        given_by(anywhere(), anywhere(effect="Deny", StringNotEquals={OU: "depot"})),
        FALSE,
    ),
    "a condition that the certificate doesn't decide": (
        given_by(anywhere(IpAddress={"aws:SourceIp": "192.0.2.0/24"})),
        CONDITIONAL,
    ),
    "an action that Roles Anywhere needs is missing": (given_by(anywhere("sts:AssumeRole")), FALSE),
    "another service": (given_by(trusts({"Service": "ec2.amazonaws.com"})), FALSE),
    "a disabled profile": (given_by(category="disabled"), FALSE),
    "no trust anchor": (lambda site: without_anchor(site), FALSE),
    "a disabled trust anchor": (lambda site: without_anchor(site, category="disabled"), FALSE),
    "a trust anchor of another Region": (lambda site: without_anchor(site, region="us-east-1"), FALSE),
    "a session policy": (given_by(limit=[allow("s3:GetObject")]), FALSE),
    "a session policy that allows everything": (given_by(limit=[FULL]), TRUE),
    "a session policy that allows everything but IAM": (
        given_by(limit=[FULL, allow("iam:*") | {"Effect": "Deny"}]),
        FALSE,
    ),
    "a managed session policy": (lambda site: with_managed(site, allow("s3:GetObject")), FALSE),
    "a managed session policy that allows everything": (lambda site: with_managed(site, FULL), TRUE),
    "AdministratorAccess as session policy": (
        given_by(ManagedPolicyArns=["arn:aws:iam::aws:policy/AdministratorAccess"]),
        TRUE,
    ),
    "a managed session policy that isn't known": (
        given_by(ManagedPolicyArns=["arn:aws:iam::aws:policy/ReadOnlyAccess"]),
        FALSE,
    ),
    "an attribute that the profile doesn't map": (
        given_by(
            anywhere(StringEqualsIfExists={OU: "depot"}, StringEquals={CN: "a"}),
            AttributeMappings={"x509Subject": ["CN"]},
        ),
        FALSE,
    ),
    "a role that doesn't exist": (lambda site: profile(site, f"{PREFIX}role/deleted"), FALSE),
    "a role of another account": (lambda site: profile(site, f"arn:aws:iam::{OUTSIDE}:role/x"), CONDITIONAL),
    "roles were not synced": (roles_unsynced, CONDITIONAL),
    "not synced": (lambda site: site.unsynced.add("roles_anywhere"), UNREAD),
}
test_cases = cases_of(RolesAnywhereProfileUnrestricted(), CASES)


def found(build: Any) -> dict[str, Any]:
    _, computed = answer_of(RolesAnywhereProfileUnrestricted(), build)
    (finding,) = computed.findings.values()
    return dict(finding.values)


def test_an_administrator_is_worse_and_long_sessions_are_said() -> None:
    def build(site: Site) -> None:
        arn = role(site)
        site.policy("Admin", FULL, to=(1,))
        profile(site, arn, DurationSeconds=43200, AcceptRoleSessionName=True)

    values = found(build)
    assert values["severity"] == FindingSeverity.HIGH
    evidence = values["evidence"]
    assert (evidence["roles"], evidence["administrators"]) == (["depot"], ["depot"])
    assert (evidence["trust_anchors"], evidence["region"]) == (["ca"], REGION)
    assert evidence["session_duration"] == "12 hours"
    assert evidence["accepts_session_names"] is True


def test_an_hour_and_names_that_aws_chooses_are_not_worth_a_word() -> None:
    values = found(given_by(DurationSeconds=3600, AcceptRoleSessionName=False))
    assert values["severity"] == FindingSeverity.MEDIUM
    assert "session" not in json.dumps(values["evidence"]).replace("session_policy", "")
