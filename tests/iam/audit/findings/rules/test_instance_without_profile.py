"""Cases of `instance-without-profile`."""

from __future__ import annotations

from iam.audit.findings.rules.instance_without_profile import InstanceWithoutProfile
from iam.mirror.models import Kind
from tests.iam.audit.findings.rules.site import FALSE, TRUE, UNREAD, Site, cases_of


def instance(site: Site, role: int | None = None, **attrs: str) -> int:
    shape = {"HttpEndpoint": "enabled", "HttpTokens": "required"} | attrs
    number = site.entity(Kind.INSTANCE, "node", category="running", attrs=shape)
    if role is not None:
        profile = site.entity(Kind.INSTANCE_PROFILE, "profile")
        site.running[number], site.profiles[profile] = [profile], [role]
    return number


CASES = {
    "none": (lambda site: instance(site), TRUE),
    "one": (lambda site: instance(site, site.role()), FALSE),
    "terminated": (lambda site: site.entity(Kind.INSTANCE, "node", category="terminated"), FALSE),
    "not read": (lambda site: site.unsynced.add("instances"), UNREAD),
}
test_cases = cases_of(InstanceWithoutProfile(), CASES)
