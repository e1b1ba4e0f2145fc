"""The sample's users and roles call what their policies allow, as replay counts it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from console.demo.organisation.people import ACCOUNT_IDS
from iam.access.principals import KINDS, AskingPrincipal
from iam.access.replay import ReplayRequest, replay_calls
from iam.activity.models import TrailCaller
from iam.mirror.models import Entity
from iam.policy.replay import ReplayOutcome

pytestmark = pytest.mark.django_db
PLANTED = json.loads((Path(__file__).parent / "planted_activity.json").read_text(encoding="utf-8"))
DENY_ALL = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
)
"""With it, each call that succeeded is answered otherwise, unless today's policies deny it already."""


def callers() -> list[Entity]:
    """The users and roles that called something."""
    ids = TrailCaller.objects.filter(kind__in=("user", "role")).values("unique_id")
    rows = Entity.objects.filter(kind__in=KINDS, gone_at__isnull=True, aws_id__in=ids)
    return list(rows.select_related("account").order_by("pk"))


@pytest.mark.usefixtures("accounts")
def test_what_succeeded_is_allowed_by_the_policies_of_today() -> None:
    principals = callers()
    assert len(principals) == TrailCaller.objects.filter(kind__in=("user", "role")).count() > 200
    succeeded, denied = 0, {}
    for entity in principals:
        number = entity.account.account_id
        who = AskingPrincipal(number, entity.pk, entity.arn, entity.name, KINDS[entity.kind])
        report = replay_calls(ReplayRequest(who, added=DENY_ALL))
        succeeded += report.count(ReplayOutcome.DENIED) + report.denied_already
        if report.denied_already:
            denied[number, entity.name] = report.denied_already
    assert succeeded > 7_000
    assert sum(denied.values()) <= succeeded // 100
    assert denied == {
        (ACCOUNT_IDS[each["account"]], each["principal"]): each["calls"] for each in PLANTED["denied today"]
    }
