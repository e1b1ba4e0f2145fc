"""Delegation requests for the cases of the rules about them."""

from __future__ import annotations

from typing import Any

from iam.mirror.models import Kind
from tests.iam.audit.findings.rules.site import Build, Site, allow, days


def delegation(state: str, *statements: dict[str, Any], ends: float = -3, **attrs: Any) -> Build:
    """A delegation request of a vendor that ends so many days ago."""

    def build(site: Site) -> None:
        given = statements or (allow("s3:ListAllMyBuckets"),)
        shape = {
            "RequestorId": "333333333333",
            "Description": "Set up monitoring",
            "OwnerId": "arn:aws:iam::111111111111:user/maya",
            "ApproverId": "",
            "SessionDuration": 7200,
            "ExpirationTime": days(ends).isoformat().replace("+00:00", "Z"),
        }
        site.entity(
            Kind.DELEGATION_REQUEST,
            "Vendor",
            category=state,
            document=site.document(*given),
            attrs=shape | attrs,
            created_at=days(4),
        )

    return build


def unsynced(site: Site) -> None:
    for state in ("ASSIGNED", "ACCEPTED"):
        delegation(state)(site)
    site.unsynced.add("delegation_requests")
