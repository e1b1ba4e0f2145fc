"""Cases of `api-key-without-expiry`."""

from __future__ import annotations

from typing import Any

from iam.audit.findings.rules.api_key_without_expiry import ApiKeyWithoutExpiry
from iam.mirror.models import Kind
from tests.iam.audit.findings.rules.site import FALSE, TRUE, UNREAD, Site, cases_of


def key(
    service: str = "bedrock", *, user: str = "maya", status: str = "Active", ends: str | None = None
) -> Any:
    def state(site: Site) -> None:
        site.user("maya")
        attrs = {"ServiceName": f"{service}.amazonaws.com", "UserName": user, "ExpirationDate": ends}
        site.entity(Kind.SERVICE_CREDENTIAL, "maya-at-111111111111", category=status, attrs=attrs)

    return state


CASES = {
    "Bedrock, without an end": (key(), TRUE),
    "CloudWatch Logs, without an end": (key("logs"), TRUE),
    "with an end": (key(ends="2027-01-29T00:00:00Z"), FALSE),
    "inactive": (key(status="Inactive"), FALSE),
    "CodeCommit, whose passwords can’t have an end": (key("codecommit"), FALSE),
    "Keyspaces, too": (key("cassandra"), FALSE),
    "of a user who is gone": (key(user="otto"), FALSE),
    "not read": (lambda site: site.unsynced.add("service_credentials"), UNREAD),
}
test_cases = cases_of(ApiKeyWithoutExpiry(), CASES)
