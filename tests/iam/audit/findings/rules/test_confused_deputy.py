"""Cases of `confused-deputy`."""

from __future__ import annotations

from iam.audit.findings.rules.confused_deputy import ConfusedDeputy
from tests.iam.audit.findings.rules.site import FALSE, NUMBER, TRUE, cases_of, trusts

SCHEDULER = {"Service": "scheduler.amazonaws.com"}

CASES = {
    "no condition": (lambda site: site.role("r", trusts(SCHEDULER)), TRUE),
    "this account": (
        lambda site: site.role("r", trusts(SCHEDULER, StringEquals={"aws:SourceAccount": NUMBER})),
        FALSE,
    ),
    "a resource of this account": (
        lambda site: site.role(
            "r", trusts(SCHEDULER, ArnLike={"aws:SourceArn": f"arn:aws:scheduler:*:{NUMBER}:schedule/*"})
        ),
        FALSE,
    ),
    "a resource of any account": (
        lambda site: site.role(
            "r", trusts(SCHEDULER, ArnLike={"aws:SourceArn": "arn:aws:scheduler:*:*:schedule/*"})
        ),
        TRUE,
    ),
    "a resource of any account, on behalf of this one": (
        lambda site: site.role(
            "r",
            trusts(
                SCHEDULER,
                ArnLike={"aws:SourceArn": "arn:aws:scheduler:*:*:schedule/*"},
                StringEquals={"aws:SourceAccount": NUMBER},
            ),
        ),
        FALSE,
    ),
    "an account by a pattern": (
        lambda site: site.role(
            "r", trusts(SCHEDULER, ArnLike={"aws:SourceArn": "arn:aws:scheduler:eu-west-1:????????????:*"})
        ),
        TRUE,
    ),
    "any account": (
        lambda site: site.role("r", trusts(SCHEDULER, StringLike={"aws:SourceAccount": "*"})),
        TRUE,
    ),
    "SMS messages": (lambda site: site.role("r", trusts({"Service": "sms-voice.amazonaws.com"})), TRUE),
    "SNS isn't documented to send one": (
        lambda site: site.role("r", trusts({"Service": "sns.amazonaws.com"})),
        FALSE,
    ),
    "EC2 sends no such key": (lambda site: site.role(), FALSE),
}
test_cases = cases_of(ConfusedDeputy(), CASES)
