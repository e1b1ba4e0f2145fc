"""CloudTrail: the events of the simulated AWS's own calls, and the trails of accounts.

https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
"""

from __future__ import annotations

import json
import re
from collections import deque
from datetime import UTC, datetime
from typing import Any

from moto.core.responses import ActionResult, BaseResponse

from console.demo.organisation.specs import TrailSpec
from console.demo.standin import ids
from console.demo.standin.calls import StandinCall
from console.demo.standin.errors import AnswerError, StandinReply
from console.demo.standin.journal import PASSWORDS, SECRETS
from console.demo.standin.overlay import ResponseOverlay
from console.demo.standin.signed_request import is_read

LARGEST_PAGE = 50
KEPT_PER_ACCOUNT = 5000
GLOBAL = {"iam": "us-east-1", "organizations": "us-east-1"}
HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
ERROR_CODE = re.compile(rb"<Code>([^<]+)</Code>|\"__type\": ?\"([^\"]+)\"")


# By account: events with their sequence numbers, the oldest first.
EVENTS: dict[str, deque[tuple[int, dict[str, Any]]]] = {}
TRAILS: dict[str, tuple[TrailSpec, ...]] = {}


def record(call: StandinCall, reply: StandinReply) -> dict[str, Any]:
    """Store a call as CloudTrail does: without secrets, and with an error code if it was refused. Returns the
    event.
    """
    match = ERROR_CODE.search(reply.body) if reply.status >= 400 else None
    code = next((group.decode() for group in match.groups() if group), None) if match else None
    event: dict[str, Any] = {
        "eventVersion": "1.11",
        "userIdentity": _identity(call),
        "eventTime": call.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": f"{call.service}.amazonaws.com",
        "eventName": call.action,
        "awsRegion": GLOBAL.get(call.service, call.region),
        "sourceIPAddress": call.source_ip,
        "userAgent": call.user_agent,
        "requestParameters": _parameters(call.parameters) or None,
        "responseElements": None,
        "requestID": call.request_id,
        "eventID": ids.as_uuid("event", call.request_id),
        "readOnly": is_read(call.action),
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": call.account,
        "eventCategory": "Management",
    }
    if code:
        event["errorCode"] = code
    events = EVENTS.setdefault(call.account, deque(maxlen=KEPT_PER_ACCOUNT))
    events.append((events[-1][0] + 1 if events else 1, event))
    return event


def _identity(call: StandinCall) -> dict[str, Any]:
    caller = call.caller
    identity: dict[str, Any] = {
        "type": caller.kind,
        "principalId": caller.principal_id,
        "arn": caller.arn,
        "accountId": caller.account,
        "accessKeyId": caller.access_key_id,
    }
    if caller.kind == "AssumedRole":
        role = caller.role_arn.rsplit("/", 1)[-1]
        identity["sessionContext"] = {
            "sessionIssuer": {
                "type": "Role",
                "principalId": caller.principal_id.partition(":")[0],
                "arn": caller.role_arn,
                "accountId": caller.account,
                "userName": role,
            },
            "attributes": {"mfaAuthenticated": "false"},
        }
    else:
        identity["userName"] = caller.user_name
    return identity


def _parameters(params: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for name, value in params.items():
        shown[name[:1].lower() + name[1:]] = HIDDEN if name in SECRETS | PASSWORDS else value
    return shown


class CloudTrail(ResponseOverlay, BaseResponse):  # type: ignore[misc]
    """A CloudTrail request."""

    def __init__(self) -> None:
        super().__init__(service_name="cloudtrail")
        self.automated_parameter_parsing = True

    def lookup_events(self) -> ActionResult:
        """List the events of the account in this Region, the newest first, at most 50 per page, filtered by
        lookup attributes.
        """
        size = int(self._get_param("MaxResults") or LARGEST_PAGE)
        if not 1 <= size <= LARGEST_PAGE:
            raise AnswerError("InvalidMaxResultsException", "MaxResults is not between 1 and 50.")
        before = int(self._get_param("NextToken") or 0)
        events = []
        for number, event in reversed(EVENTS.get(self.current_account, ())):
            if before and number >= before:
                continue
            if self._wanted(event):
                events.append((number, event))
        page = events[:size]
        answer: dict[str, Any] = {"Events": [_summary(event) for _, event in page]}
        if len(events) > size:
            answer["NextToken"] = str(page[-1][0])
        return ActionResult(answer)

    def _wanted(self, event: dict[str, Any]) -> bool:
        at = datetime.fromisoformat(event["eventTime"])
        start, end = _moment(self._get_param("StartTime")), _moment(self._get_param("EndTime"))
        if event["awsRegion"] != self.region or (start and at < start) or (end and at > end):
            return False
        summary = _summary(event)
        resources = {r["ResourceName"] for r in summary["Resources"]}
        for attribute in self._get_param("LookupAttributes") or []:
            key, value = attribute["AttributeKey"], attribute["AttributeValue"]
            if key == "ResourceName":
                if value not in resources:
                    return False
            elif str(summary.get(key, "")) != value:
                return False
        return True

    def describe_trails(self) -> ActionResult:
        """List the trails of the account with their settings."""
        return ActionResult({"trailList": [self._trail(t) for t in TRAILS.get(self.current_account, ())]})

    def list_trails(self) -> ActionResult:
        """List the names and ARNs of the account's trails."""
        trails = [
            {"TrailARN": self._arn(t), "Name": t.name, "HomeRegion": t.region}
            for t in TRAILS.get(self.current_account, ())
        ]
        return ActionResult({"Trails": trails})

    def get_trail_status(self) -> ActionResult:
        """Return whether a trail is logging."""
        return ActionResult({"IsLogging": self._named().logging})

    def list_public_keys(self) -> ActionResult:
        """Return no keys, because the simulated AWS signs no digest files."""
        return ActionResult({"PublicKeyList": []})

    def get_event_selectors(self) -> ActionResult:
        """Return which events a trail records: all management events."""
        selector = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": []}
        return ActionResult({"TrailARN": self._arn(self._named()), "EventSelectors": [selector]})

    def _named(self) -> TrailSpec:
        wanted = self._get_param("Name") or self._get_param("TrailName")
        for trail in TRAILS.get(self.current_account, ()):
            if wanted in {trail.name, self._arn(trail)}:
                return trail
        raise AnswerError("TrailNotFoundException", f"Unknown trail: {wanted}")

    def _arn(self, trail: TrailSpec) -> str:
        return f"arn:aws:cloudtrail:{trail.region}:{self.current_account}:trail/{trail.name}"

    def _trail(self, trail: TrailSpec) -> dict[str, Any]:
        return {
            "Name": trail.name,
            "S3BucketName": trail.bucket,
            "IncludeGlobalServiceEvents": True,
            "IsMultiRegionTrail": trail.multi_region,
            "HomeRegion": trail.region,
            "TrailARN": self._arn(trail),
            "LogFileValidationEnabled": trail.validated,
            "KmsKeyId": trail.key,
            "CloudWatchLogsLogGroupArn": trail.log_group,
            "HasCustomEventSelectors": False,
            "IsOrganizationTrail": trail.organisation,
        }


def _moment(value: Any) -> datetime | None:
    if value is None:
        return None
    moment = value if isinstance(value, datetime) else datetime.fromtimestamp(float(value), UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _summary(event: dict[str, Any]) -> dict[str, Any]:
    identity = event["userIdentity"]
    name = identity.get("userName") or identity["arn"].rsplit("/", 1)[-1]
    return {
        "EventId": event["eventID"],
        "EventName": event["eventName"],
        "ReadOnly": str(event["readOnly"]).lower(),
        "AccessKeyId": identity["accessKeyId"],
        "EventTime": datetime.fromisoformat(event["eventTime"]),
        "EventSource": event["eventSource"],
        "Username": name,
        "Resources": _resources(event["requestParameters"] or {}),
        "CloudTrailEvent": json.dumps(event),
    }


def _resources(parameters: dict[str, Any]) -> list[dict[str, str]]:
    kinds = {
        "userName": "AWS::IAM::User",
        "groupName": "AWS::IAM::Group",
        "roleName": "AWS::IAM::Role",
        "policyArn": "AWS::IAM::Policy",
        "accessKeyId": "AWS::IAM::AccessKey",
        "serialNumber": "AWS::IAM::MFADevice",
    }
    return [
        {"ResourceType": kind, "ResourceName": str(parameters[name])}
        for name, kind in kinds.items()
        if name in parameters
    ]
