"""Separation of duties: who breaks a rule, on receipts too, and who approves one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from iam.audit.reviews.duties import InvalidDutiesError, SodTerms, breakers, check
from iam.audit.reviews.models import SodRule, SodStatus
from iam.audit.reviews.rule_requests import (
    RuleDraft,
    RuleRefusedError,
    decide,
    request_retirement,
    request_rule,
)
from iam.changes.operations import ADD_TO_GROUP, Membership
from iam.changes.receipts import set_receipt_of
from iam.changes.services.plans import plan_set
from iam.directory.models import Role
from iam.guard import viewer_for
from iam.journal.models import Entry
from iam.mirror.models import EdgeKind
from iam.mirror.snapshot import snapshot
from tests import factories
from tests.iam.audit.reviews import made

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]
TERMS = SodTerms(("iam:CreateUser",), ("cloudtrail:StopLogging",))


def allowing(action: str) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}


def now() -> datetime:
    return datetime.now(tz=UTC)


def rule_of(world: made.World, terms: SodTerms = TERMS) -> SodRule:
    """An active rule."""
    draft = RuleDraft("Apart", "Audit", terms)
    rule = request_rule(draft, actor=world.administrator, now=now())
    decide(rule, is_approved=True, actor=world.approver, now=now())
    rule.refresh_from_db()
    return rule


@pytest.mark.parametrize(
    ("terms", "broken"),
    [
        (TERMS, {"both", "maya"}),
        (SodTerms(TERMS.first, TERMS.second, exempt=("MAYA", "bo*")), set()),
        (SodTerms(TERMS.first, TERMS.second, accounts=("222222222222",)), set()),
        (SodTerms(("iam:Create*",), ("cloudtrail:*",)), {"both", "maya"}),
    ],
)
def test_who_can_do_both_breaks_it(terms: SodTerms, broken: set[str]) -> None:
    world = made.world()
    both = factories.user(world.account, "both")
    factories.inline(both, "a", body=allowing("iam:CreateUser"))
    factories.inline(both, "b", body=allowing("cloudtrail:StopLogging"))
    factories.inline(factories.user(world.account, "one"), "a", body=allowing("iam:CreateUser"))
    with snapshot(None, accounts={world.account.account_id}) as index:
        assert {member.name for member in breakers(index, world.account.account_id, terms).values()} == broken


def test_a_receipt_names_who_would_newly_break_it() -> None:
    world = made.world()
    rule = rule_of(world)
    writers = factories.group(world.account, "writers")
    factories.edge(
        EdgeKind.ATTACHED,
        writers,
        factories.policy(world.account, "stop", body=allowing("cloudtrail:StopLogging")),
    )
    factories.inline(world.tomas, "create", body=allowing("iam:CreateUser"))
    operations = [Membership.of(ADD_TO_GROUP, user, group=writers) for user in (world.tomas, world.maya)]
    plan_set(operations, viewer=world.administrator)
    (broken,) = set_receipt_of(operations)["impact"]["assertions"]
    assert (broken["name"], broken["key"]) == ("Apart", f"sod:{rule.pk}")
    # Maya can do both before, too.
    assert [who["name"] for who in broken["names"]] == ["tomas"]


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        (SodTerms((), ("iam:CreateUser",)), "first"),
        (SodTerms(("iam:CreateUser",), ()), "second"),
        (SodTerms(("nonsense",), ("iam:CreateUser",)), "first"),
        (SodTerms(("iam:CreateUser",), ("iam:NoSuchThing",)), "second"),
        (SodTerms(("iam:CreateUser",), ("iam:CreateUser",)), "second"),
        (SodTerms(("iam:CreateUser",) * 21, ("s3:GetObject",)), "first"),
        (SodTerms(("iam:CreateUser",), ("s3:GetObject",), exempt=("x" * 513,)), "exempt"),
    ],
)
def test_what_can_not_be_checked_is_said_at_its_field(terms: SodTerms, field: str) -> None:
    with pytest.raises(InvalidDutiesError) as error:
        check(terms)
    assert error.value.field == field


def test_it_needs_another_person_and_so_does_its_end() -> None:
    world = made.world()
    draft = RuleDraft("Apart", "Audit", TERMS)
    rule = request_rule(draft, actor=world.administrator, now=now())
    with pytest.raises(RuleRefusedError, match="with this name"):
        request_rule(draft, actor=world.administrator, now=now())
    with pytest.raises(RuleRefusedError, match="Another approver or administrator of all its accounts"):
        decide(rule, is_approved=True, actor=world.administrator, now=now())
    with pytest.raises(RuleRefusedError, match="has to decide"):
        decide(rule, is_approved=True, actor=world.lead, now=now())
    decide(rule, is_approved=True, actor=world.approver, now=now())
    rule.refresh_from_db()
    assert rule.status == SodStatus.ACTIVE
    with pytest.raises(RuleRefusedError, match="already"):
        decide(rule, is_approved=False, actor=world.approver, now=now())
    request_retirement(rule, reason="Not needed", actor=world.approver, now=now())
    with pytest.raises(RuleRefusedError, match="of which nothing is requested"):
        request_retirement(rule, reason="Again", actor=world.approver, now=now())
    rule.refresh_from_db()
    with pytest.raises(RuleRefusedError, match="Another approver or administrator of all its accounts"):
        decide(rule, is_approved=True, actor=world.approver, now=now())
    decide(rule, is_approved=False, actor=world.administrator, now=now())
    rule.refresh_from_db()
    assert (rule.status, rule.retirement_reason) == (SodStatus.ACTIVE, "")
    request_retirement(rule, reason="Not needed", actor=world.approver, now=now())
    rule.refresh_from_db()
    # The administrator breaks it.
    decide(rule, is_approved=True, actor=viewer_for(made.person("Jonas", Role.APPROVER)), now=now())
    rule.refresh_from_db()
    assert rule.status == SodStatus.RETIRED
    kinds = list(Entry.objects.filter(kind__startswith="sod.").order_by("pk").values_list("kind", flat=True))
    assert kinds == [
        "sod.request",
        "sod.approve",
        "sod.request_retirement",
        "sod.decline",
        "sod.request_retirement",
        "sod.approve",
    ]
