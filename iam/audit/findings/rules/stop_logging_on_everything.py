"""Someone can stop every trail."""

from __future__ import annotations

from typing import Final

from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.wide_actions import WideAction, WideActionRule, remove_wide_actions

TRAIL: Final = "cloudtrail:{region}:{account}:trail/gatehouse-any-trail"
ACTIONS: Final = (
    WideAction("cloudtrail:StopLogging", TRAIL),
    WideAction("cloudtrail:DeleteTrail", TRAIL),
    WideAction("cloudtrail:UpdateTrail", TRAIL),
    WideAction("cloudtrail:PutEventSelectors", TRAIL),
)


class StopLoggingOnEverything(WideActionRule):
    """Covers the actions that end the record of a trail, or leave events out of it. Full access to CloudTrail
    on everything is `full-access-to-service`.

    A statement on named trails is left out, because someone chose them.
    Source: "Actions, resources, and condition keys for AWS CloudTrail".
    """

    kind = "stop-logging-on-everything"
    severity = FindingSeverity.MEDIUM
    title = "Every trail can be stopped"
    sentence = "A policy allows stopping, deleting or changing every CloudTrail trail."
    risk = "Anyone who has it, or takes it over, can hide what they do afterwards."
    remedy = "Remove the actions, or name the trails in Resource. An SCP can deny them to everyone else."
    fix_request = FixRequest("Remove actions", remove_wide_actions(ACTIONS))
    actions = ACTIONS
