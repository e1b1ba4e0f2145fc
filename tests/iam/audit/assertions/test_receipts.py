"""A receipt says which assertions a request would newly break, and such a request is critical."""

from __future__ import annotations

from typing import Any

import pytest

from iam.audit.assertions.terms import AllowedKind, AllowedPrincipal, AssertionTerms
from iam.changes.impact import ReceiptImpact, impact_of
from iam.changes.operations import ADD_TO_GROUP, ATTACH_POLICY, DETACH_POLICY, Attachment, Membership
from iam.changes.receipts import set_receipt_of
from iam.changes.warnings import broken_assertions
from iam.mirror.models import Account, EdgeKind, Entity
from tests import factories
from tests.iam.audit.assertions.test_checks import ALLOW, assertion_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Account:
    account = factories.account()
    factories.synced(account)
    return account


@pytest.fixture
def policy(account: Account) -> Entity:
    return factories.policy(account, "UserAdmin", body=ALLOW)


def broken(impact: ReceiptImpact) -> dict[str, list[str]]:
    return {each.name: [who.name for who in each.names] for each in impact.assertions}


def test_who_would_newly_break_it_is_named(account: Account, policy: Entity) -> None:
    assertion_of()
    tomas = factories.user(account, "tomas")
    impact = impact_of([Attachment.of(ATTACH_POLICY, tomas, policy=policy)])
    assert broken(impact) == {"Users": ["tomas"]}
    assert impact.risk == "critical"
    assert impact.risks[0] == "assertion-broken"
    assert broken_assertions(impact.body) == ["This request breaks the assertion “Users”."]


def test_a_membership_breaks_it_through_the_group(account: Account, policy: Entity) -> None:
    assertion_of()
    tomas, group = factories.user(account, "tomas"), factories.group(account, "admins")
    factories.edge(EdgeKind.ATTACHED, group, policy)
    assert broken(impact_of([Membership.of(ADD_TO_GROUP, tomas, group=group)])) == {"Users": ["tomas"]}


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("BreakGlass", {}),
        ("app", {"status": "retired"}),
        ("app", {"status": "requested"}),
    ],
)
def test_who_is_allowed_breaks_nothing_nor_does_what_is_not_active(
    name: str, changes: dict[str, Any], account: Account, policy: Entity
) -> None:
    assertion_of(**changes)
    role = factories.role(account, name)
    impact = impact_of([Attachment.of(ATTACH_POLICY, role, policy=policy)])
    assert impact.assertions == ()
    assert "assertions" not in impact.body


def test_who_breaks_it_already_is_no_news_and_ending_it_breaks_nothing(
    account: Account, policy: Entity
) -> None:
    assertion_of()
    tomas = factories.user(account, "tomas")
    factories.edge(EdgeKind.ATTACHED, tomas, policy)
    other = factories.policy(account, "More", body=ALLOW)
    assert broken(impact_of([Attachment.of(ATTACH_POLICY, tomas, policy=other)])) == {}
    assert broken(impact_of([Attachment.of(DETACH_POLICY, tomas, policy=policy)])) == {}


def test_other_accounts_are_not_its_matter(account: Account, policy: Entity) -> None:
    assertion = assertion_of()
    assertion.terms["accounts"] = ["222222222222"]
    assertion.save()
    tomas = factories.user(account, "tomas")
    assert broken(impact_of([Attachment.of(ATTACH_POLICY, tomas, policy=policy)])) == {}


def test_a_role_that_the_change_does_not_concern_still_has_its_trust_policy(account: Account) -> None:
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{account.account_id}:root"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    vault = factories.role(account, "vault", trust=trust)
    closed = factories.role(account, "closed")
    allowed = (AllowedPrincipal(AllowedKind.ROLE, "BreakGlass"),)
    for name, role in (("Vault", vault), ("Closed", closed)):
        terms = AssertionTerms(("sts:AssumeRole",), (role.arn,), allowed)
        assertion_of(name=name, terms=terms.to_json())
    body = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}],
    }
    tomas = factories.user(account, "tomas")
    impact = impact_of(
        [Attachment.of(ATTACH_POLICY, tomas, policy=factories.policy(account, "A", body=body))]
    )
    assert broken(impact) == {"Vault": ["tomas"]}


def test_the_digest_of_a_receipt_covers_it(account: Account, policy: Entity) -> None:
    tomas = factories.user(account, "tomas")
    operations = [Attachment.of(ATTACH_POLICY, tomas, policy=policy)]
    before = set_receipt_of(operations)["digest"]
    assertion_of()
    assert set_receipt_of(operations)["digest"] != before
