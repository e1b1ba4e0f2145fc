"""Cases of `role-sign-in-over-12-hours`."""

from __future__ import annotations

from typing import Any

from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rules.role_sign_in_over_12_hours import RoleSignInOver12Hours
from tests.iam.audit.findings.rules.site import FALSE, FULL, TRUE, UNREAD, Build, Site, answer_of, cases_of

LINKED = "arn:aws:iam::111111111111:role/aws-service-role/sso.amazonaws.com/AWSServiceRoleForSSO"


def role(seconds: int | None, *, name: str = "app", **fields: Any) -> Build:
    return lambda site: site.role(name, attrs={"MaxSigninSessionDuration": seconds}, **fields)


def unsynced(site: Site) -> None:
    role(86_400)(site)
    site.unsynced.add("role_list")


CASES = {
    "90 days": (role(7_776_000), TRUE),
    "a second more than 12 hours": (role(43_201), TRUE),
    "12 hours": (role(43_200), FALSE),
    "not set": (role(None), FALSE),
    "Gatehouse’s own": (role(86_400, name="gatehouse-writer"), FALSE),
    "service-linked": (role(86_400, arn=LINKED), FALSE),
    "no roles": (lambda site: site.user(), FALSE),
    "synced before Gatehouse read it": (lambda site: site.role(attrs={"MaxSessionDuration": 3600}), UNREAD),
    "settings not synced": (unsynced, UNREAD),
}
test_cases = cases_of(RoleSignInOver12Hours(), CASES)


def administrator(site: Site) -> None:
    site.policy("Everything", FULL, to=(site.role("boss", attrs={"MaxSigninSessionDuration": 86_400}),))


def test_an_administrator_is_worse() -> None:
    severities = {}
    for name, build in (("app", role(86_400)), ("boss", administrator)):
        _, computed = answer_of(RoleSignInOver12Hours(), build)
        [finding] = computed.findings.values()
        severities[name] = finding.values["severity"]
        assert finding.values["evidence"]["sign_in_sessions"] == "At most 24 hours"
    assert severities == {"app": FindingSeverity.MEDIUM, "boss": FindingSeverity.HIGH}
