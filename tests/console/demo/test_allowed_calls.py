"""The sample's users and roles call what their policies allow, and are denied what these don't allow, as
replay counts it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from console.demo.organisation.people import ACCOUNT_IDS
from iam.access.principals import KINDS, AskingPrincipal
from iam.access.replay import ReplayRequest, replay_calls
from iam.activity.models import TrailCaller, TrailEvent
from iam.mirror.models import Entity
from iam.policy.replay import ReplayOutcome

pytestmark = pytest.mark.django_db
PLANTED = json.loads((Path(__file__).parent / "planted_activity.json").read_text(encoding="utf-8"))
DENY_ALL = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
)
"""With it, each call that succeeded is answered otherwise, unless today's policies deny it already."""
ALLOW_ALL = DENY_ALL.replace("Deny", "Allow")
"""With it, each call that was denied is answered otherwise, unless today's policies allow it already."""


def callers() -> list[Entity]:
    """The users and roles that called something."""
    ids = TrailCaller.objects.filter(kind__in=("user", "role")).values("unique_id")
    rows = Entity.objects.filter(kind__in=KINDS, gone_at__isnull=True, aws_id__in=ids)
    return list(rows.select_related("account").order_by("pk"))


def is_refused(story: dict[str, Any]) -> bool:
    return bool(story["result"] == "denied")


@pytest.mark.usefixtures("accounts")
def test_what_succeeded_is_allowed_by_the_policies_of_today_and_what_was_denied_is_not() -> None:
    principals = callers()
    assert len(principals) == TrailCaller.objects.filter(kind__in=("user", "role")).count() > 200
    succeeded, refused, grantable, denied = 0, 0, 0, {}
    for entity in principals:
        number = entity.account.account_id
        who = AskingPrincipal(number, entity.pk, entity.arn, entity.name, KINDS[entity.kind])
        report = replay_calls(ReplayRequest(who, added=DENY_ALL))
        refused += TrailEvent.objects.filter(caller__unique_id=entity.aws_id, is_denied=True).count()
        grantable += replay_calls(ReplayRequest(who, added=ALLOW_ALL)).count(ReplayOutcome.ALLOWED)
        succeeded += report.count(ReplayOutcome.DENIED) + report.denied_already
        if report.denied_already:
            denied[number, entity.name] = report.denied_already
    assert refused == grantable
    assert refused >= sum(each["events"] for each in PLANTED["stories"] if is_refused(each))
    assert succeeded > 7_000
    assert sum(denied.values()) <= succeeded // 100
    assert denied == {
        (ACCOUNT_IDS[each["account"]], each["principal"]): each["calls"] for each in PLANTED["denied today"]
    }
