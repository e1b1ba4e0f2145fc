"""What would close a path: the smallest set of statements, and that the path is gone without them."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iam.policy.escalation import paths
from iam.policy.escalation.evidence import Statement
from iam.policy.escalation.graph import Graph
from iam.policy.escalation.paths import Closing, Explorer
from iam.policy.index.rows import Grants
from tests.iam.policy.escalation.builders import EVERYTHING, NONE, ONE, World, allow
from tests.iam.policy.escalation.random_worlds import world
from tests.iam.policy.index.organisations import Organisation

ADMIN = f"arn:aws:iam::{ONE}:role/admin"


def closing(found: World, name: str) -> Closing:
    explorer = Explorer(found.graph, found.index)
    return explorer.closing(found.at(name), found.graph.to_administrator())


def labels(found: Closing) -> list[tuple[str, str, int]]:
    return sorted((one.holder.rpartition("/")[2], one.policy, one.number) for one in found.statements)


def test_of_three_needs_the_smallest_goes() -> None:
    found = World()
    found.role("admin", EVERYTHING, trusts={"Service": "lambda.amazonaws.com"})
    found.user(
        "dev",
        allow("iam:PassRole", ADMIN),
        allow("iam:PassRole", "arn:aws:iam::*:role/a*"),
        allow("lambda:CreateFunction"),
        allow(["lambda:InvokeFunction", "s3:*"]),
        allow("lambda:Invoke*"),
    )
    path = found.path("dev")
    assert path is not None
    assert [(one.policy, one.number) for one in path.closing] == [("own", 2)]
    assert labels(closing(found, "dev")) == [("dev", "own", 2)]
    assert closing(found, "dev").is_exact


def test_two_paths_are_closed_by_the_statement_that_both_need() -> None:
    found = World()
    found.role("admin", EVERYTHING, trusts={"Service": ["lambda.amazonaws.com", "ec2.amazonaws.com"]})
    found.user(
        "dev",
        allow("ec2:RunInstances"),
        allow(["lambda:CreateFunction", "lambda:InvokeFunction"]),
        allow("iam:PassRole", ADMIN),
    )
    assert labels(closing(found, "dev")) == [("dev", "own", 2)]


def test_two_paths_without_anything_in_common_need_two_statements() -> None:
    found = World()
    found.role("admin", EVERYTHING, trusts={"AWS": ONE})
    found.user("boss", EVERYTHING)
    found.user(
        "dev", allow("sts:AssumeRole", ADMIN), allow("iam:CreateAccessKey", f"arn:aws:iam::{ONE}:user/boss")
    )
    assert labels(closing(found, "dev")) == [("dev", "own", 0), ("dev", "own", 1)]


def test_a_trust_policy_that_names_somebody_is_what_has_to_go() -> None:
    found = World()
    found.role("admin", EVERYTHING, trusts={"AWS": f"arn:aws:iam::{ONE}:user/dev"})
    found.user("dev", allow("sts:AssumeRole", ADMIN))
    assert labels(closing(found, "dev")) == [("admin", "trust policy", 0)]


def test_what_is_written_on_the_way_cannot_be_taken_away() -> None:
    found = World()
    boundary = found.policy("Boundary", allow(["iam:PutUserPolicy", "iam:DeleteUserPermissionsBoundary"]))
    found.user("dev", allow("iam:PutUserPolicy", "arn:aws:iam::*:user/${aws:username}"), boundary=boundary)
    steps = found.steps("dev")
    assert steps == [["iam-put-user-policy"], ["iam-delete-user-permissions-boundary"]]
    assert labels(closing(found, "dev")) == [("dev", "own", 0)]


def test_a_shared_policy_is_one_statement_however_it_comes() -> None:
    found = World()
    shared = found.policy("Shared", allow("sts:AssumeRole", ADMIN))
    found.role("admin", EVERYTHING, trusts={"AWS": ONE})
    found.user("dev", attached=(shared,), groups=(found.group("team", attached=(shared,)),))
    assert labels(closing(found, "dev")) == [("Shared", "Shared", 0)]


def without(organisation: Organisation, gone: frozenset[Statement]) -> None:
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


def _grants(organisation: Organisation, grants: Grants, gone: frozenset[Statement], holder: str) -> Grants:
    inline = tuple((name, str(_less(organisation, d, gone, holder, name))) for name, d in grants.inline)
    return replace(grants, inline=inline)


def _less(
    organisation: Organisation, digest: str | None, gone: frozenset[Statement], holder: str, policy: str
) -> str | None:
    numbers = {one.number for one in gone if (one.holder, one.policy) == (holder, policy)}
    if digest is None or not numbers:
        return digest
    body = json.loads(organisation.texts[digest])
    kept = [one for place, one in enumerate(body["Statement"]) if place not in numbers]
    body["Statement"] = kept or [{"Effect": "Deny", "Action": "none:None", "Resource": "*"}]
    return organisation.digest(json.dumps(body))


@settings(max_examples=12)
@given(st.integers(0, 2**32))
def test_without_the_statements_nobody_gets_there_any_more(seed: int) -> None:
    found = world(random.Random(seed))
    reach = found.graph.to_administrator()
    explorer = Explorer(found.graph, found.index)
    for name in found.arns:
        at = found.graph.find(*found.arns[name])
        if at is None or at not in reach.any or reach.any[at][0] == 0:
            continue
        result = explorer.closing(at, reach)
        assert result.statements
        assert not any(one.is_given for one in result.statements)
        mended = world(random.Random(seed))
        without(mended.organisation, result.statements)
        after = Graph(mended.changed().index, facts=mended.facts)
        assert after.find(*found.arns[name]) not in after.to_administrator().any
        for one in result.statements:
            spared = world(random.Random(seed))
            without(spared.organisation, result.statements - {one})
            left = Graph(spared.changed().index, facts=spared.facts)
            assert left.find(*found.arns[name]) in left.to_administrator().any, "one less would do"


def test_nothing_closes_what_is_not_there() -> None:
    found = World()
    found.user("dev", allow("s3:*"))
    assert found.becomes_administrator("dev") == NONE
    assert found.path("dev") is None


def test_a_search_that_would_take_too_long_says_that_it_is_not_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    found = World()
    found.role("admin", EVERYTHING, trusts={"AWS": ONE})
    found.user("boss", EVERYTHING)
    found.user(
        "dev", allow("sts:AssumeRole", ADMIN), allow("iam:CreateAccessKey", f"arn:aws:iam::{ONE}:user/boss")
    )
    monkeypatch.setattr(paths, "SEARCHES", 2)
    assert not closing(found, "dev").is_exact
    monkeypatch.setattr(paths, "SECONDS", -1.0)
    assert closing(found, "dev") == Closing(frozenset(), is_exact=False)
