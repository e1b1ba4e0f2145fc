"""Cases of `instance-role-can-escalate`."""

from __future__ import annotations

from iam.audit.findings.rules.instance_role_can_escalate import InstanceRoleCanEscalate
from iam.mirror.models import Kind
from tests.iam.audit.findings.rules.site import FALSE, FULL, TRUE, Site, cases_of


def instance(site: Site, role: int | None = None, **attrs: str) -> int:
    shape = {"HttpEndpoint": "enabled", "HttpTokens": "required"} | attrs
    number = site.entity(Kind.INSTANCE, "node", category="running", attrs=shape)
    if role is not None:
        profile = site.entity(Kind.INSTANCE_PROFILE, "profile")
        site.running[number], site.profiles[profile] = [profile], [role]
    return number


def admin(site: Site) -> int:
    role = site.role()
    site.policy("Admin", FULL, to=(role,))
    return role


CASES = {
    "administrator": (lambda site: instance(site, admin(site)), TRUE),
    "less": (lambda site: instance(site, site.role()), FALSE),
    "an administrator role without an instance": (lambda site: admin(site), FALSE),
}
test_cases = cases_of(InstanceRoleCanEscalate(), CASES)
