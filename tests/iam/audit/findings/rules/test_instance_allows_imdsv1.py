"""Cases of `instance-allows-imdsv1`."""

from __future__ import annotations

from iam.audit.findings.rules.instance_allows_imdsv1 import InstanceAllowsImdsv1
from iam.mirror.models import Kind
from tests.iam.audit.findings.rules.site import FALSE, TRUE, Site, cases_of


def instance(site: Site, role: int | None = None, **attrs: str) -> int:
    shape = {"HttpEndpoint": "enabled", "HttpTokens": "required"} | attrs
    number = site.entity(Kind.INSTANCE, "node", category="running", attrs=shape)
    if role is not None:
        profile = site.entity(Kind.INSTANCE_PROFILE, "profile")
        site.running[number], site.profiles[profile] = [profile], [role]
    return number


CASES = {
    "optional": (lambda site: instance(site, HttpTokens="optional"), TRUE),
    "required": (lambda site: instance(site), FALSE),
    "off": (lambda site: instance(site, HttpTokens="optional", HttpEndpoint="disabled"), FALSE),
}
test_cases = cases_of(InstanceAllowsImdsv1(), CASES)
