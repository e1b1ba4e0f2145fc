"""Exports findings as OCSF events for a SIEM: class Compliance Finding, version 1.5.0, with the cloud
profile.

Source: https://schema.ocsf.io/1.5.0/classes/compliance_finding
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from iam.audit.findings.models import AuditFinding, FindingSeverity, FindingStatus
from iam.audit.findings.rules import all_rules
from iam.audit.findings.values import Row

VERSION: Final = "1.5.0"
CATEGORY: Final = 2
CLASS: Final = 2003
SEVERITIES: Final[Mapping[int, tuple[int, str]]] = {
    FindingSeverity.CRITICAL: (5, "Critical"),
    FindingSeverity.HIGH: (4, "High"),
    FindingSeverity.MEDIUM: (3, "Medium"),
    FindingSeverity.LOW: (2, "Low"),
}
STATUSES: Final[Mapping[str, tuple[int, str]]] = {
    FindingStatus.OPEN: (1, "New"),
    FindingStatus.ACCEPTED: (3, "Suppressed"),
    FindingStatus.FIXED: (4, "Resolved"),
}
CREATE, UPDATE, CLOSE = (1, "Create"), (2, "Update"), (3, "Close")
PASS, FAIL = (1, "Pass"), (3, "Fail")
HIGH_CONFIDENCE, MEDIUM_CONFIDENCE = (3, "High"), (2, "Medium")
AWS_ACCOUNT: Final = 10


def ocsf_of(finding: AuditFinding, values: Row, *, owner: str = "") -> Row:
    """A finding as an event.

    `values` is the JSON list row that the reader can see, `owner` the owner of the subject.
    """
    rule = all_rules().get(finding.kind)
    title = rule.title if rule else finding.kind
    is_fixed = finding.status == FindingStatus.FIXED
    activity, activity_name = CLOSE if is_fixed else _activity(finding)
    severity, severity_name = SEVERITIES[finding.severity]
    status, status_name = STATUSES[finding.status]
    result, result_name = PASS if is_fixed else FAIL
    confidence = HIGH_CONFIDENCE if finding.certainty == "confirmed" else MEDIUM_CONFIDENCE
    return {
        "category_uid": CATEGORY,
        "category_name": "Findings",
        "class_uid": CLASS,
        "class_name": "Compliance Finding",
        "activity_id": activity,
        "activity_name": activity_name,
        "type_uid": CLASS * 100 + activity,
        "type_name": f"Compliance Finding: {activity_name}",
        "time": _milliseconds(finding.changed_at),
        "message": f"{title}: {finding.name}",
        "severity_id": severity,
        "severity": severity_name,
        "status_id": status,
        "status": status_name,
        "confidence_id": confidence[0],
        "confidence": confidence[1],
        "metadata": {
            "version": VERSION,
            "product": {"name": "Gatehouse", "vendor_name": "Gatehouse"},
            "profiles": ["cloud"],
            "uid": finding.key,
            "event_code": finding.kind,
        },
        "finding_info": {
            "uid": finding.key,
            "title": title,
            "desc": rule.risk if rule else "",
            "types": [finding.kind],
            "created_time": _milliseconds(finding.first_seen),
            "first_seen_time": _milliseconds(finding.first_seen),
            "last_seen_time": _milliseconds(finding.last_seen),
            "modified_time": _milliseconds(finding.changed_at),
        },
        "compliance": {
            "standards": ["Gatehouse findings"],
            "control": finding.kind,
            "status_id": result,
            "status": result_name,
        },
        "remediation": {"desc": values["fix"].get("words", "") or title},
        "resources": [
            _resource(finding.subject, finding, owner=owner),
            *(_resource(arn, finding) for arn in values["related"]),
        ],
        "cloud": {
            "provider": "AWS",
            "account": {
                "uid": finding.account.account_id,
                "name": finding.account.name,
                "type_id": AWS_ACCOUNT,
                "type": "AWS Account",
            },
        },
        "unmapped": {"evidence": values["evidence"], "fix": values["fix"]},
    }


def _activity(finding: AuditFinding) -> tuple[int, str]:
    return CREATE if finding.changed_at == finding.first_seen else UPDATE


def _resource(uid: str, finding: AuditFinding, *, owner: str = "") -> Row:
    parts = uid.split(":", 5)
    kind = parts[5].partition("/")[0] if len(parts) == 6 else "account"
    resource: dict[str, Any] = {"uid": uid, "name": uid.rpartition("/")[2], "type": kind}
    if owner:
        resource["owner"] = {"name": owner}
    return resource | {"cloud_partition": finding.account.partition}


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
