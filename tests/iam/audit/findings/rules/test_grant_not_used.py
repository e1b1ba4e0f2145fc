"""Cases of `grant-not-used`; tests/iam/access/grants/test_unused_grants.py has those of the grants."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from iam.access.grants.unused_grants import UnusedGrant
from iam.activity.sources.covered_accounts import CoverageGrade
from iam.audit.findings.facts import RecordedCalls
from iam.audit.findings.rules.grant_not_used import GrantNotUsed
from tests.iam.audit.findings.rules.site import (
    CONDITIONAL,
    FALSE,
    PREFIX,
    TRUE,
    UNREAD,
    Site,
    answer_of,
    cases_of,
    days,
)

KOFI = f"{PREFIX}user/kofi"


def grant(
    site: Site,
    *,
    is_unused: bool | None = True,
    unrecorded: tuple[str, ...] = (),
    coverage: CoverageGrade = CoverageGrade.COMPLETE,
) -> None:
    row: Any = UnusedGrant(UUID(int=7), 7, "Read", "GRT-00000000", days(200), (KOFI,), is_unused, unrecorded)
    site.unused_grants = (row,)
    site.last_calls = RecordedCalls({}, coverage)


CASES = {
    "not used": (grant, TRUE),
    "not used, and a part of it isn’t recorded": (
        lambda site: grant(site, unrecorded=("s3:GetObject*", "s3:PutObject*")),
        CONDITIONAL,
    ),
    "not used, by files that may not be all": (
        lambda site: grant(site, coverage=CoverageGrade.PARTLY_KNOWN),
        CONDITIONAL,
    ),
    "no grant that wasn’t used": (lambda site: site.user(), FALSE),
    "can’t be told": (lambda site: grant(site, is_unused=None), UNREAD),
    "policies not synced": (lambda site: (grant(site), site.unsynced.add("policies")), UNREAD),
}
test_cases = cases_of(GrantNotUsed(), CASES)


def test_the_finding_names_the_grant_who_has_it_and_what_isnt_recorded() -> None:
    _, computed = answer_of(GrantNotUsed(), CASES["not used, and a part of it isn’t recorded"][0])
    (finding,) = computed.findings.values()
    values = finding.values
    assert (values["name"], values["related"], values["affected"]) == ("Read", [KOFI], 1)
    assert values["evidence"]["grant"] == "GRT-00000000"
    assert values["fix"]["page"] == "grant"
    assert values["reasons"] == ["the trail doesn’t record s3:GetObject* and 1 more of its actions"]
