"""Who is denied everything loses no guard with what is taken from them in the same request."""

from __future__ import annotations

import json

import pytest

from iam.changes.operations import REMOVE_FROM_GROUP, Membership, Operation, PutInlinePolicy
from iam.changes.operations.inline_policy import denies_all
from iam.changes.receipts import set_receipt_of
from iam.changes.services.plans import examine
from iam.mirror.models import EdgeKind
from iam.people.offboarding.open_access import DENY, DENY_TEXT
from tests import factories

GUARD = {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "ec2:*", "Resource": "*"}}


def test_only_a_deny_without_any_condition_denies_everything() -> None:
    deny = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    assert denies_all(DENY_TEXT)
    assert denies_all(json.dumps({"Statement": [{**deny, "Action": ["*"]}]}))
    for other in (
        {"Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        {"Action": "s3:*"},
        {"Effect": "Allow"},
    ):
        assert not denies_all(json.dumps({"Statement": [{**deny, **other}]}))


@pytest.mark.django_db
def test_a_guard_that_goes_is_a_risk_unless_a_deny_for_everything_comes_with_it() -> None:
    account = factories.account(write_role_arn="arn:aws:iam::111111111111:role/w")
    user, group = factories.user(account), factories.group(account)
    factories.edge(EdgeKind.MEMBER, user, group)
    factories.inline(group, "guard", body=GUARD)

    def found(*operations: Operation) -> tuple[list[str], str]:
        receipt = set_receipt_of(operations)
        last = examine(operations[-1], earlier=operations[:-1]).receipt.body["sensitivity"]
        return receipt["impact"]["risks"], last

    leave = Membership.of(REMOVE_FROM_GROUP, user, group=group)
    assert found(leave) == (["deny-removed"], "high")
    deny = PutInlinePolicy.of(user, name=DENY, text=DENY_TEXT)
    assert found(deny, Membership.of(REMOVE_FROM_GROUP, user, group=group)) == ([], "normal")
