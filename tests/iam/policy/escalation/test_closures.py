"""What would close a path: the smallest set of statements, and that the path is gone without them."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iam.policy.escalation import paths
from iam.policy.escalation.graph import EscalationGraph
from iam.policy.escalation.held_statements import HeldStatement
from iam.policy.escalation.paths import PathClosing, PathExplorer
from iam.policy.index.rows import PolicyHoldings
from tests.iam.policy.escalation.builders import EVERYTHING, NONE, ONE, World, allow
from tests.iam.policy.escalation.random_worlds import world
from tests.iam.policy.index.organisations import Organisation

ADMIN = f"arn:aws:iam::{ONE}:role/admin"


def closing(world: World, name: str) -> PathClosing:
    explorer = PathExplorer(world.graph, world.index)
    return explorer.closing(world.at(name), world.graph.to_administrator())


def labels(closing: PathClosing) -> list[tuple[str, str, int]]:
    return sorted(
        (statement.holder.rpartition("/")[2], statement.policy, statement.number)
        for statement in closing.statements
    )


def test_of_three_needs_the_smallest_goes() -> None:
    world = World()
    world.role("admin", EVERYTHING, trusts={"Service": "lambda.amazonaws.com"})
    world.user(
        "dev",
        allow("iam:PassRole", ADMIN),
        allow("iam:PassRole", "arn:aws:iam::*:role/a*"),
        allow("lambda:CreateFunction"),
        allow(["lambda:InvokeFunction", "s3:*"]),
        allow("lambda:Invoke*"),
    )
    path = world.path("dev")
    assert path is not None
    assert [(statement.policy, statement.number) for statement in path.closing] == [("own", 2)]
    assert labels(closing(world, "dev")) == [("dev", "own", 2)]
    assert closing(world, "dev").is_exact


def test_two_paths_are_closed_by_the_statement_that_both_need() -> None:
    world = World()
    world.role("admin", EVERYTHING, trusts={"Service": ["lambda.amazonaws.com", "ec2.amazonaws.com"]})
    world.user(
        "dev",
        allow("ec2:RunInstances"),
        allow(["lambda:CreateFunction", "lambda:InvokeFunction"]),
        allow("iam:PassRole", ADMIN),
    )
    assert labels(closing(world, "dev")) == [("dev", "own", 2)]


def test_two_paths_without_anything_in_common_need_two_statements() -> None:
    world = World()
    world.role("admin", EVERYTHING, trusts={"AWS": ONE})
    world.user("boss", EVERYTHING)
    world.user(
        "dev", allow("sts:AssumeRole", ADMIN), allow("iam:CreateAccessKey", f"arn:aws:iam::{ONE}:user/boss")
    )
    assert labels(closing(world, "dev")) == [("dev", "own", 0), ("dev", "own", 1)]


def test_a_trust_policy_that_names_somebody_is_what_has_to_go() -> None:
    world = World()
    world.role("admin", EVERYTHING, trusts={"AWS": f"arn:aws:iam::{ONE}:user/dev"})
    world.user("dev", allow("sts:AssumeRole", ADMIN))
    assert labels(closing(world, "dev")) == [("admin", "trust policy", 0)]


def test_what_is_written_on_the_way_cannot_be_taken_away() -> None:
    world = World()
    boundary = world.policy("Boundary", allow(["iam:PutUserPolicy", "iam:DeleteUserPermissionsBoundary"]))
    world.user("dev", allow("iam:PutUserPolicy", "arn:aws:iam::*:user/${aws:username}"), boundary=boundary)
    steps = world.steps("dev")
    assert steps == [["iam-put-user-policy"], ["iam-delete-user-permissions-boundary"]]
    assert labels(closing(world, "dev")) == [("dev", "own", 0)]


def test_a_shared_policy_is_one_statement_however_it_comes() -> None:
    world = World()
    shared = world.policy("Shared", allow("sts:AssumeRole", ADMIN))
    world.role("admin", EVERYTHING, trusts={"AWS": ONE})
    world.user("dev", attached=(shared,), groups=(world.group("team", attached=(shared,)),))
    assert labels(closing(world, "dev")) == [("Shared", "Shared", 0)]


def without(organisation: Organisation, gone: frozenset[HeldStatement]) -> None:
    """Take the statements out of the documents of those who hold them, by rewriting the rows."""
    for rows in organisation.accounts:
        rows.policies = [
            replace(row, digest=_less(organisation, row.digest, gone, row.name, row.name.rpartition("/")[2]))
            for row in rows.policies
        ]
        for group in rows.groups:
            group.grants = _grants(organisation, group.grants, gone, f"group {group.name} of {rows.number}")
        for row in rows.principals:
            row.grants = _grants(organisation, row.grants, gone, row.arn)
            row.trust = _less(organisation, row.trust, gone, row.arn, "trust policy")


def _grants(
    organisation: Organisation, grants: PolicyHoldings, gone: frozenset[HeldStatement], holder: str
) -> PolicyHoldings:
    inline = tuple((name, str(_less(organisation, d, gone, holder, name))) for name, d in grants.inline)
    return replace(grants, inline=inline)


def _less(
    organisation: Organisation, digest: str | None, gone: frozenset[HeldStatement], holder: str, policy: str
) -> str | None:
    numbers = {
        statement.number for statement in gone if (statement.holder, statement.policy) == (holder, policy)
    }
    if digest is None or not numbers:
        return digest
    body = json.loads(organisation.texts[digest])
    kept = [statement for place, statement in enumerate(body["Statement"]) if place not in numbers]
    body["Statement"] = kept or [{"Effect": "Deny", "Action": "none:None", "Resource": "*"}]
    return organisation.digest(json.dumps(body))


@settings(max_examples=12)
@given(st.integers(0, 2**32))
def test_without_the_statements_nobody_gets_there_any_more(seed: int) -> None:
    scene = world(random.Random(seed))
    reach = scene.graph.to_administrator()
    explorer = PathExplorer(scene.graph, scene.index)
    for name in scene.arns:
        at = scene.graph.find(*scene.arns[name])
        if at is None or at not in reach.any or reach.any[at][0] == 0:
            continue
        result = explorer.closing(at, reach)
        assert result.statements
        assert not any(statement.is_given for statement in result.statements)
        mended = world(random.Random(seed))
        without(mended.organisation, result.statements)
        after = EscalationGraph(mended.changed().index, facts=mended.facts)
        assert after.find(*scene.arns[name]) not in after.to_administrator().any
        for statement in result.statements:
            spared = world(random.Random(seed))
            without(spared.organisation, result.statements - {statement})
            left = EscalationGraph(spared.changed().index, facts=spared.facts)
            assert left.find(*scene.arns[name]) in left.to_administrator().any, "one less would do"


def test_nothing_closes_what_is_not_there() -> None:
    world = World()
    world.user("dev", allow("s3:*"))
    assert world.becomes_administrator("dev") == NONE
    assert world.path("dev") is None


def test_a_search_that_would_take_too_long_says_that_it_is_not_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    world.role("admin", EVERYTHING, trusts={"AWS": ONE})
    world.user("boss", EVERYTHING)
    world.user(
        "dev", allow("sts:AssumeRole", ADMIN), allow("iam:CreateAccessKey", f"arn:aws:iam::{ONE}:user/boss")
    )
    monkeypatch.setattr(paths, "SEARCHES", 2)
    assert not closing(world, "dev").is_exact
    monkeypatch.setattr(paths, "SECONDS", -1.0)
    assert closing(world, "dev") == PathClosing(frozenset(), is_exact=False)
