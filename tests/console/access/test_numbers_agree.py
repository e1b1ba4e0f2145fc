"""The same access is the same number of actions wherever it is counted: AWS's list of actions counts, and no
name that only policies have.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from iam.access.compare import ComparedSide, DifferenceSort, compare
from iam.access.effective import EffectiveAccess, access_of
from iam.access.levels import levels_of
from iam.access.principals import find_principal
from iam.changes.affected_principals import access_of as access_of_text
from iam.changes.impact import impact_of
from iam.changes.operations import ATTACH_POLICY, DETACH_POLICY, Attachment
from iam.mirror.models import Account, EdgeKind, Entity
from iam.mirror.snapshot import forget
from iam.policy.catalogue import catalogue
from tests import factories

pytestmark = pytest.mark.django_db

UNLISTED = ["s3:InventedAction", "nowhere:Do"]
NOTHING = {"Action": "sts:GetCallerIdentity"}
POLICIES: dict[str, dict[str, Any]] = {
    "everything": {"Action": "*"},
    "a service": {"Action": "s3:*"},
    "all but a service": {"NotAction": "iam:*"},
    "names that AWS lists, and others": {"Action": ["s3:GetObject", *UNLISTED]},
}


def body(statement: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*", **statement}]}


class Site:
    """Somebody holds the policy, somebody else nothing, and a third one has names that AWS does not list."""

    def __init__(self, statement: dict[str, Any]) -> None:
        self.statement = statement
        self.account: Account = factories.account()
        self.holder = factories.user(self.account, "holder")
        self.bare = factories.user(self.account, "bare")
        third = factories.user(self.account, "third")
        factories.inline(third, "odd", body=body({"Action": UNLISTED}))
        self.policy = factories.policy(self.account, "Given", body=body(statement))
        factories.edge(EdgeKind.ATTACHED, self.holder, self.policy)

    @property
    def access(self) -> EffectiveAccess:
        found = access_of(self.holder.pk, account=self.account.account_id, at=None)
        assert found is not None
        return found


def on_receipt(site: Site) -> int:
    impact = impact_of([Attachment.of(ATTACH_POLICY, site.bare, policy=site.policy)])
    assert impact.totals is not None
    return impact.totals["gained"]


def in_block_of_receipt(site: Site) -> int:
    [gain] = impact_of([Attachment.of(DETACH_POLICY, site.holder, policy=site.policy)]).gains
    assert len(gain.actions) + gain.more_actions == gain.totals["lost"]
    return gain.totals["lost"]


def on_receipt_of_a_text(site: Site) -> int:
    old, nothing = (json.dumps(body(statement)) for statement in (site.statement, NOTHING))
    return access_of_text(site.policy, old=old, text=nothing).counts["lost"]


def on_effective_access(site: Site) -> int:
    return sum(service.allowed for service in site.access.services)


def in_levels(site: Site) -> int:
    return sum(levels_of({site.holder.pk: site.account.account_id}, at=None)[site.holder.pk])


def in_comparison(site: Site) -> int:
    return compare(_side(site.bare), _side(site.holder)).number(DifferenceSort.ONLY_RIGHT)


def _side(entity: Entity) -> ComparedSide:
    forget()  # rows that a test adds by hand have no revision
    return ComparedSide(find_principal(entity.arn, accounts=None, at=None), None)


PLACES: dict[str, Callable[[Site], int]] = {
    "the receipt of attaching it": on_receipt,
    "the receipt of detaching it": in_block_of_receipt,
    "the receipt of another text": on_receipt_of_a_text,
    "effective access": on_effective_access,
    "the list of people": in_levels,
    "a comparison": in_comparison,
}


@pytest.mark.parametrize("policy", POLICIES)
def test_every_page_counts_the_same(policy: str) -> None:
    site = Site(POLICIES[policy])
    numbers = {place: count(site) for place, count in PLACES.items()}
    assert set(numbers.values()) == {numbers["effective access"]}, numbers
    assert 0 < numbers["effective access"] < len(catalogue())


def test_names_that_aws_does_not_list_are_named_where_nothing_else_changes() -> None:
    site = Site({"Action": UNLISTED})
    impact = impact_of([Attachment.of(ATTACH_POLICY, site.bare, policy=site.policy)])
    assert (impact.affected, impact.totals) == (0, {})
    [sentence] = [sentence for sentence in impact.undecided if "AWS lists no such actions" in sentence]
    assert all(name in sentence for name in UNLISTED)


def test_names_that_other_policies_have_are_not_named() -> None:
    site = Site({"Action": "s3:*"})
    impact = impact_of([Attachment.of(ATTACH_POLICY, site.bare, policy=site.policy)])
    assert not any("AWS lists no such actions" in sentence for sentence in impact.undecided)


def test_a_name_that_a_wildcard_allows_on_the_other_side_is_no_difference() -> None:
    site = Site({"Action": "s3:*"})
    factories.inline(site.bare, "odd", body=body({"Action": ["s3:InventedAction"]}))
    assert compare(_side(site.holder), _side(site.bare)).unlisted[DifferenceSort.ONLY_RIGHT] == ()
