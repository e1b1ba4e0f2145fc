"""Findings as OCSF events have every attribute that version 1.5.0 requires, with values that it knows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from iam.audit.findings.calculation import calculate
from iam.audit.findings.models import AuditFinding
from iam.audit.findings.ocsf import ocsf_of
from iam.audit.findings.values import values_of
from tests import factories

pytestmark = pytest.mark.django_db
REQUIRED: dict[str, type] = {
    "activity_id": int,
    "category_uid": int,
    "class_uid": int,
    "severity_id": int,
    "time": int,
    "type_uid": int,
    "metadata.version": str,
    "metadata.product.name": str,
    "metadata.product.vendor_name": str,
    "finding_info.uid": str,
    "finding_info.title": str,
    "compliance.standards": list,
    "compliance.control": str,
    "compliance.status_id": int,
    "cloud.provider": str,
    "cloud.account.uid": str,
    "resources": list,
    "remediation.desc": str,
}
"""What the class, its objects and the cloud profile require, and what a SIEM needs of what they recommend."""
ENUMS = {
    "activity_id": {1, 2, 3},
    "severity_id": {2, 3, 4, 5},
    "status_id": {1, 3, 4},
    "confidence_id": {2, 3},
    "compliance.status_id": {1, 3},
}


def value_at(event: Any, path: str) -> Any:
    for name in path.split("."):
        event = event[name]
    return event


def findings() -> list[AuditFinding]:
    account = factories.account()
    factories.synced(account)
    factories.user(account, "tomas", credentials={"mfa": "none"})
    factories.role(account, "BreakGlass")
    calculate(account)
    rows = list(AuditFinding.objects.select_related("account").order_by("pk"))
    rows[0].status, rows[1].status = "fixed", "accepted"
    return rows


def test_every_event_has_what_is_required() -> None:
    rows = findings()
    assert len(rows) > 3
    for row in rows:
        event = json.loads(json.dumps(ocsf_of(row, values_of(row))))
        for path, kind in REQUIRED.items():
            value = value_at(event, path)
            assert isinstance(value, kind), path
            assert value not in ("", []), path
        for path, known in ENUMS.items():
            assert value_at(event, path) in known, path
        assert (event["class_uid"], event["category_uid"]) == (2003, 2)
        assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]
        assert all(resource["uid"] for resource in event["resources"])
        assert event["time"] > 10**12


def test_the_owner_is_that_of_the_subject_alone() -> None:
    row = findings()[-1]
    row.related = ["arn:aws:iam::111111111111:user/other"]
    first, second = ocsf_of(row, values_of(row), owner="Tomas Lind")["resources"]
    assert first["owner"] == {"name": "Tomas Lind"}
    assert "owner" not in second
    assert all("owner" not in resource for resource in ocsf_of(row, values_of(row))["resources"])


@pytest.mark.parametrize(
    ("status", "expected"), [("open", (1, 1, 3)), ("accepted", (3, 1, 3)), ("fixed", (4, 3, 1))]
)
def test_the_status_says_whether_it_stands(status: str, expected: tuple[int, int, int]) -> None:
    row = findings()[-1]
    row.status = status
    event = ocsf_of(row, values_of(row))
    assert (event["status_id"], event["activity_id"], event["compliance"]["status_id"]) == expected
