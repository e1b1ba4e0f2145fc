"""What managed policies say: a new text, a former one again, and the oldest of five versions, which makes
room and comes back.
"""

from __future__ import annotations

from typing import Any

from iam.changes.operations import CreatePolicyVersion, Operation, SetDefaultVersion, restore
from iam.changes.operations.former_version import TakeBackVersion
from iam.mirror.models import Entity, Kind
from tests.iam.changes.operations.cases_policies import (
    LISTS,
    WRITES,
    former,
    give_another_text,
    policy_shown,
    saying,
)
from tests.iam.changes.operations.stage import READS, Stage
from tests.iam.changes.operations.table import Case

MORE = [saying(f"sqs:{name}") for name in ("SendMessage", "ReceiveMessage", "DeleteMessage")]


def with_text(stage: Stage) -> Operation:
    """A policy of two versions gets a third."""
    return CreatePolicyVersion.of(former(stage)[0], text=WRITES)


def with_former(stage: Stage) -> Operation:
    """The version that does not hold is to hold again."""
    policy, version = former(stage)
    return SetDefaultVersion.of(policy, version=version)


def full(stage: Stage) -> Entity:
    """A policy of five versions, the second of which holds."""
    policy, _ = former(stage)
    for text in MORE:
        stage.iam.create_policy_version(PolicyArn=policy.arn, PolicyDocument=text)
    return stage.read(Kind.POLICY, policy.name, arn=policy.arn)


def sixth(stage: Stage) -> Operation:
    """A policy of five versions gets a sixth."""
    return CreatePolicyVersion.of(full(stage), text=WRITES)


def taken_back(stage: Stage) -> Operation:
    """The way back of a sixth version."""
    (change,) = stage.carry_out(sixth(stage))
    inverse = restore(change.operation, account=stage.account, params=change.params).inverse(change.before)
    assert isinstance(inverse, TakeBackVersion)
    return inverse


def versions(*texts: str, holds: str) -> Any:
    """These texts, in this order, one of which holds."""
    return lambda stage, before: {**before, "versions": [(document, document == holds) for document in texts]}


BACK = versions(LISTS, *MORE, READS, holds=LISTS)
"""All that was, the oldest under another number."""

CASES = (
    Case(
        "policy.create_version",
        with_text,
        policy_shown,
        after=versions(READS, LISTS, WRITES, holds=WRITES),
        meddle=give_another_text,
        undone=versions(READS, LISTS, WRITES, holds=LISTS),
    ),
    Case(
        "policy.create_version in the place of the oldest",
        sixth,
        policy_shown,
        after=versions(LISTS, *MORE, WRITES, holds=WRITES),
        calls=2,
        undone=BACK,
    ),
    Case(
        "policy.take_back_version",
        taken_back,
        policy_shown,
        after=BACK,
        meddle=lambda stage: stage.iam.set_default_policy_version(
            PolicyArn=stage.keep["arn"], VersionId="v3"
        ),
        calls=3,
    ),
    Case(
        "policy.set_default_version",
        with_former,
        policy_shown,
        after=versions(READS, LISTS, holds=READS),
        meddle=give_another_text,
    ),
)
