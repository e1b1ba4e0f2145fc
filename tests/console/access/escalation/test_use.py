"""A path whose actions were called is marked, and one that nobody took is not."""

from __future__ import annotations

import re

import pytest
from django.db.models import F
from django.test import Client
from django.urls import reverse

from iam.audit.findings.models import AuditFinding
from iam.audit.findings.report import rows_now
from iam.mirror.models import Account, Entity
from tests.console.access.escalation.conftest import World
from tests.iam.activity.events import happened, identity_of

LAMBDA = {"eventSource": "lambda.amazonaws.com", "eventName": "CreateFunction20150331", "readOnly": False}


def _page(auditor: Client, dana: Entity) -> str:
    answer = auditor.get(reverse("access:escalation-path", args=[dana.pk]))
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", answer.content.decode()))


@pytest.mark.usefixtures("world")
def test_a_path_that_was_used_is_marked_with_its_calls(auditor: Client) -> None:
    dana = Entity.objects.get(name="dana.wirth")
    assert "used this path" not in _page(auditor, dana)
    happened(identity_of(dana), errorCode="AccessDenied", **LAMBDA)
    assert "used this path" not in _page(auditor, dana)
    happened(identity_of(dana), **LAMBDA)
    page = _page(auditor, dana)
    assert "dana.wirth used this path" in page
    assert "lambda:CreateFunction 1 time, last" in page


def test_calls_of_others_mark_nothing(world: World, auditor: Client) -> None:
    happened(identity_of(Entity.objects.get(name="nobody")), **LAMBDA)
    assert "used this path" not in _page(auditor, Entity.objects.get(name="dana.wirth"))


def marks(auditor: Client) -> list[str]:
    """Who is marked in the list of principals."""
    page = auditor.get(reverse("access:escalation"), {"view": "principals"}).content.decode()
    return [
        re.search(r'<a href="[^"]*">([^<]*)</a>', item)[1]  # type: ignore[index]
        for item in page.split("<li>")
        if re.search(r">\s*Used\s*<", item)
    ]


@pytest.mark.usefixtures("world")
def test_the_list_marks_paths_that_were_used_whole(auditor: Client) -> None:
    dana = Entity.objects.get(name="dana.wirth")
    happened(identity_of(dana), errorCode="AccessDenied", **LAMBDA)
    assert marks(auditor) == []
    happened(identity_of(dana), **LAMBDA)
    assert marks(auditor) == ["dana.wirth"]


@pytest.mark.usefixtures("world")
def test_the_finding_says_who_used_it(auditor: Client) -> None:
    dana = Entity.objects.get(name="dana.wirth")
    list(rows_now([dana.account]))
    rows = AuditFinding.objects.filter(kind="privilege-escalation")
    assert not any("used_by" in row.evidence for row in rows)
    happened(identity_of(dana), **LAMBDA)
    Account.objects.filter(pk=dana.account_id).update(writes=F("writes") + 1)
    list(rows_now([Account.objects.get(pk=dana.account_id)]))
    (used,) = [row for row in rows.all() if "used_by" in row.evidence]
    assert [each["arn"] for each in used.evidence["used_by"]] == [dana.arn]
    page = auditor.get(reverse("findings:finding", args=[used.pk])).content.decode()
    assert "Used by" in page
