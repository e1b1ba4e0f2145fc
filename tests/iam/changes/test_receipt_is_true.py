"""What receipts foretell is what AWS, the mirror and the engine show afterwards; `make bench` tries many
more.
"""

from __future__ import annotations

import os
from random import Random

import pytest

from iam.changes.impact import ReceiptImpact, impact_of
from iam.changes.operations import ADD_TO_GROUP, ATTACH_POLICY, Attachment, Membership, Operation
from iam.mirror.models import EdgeKind, Entity
from tests import factories
from tests.iam.changes.conftest import Scene
from tests.iam.changes.operations.stage import Stage
from tests.iam.changes.true_receipts import Play, check, take_back

pytestmark = pytest.mark.on_postgresql

SEEDS = range(int(os.environ.get("GATEHOUSE_RECEIPTS", "2")))
SETS = 2 if len(SEEDS) > 2 else 1


@pytest.mark.parametrize("seed", SEEDS)
def test_what_a_receipt_foretells_is_so_afterwards(scene: Scene, seed: int) -> None:
    stage = Stage(scene)
    play = Play(stage, Random(seed))

    assert sum(check(play, stage) for _ in range(SETS)) > SETS, "hardly anything was changed"


@pytest.mark.parametrize("seed", SEEDS[: max(1, len(SEEDS) // 4)])
def test_what_is_undone_is_as_it_was(scene: Scene, seed: int) -> None:
    stage = Stage(scene)
    play = Play(stage, Random(seed))

    assert sum(take_back(play, stage) for _ in range(SETS)) > SETS, "hardly anything was changed"


@pytest.fixture
def user(db: None) -> Entity:
    """Somebody who holds nothing."""
    return factories.user(factories.account(), "kwame.boateng")


def foretold(operation: Operation) -> tuple[int, dict[str, int] | None]:
    """For how many people what becomes true of how many actions."""
    impact: ReceiptImpact = impact_of([operation])
    return impact.affected, impact.totals


def test_what_a_policy_says_that_nobody_has_is_weighed(user: Entity) -> None:
    policy = factories.policy(user.account)
    assert foretold(Attachment.of(ATTACH_POLICY, user, policy=policy)) == (1, {"gained": 1})


def test_what_a_group_holds_that_nobody_is_in_is_weighed(user: Entity) -> None:
    group = factories.group(user.account)
    factories.edge(EdgeKind.ATTACHED, group, factories.policy(user.account))
    body = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]}
    factories.inline(group, body=body)
    people, totals = foretold(Membership.of(ADD_TO_GROUP, user, group=group))
    assert (people, totals is not None and totals["gained"] > 20) == (1, True)
