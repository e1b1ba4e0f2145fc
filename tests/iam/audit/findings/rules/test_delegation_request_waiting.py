"""Cases of `delegation-request-waiting`."""

from __future__ import annotations

from iam.audit.findings.rules.delegation_request_waiting import DelegationRequestWaiting
from tests.iam.audit.findings.rules.delegation_cases import delegation, unsynced
from tests.iam.audit.findings.rules.site import FALSE, TRUE, UNREAD, answer_of, cases_of

CASES = {
    "without an owner": (delegation("UNASSIGNED"), TRUE),
    "with an owner": (delegation("ASSIGNED"), TRUE),
    "sent to an administrator": (delegation("PENDING_APPROVAL"), TRUE),
    "without an end": (delegation("ASSIGNED", ExpirationTime=None), TRUE),
    "over": (delegation("ASSIGNED", ends=0.1), FALSE),
    "accepted": (delegation("ACCEPTED"), FALSE),
    "token sent": (delegation("FINALIZED"), FALSE),
    "rejected": (delegation("REJECTED"), FALSE),
    "expired": (delegation("EXPIRED"), FALSE),
    "none": (lambda site: site.user(), FALSE),
    "not synced": (unsynced, UNREAD),
}
test_cases = cases_of(DelegationRequestWaiting(), CASES)


def test_it_says_who_asked_for_what_until_when() -> None:
    _, computed = answer_of(DelegationRequestWaiting(), delegation("PENDING_APPROVAL"))
    [finding] = computed.findings.values()
    assert finding.values["name"] == "Vendor"
    evidence = {name: value for name, value in finding.values["evidence"].items() if value}
    assert evidence == {
        "requested_by": "Vendor (account 333333333333)",
        "description": "Set up monitoring",
        "status": "Waits for approval",
        "filed": "2026-11-25T12:00:00+00:00",
        "request_owner": "arn:aws:iam::111111111111:user/maya",
        "session": "At most 2 hours",
        "until": "2026-12-02T12:00:00Z",
        "allows": ["s3:ListAllMyBuckets on *"],
    }
