"""Cases of `stop-logging-on-everything`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from iam.audit.findings.rules.stop_logging_on_everything import ACTIONS, StopLoggingOnEverything
from tests.iam.audit.findings.rules.site import (
    CONDITIONAL,
    FALSE,
    FULL,
    MFA,
    NUMBER,
    TRUE,
    Site,
    allow,
    answer_of,
    cases_of,
)

STOP = "cloudtrail:StopLogging"
DENY_STOP = {"Effect": "Deny", "Action": STOP, "Resource": "*"}
TAGGED = {"StringEquals": {"aws:ResourceTag/team": "tests"}}
TAGGED_OR_NOT = {"StringEqualsIfExists": {"aws:ResourceTag/team": "tests"}}


def held(*statements: Any) -> Callable[[Site], object]:
    return lambda site: site.policy("P", *statements, to=(site.user(),))


def denied_by_scp(site: Site) -> None:
    held(allow([STOP, "cloudtrail:DeleteTrail"]))(site)
    site.scp(FULL, {"Effect": "Deny", "Action": ["cloudtrail:Stop*", "cloudtrail:Delete*"], "Resource": "*"})


def of_administrator(site: Site) -> None:
    user = site.user()
    site.policy("All", FULL, to=(user,))
    site.policy("P", allow(STOP), to=(user,))


def inline_of_group(site: Site) -> None:
    site.inlined(site.group("auditors", site.user()), "P", allow(STOP))


def on(pattern: str) -> Callable[[Site], object]:
    return held(allow(STOP, f"arn:aws:cloudtrail:{pattern}"))


CASES = {
    "stop": (held(allow(STOP)), TRUE),
    "delete": (held(allow("cloudtrail:DeleteTrail")), TRUE),
    "update": (held(allow("cloudtrail:UpdateTrail")), TRUE),
    "leave events out": (held(allow("cloudtrail:PutEventSelectors")), TRUE),
    "in other letters, among others": (held(allow(["s3:ListBucket", "CloudTrail:stoplogging"])), TRUE),
    "by a pattern": (held(allow("cloudtrail:Stop*")), TRUE),
    "every action on all trails of the account": (
        held(allow("cloudtrail:*", f"arn:aws:cloudtrail:*:{NUMBER}:trail/*")),
        TRUE,
    ),
    "all trails of any account": (on("*:*:trail/*"), TRUE),
    "all trails of one Region": (on(f"eu-central-1:{NUMBER}:trail/*"), TRUE),
    "all trails of some Regions": (on("eu-*:*:*"), TRUE),
    "inline, of a group": (inline_of_group, TRUE),
    "everything but a bucket": (
        held({"Effect": "Allow", "Action": STOP, "NotResource": "arn:aws:s3:::evidence"}),
        TRUE,
    ),
    "everything but a trail": (
        held(
            {
                "Effect": "Allow",
                "Action": STOP,
                "NotResource": f"arn:aws:cloudtrail:*:{NUMBER}:trail/organization",
            }
        ),
        FALSE,
    ),
    "with MFA": (held(allow(STOP, Condition=MFA)), CONDITIONAL),
    "trails with a tag, or with none": (held(allow(STOP, Condition=TAGGED_OR_NOT)), CONDITIONAL),
    "trails with a tag": (held(allow(STOP, Condition=TAGGED)), FALSE),
    "one denied, the other not": (held(allow([STOP, "cloudtrail:DeleteTrail"]), DENY_STOP), TRUE),
    "denied": (held(allow(STOP), DENY_STOP), FALSE),
    "denied by an SCP": (denied_by_scp, FALSE),
    "one trail": (on(f"us-east-1:{NUMBER}:trail/tests"), FALSE),
    "trails by a prefix": (on(f"*:{NUMBER}:trail/tests-*"), FALSE),
    "another account": (on("*:333333333333:trail/*"), FALSE),
    "another type": (held(allow(STOP, f"arn:aws:cloudtrail:*:{NUMBER}:channel/*")), FALSE),
    "only read": (held(allow(["cloudtrail:Describe*", "cloudtrail:LookupEvents", "cloudtrail:Get*"])), FALSE),
    "only deny": (held(DENY_STOP), FALSE),
    "full access is another kind": (held(allow("cloudtrail:*")), FALSE),
    "everything is another kind": (held(FULL), FALSE),
    "an administrator anyway": (of_administrator, FALSE),
    "AWS managed": (lambda site: site.policy("P", allow(STOP), to=(site.user(),), aws=True), FALSE),
    "unattached": (lambda site: site.policy("P", allow(STOP)), FALSE),
}
test_cases = cases_of(StopLoggingOnEverything(), CASES)


@pytest.mark.parametrize("wide", ACTIONS, ids=lambda wide: wide.action)
def test_the_evidence_names_what_comes_true(wide: Any) -> None:
    _, computed = answer_of(StopLoggingOnEverything(), held(allow("cloudtrail:*Trail"), allow(wide.action)))
    (finding,) = computed.findings.values()
    expected = {"cloudtrail:DeleteTrail", "cloudtrail:UpdateTrail", wide.action}
    assert set(finding.values["evidence"]["actions"]) == expected
