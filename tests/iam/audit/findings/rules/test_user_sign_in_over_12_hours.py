"""Cases of `user-sign-in-over-12-hours`."""

from __future__ import annotations

from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rules.user_sign_in_over_12_hours import UserSignInOver12Hours
from tests.iam.audit.findings.rules.site import FALSE, FULL, TRUE, UNREAD, Build, Site, answer_of, cases_of


def user(seconds: int | None, *, password: bool | None = True, is_administrator: bool = False) -> Build:
    """A user whose sign-in sessions have a limit; 0: not set, None: not read."""

    def build(site: Site) -> None:
        number = site.user(password=password)
        site.credentials[number] = site.credentials[number]._replace(max_sign_in=seconds)
        if is_administrator:
            site.policy("Everything", FULL, to=(number,))

    return build


def unsynced(site: Site) -> None:
    user(86_400)(site)
    site.unsynced.add("login_profiles")


CASES = {
    "90 days": (user(7_776_000), TRUE),
    "a second more than 12 hours": (user(43_201), TRUE),
    "12 hours": (user(43_200), FALSE),
    "not set": (user(0), FALSE),
    "no console password": (user(None, password=False), FALSE),
    "not read yet": (user(None), UNREAD),
    "whether there is a password isn’t known": (user(None, password=None), UNREAD),
    "passwords not synced": (unsynced, UNREAD),
}
test_cases = cases_of(UserSignInOver12Hours(), CASES)


def test_an_administrator_is_worse() -> None:
    severities = []
    for is_administrator in (False, True):
        _, computed = answer_of(UserSignInOver12Hours(), user(2_592_000, is_administrator=is_administrator))
        [finding] = computed.findings.values()
        severities.append(finding.values["severity"])
        assert finding.values["evidence"]["sign_in_sessions"] == "At most 30 days"
    assert severities == [FindingSeverity.MEDIUM, FindingSeverity.HIGH]
