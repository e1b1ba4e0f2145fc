"""No plan passes a quota of AWS, whatever somebody holds already: random states and random grants, counted
anew from the operations.
"""

from __future__ import annotations

import itertools
import json
import os
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from iam.access.grants.plans import GrantPlan, PartPlan
from iam.access.grants.services import plan_grant
from iam.access.grants.terms import GrantContent, GrantTerms, WhatKind, WhoKind, WhoTerms
from iam.mirror.models import Account, AccountFact, EdgeKind, Entity
from iam.policy.lint import MANAGED
from tests import factories as make

pytestmark = pytest.mark.on_postgresql

EXAMPLES = int(os.environ.get("GATEHOUSE_QUOTAS", "10"))
"""Few for every run; more by hand."""
_numbers = itertools.count(100_000_000_000)
QUOTAS = {"attached": 10, "groups": 10}


@dataclass(frozen=True)
class Before:
    """What two receivers have (policies, groups, characters of inline policies), and the room of their
    accounts for policies and roles.
    """

    attached: tuple[int, int]
    groups: tuple[int, int]
    inline: tuple[int, int]
    policies: int
    roles: int
    trust: int


def _two(*values: int) -> st.SearchStrategy[tuple[int, int]]:
    return st.tuples(st.sampled_from(values), st.sampled_from(values))


BEFORES = st.builds(
    Before,
    attached=_two(0, 8, 9, 10),
    groups=_two(0, 9, 10),
    inline=_two(0, 900, 1700, 2000),
    policies=st.sampled_from([0, 1, 2, 100]),
    roles=st.sampled_from([0, 1, 100]),
    trust=st.sampled_from([200, 1500, 2000]),
)
WAYS = st.sampled_from(["statements", "managed", "group", "elsewhere", "role"])
SIZES = st.lists(st.sampled_from([1, 8, 40, 80]), min_size=1, max_size=5)
"""Statements by how many resources they name."""


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=BEFORES, sizes=SIZES, way=WAYS, lasts=st.sampled_from([0, 3600]))
def test_no_plan_passes_a_quota(db: None, before: Before, sizes: list[int], way: str, lasts: int) -> None:
    home, *others = (_account(before, number) for number in range(14))
    users = [_user(home, before, place) for place in (0, 1)]
    taken: Counter[tuple[str, str]] = Counter()
    for place, user in enumerate(users):
        taken[user.arn, "attached"] = before.attached[place]
        taken[user.arn, "groups"] = before.groups[place]
        taken[user.arn, "inline"] = before.inline[place]
    terms = _terms(home, others, users, before, way=way, sizes=sizes)
    plan = plan_grant(replace(terms, lasts=lasts), viewer=make.viewer(name=f"Asks {next(_numbers)}"))
    for part in plan.parts:
        assert bool(part.steps) != bool(part.refusal)
        _count(part, taken)
    for (arn, what), number in taken.items():
        inline = 10_240 if ":role/" in arn else 2048
        assert number <= QUOTAS.get(what, inline), (arn, what, number)
    _check_made(plan, before)


def _count(part: PartPlan, taken: Counter[tuple[str, str]]) -> None:
    for step in part.steps:
        params: dict[str, Any] = step.operation.params
        size = MANAGED.size(str(params.get("document") or params.get("trust") or ""))
        if step.operation.slug == "policy.create":
            assert size <= 6144
            assert len(params["name"]) <= 128
        elif step.operation.slug == "role.create":
            assert size <= 2048
            assert len(params["name"]) <= 64
        elif step.operation.slug == "trust_policy.replace":
            assert size <= 2048
        elif step.operation.slug == "group_membership.add":
            taken[params["user_arn"], "groups"] += 1
        elif step.operation.slug == "inline_policy.put":
            assert len(params["policy_name"]) <= 128
            taken[params["holder_arn"], "inline"] += size
        else:
            assert step.operation.slug == "attachment.attach"
            taken[params["holder_arn"], "attached"] += 1


def _check_made(plan: GrantPlan, before: Before) -> None:
    steps = [step for part in plan.parts for step in part.steps]
    made = Counter((step.operation.account.account_id, step.operation.slug) for step in steps)
    for (_, slug), number in made.items():
        assert number <= {"policy.create": before.policies, "role.create": before.roles}.get(slug, number)


def _account(before: Before, number: int) -> Account:
    """One that has a policy and a role, and room for so many more."""
    account = make.account(str(next(_numbers)), name=f"a{number}", write_role_arn="arn:aws:iam::1:role/w")
    make.policy(account, "there-before")
    make.role(account, "there-before")
    value = {"PoliciesQuota": 1 + before.policies, "RolesQuota": 1 + before.roles + (number == 1)}
    AccountFact.objects.create(
        account=account, name="summary", value=value, valid_from=make.FIRST_READ, observed_at=make.FIRST_READ
    )
    return account


def _user(home: Account, before: Before, place: int) -> Entity:
    user = make.user(home, f"user-{place}")
    for number in range(before.groups[place]):
        make.edge(EdgeKind.MEMBER, user, make.group(home, f"group-{place}-{number}"))
    for number in range(before.attached[place]):
        policy = make.entity(
            home, "policy", f"aws-{place}-{number}", arn=f"arn:aws:iam::aws:policy/p{place}-{number}"
        )
        make.edge(EdgeKind.ATTACHED, user, policy)
    if before.inline[place]:
        text = json.dumps({"x": ""}, separators=(",", ":"))
        make.inline(user, body={"x": "y" * (before.inline[place] - len(text))})
    return user


def _terms(
    home: Account, others: list[Account], users: list[Entity], before: Before, *, way: str, sizes: list[int]
) -> GrantTerms:
    documents = tuple(
        json.dumps({"Version": "2012-10-17", "Statement": [_statement(place, size)]})
        for place, size in enumerate(sizes)
    )
    what, accounts = GrantContent(WhatKind.STATEMENTS, documents=documents), [home]
    if way == "managed":
        what = GrantContent(WhatKind.MANAGED, policy_arn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    elif way == "group":
        what = GrantContent(WhatKind.GROUP, group_arn=make.group(home, "wanted").arn)
    elif way == "elsewhere":
        accounts = others
    elif way == "role":
        padded = {"Sid": "x" * (before.trust - 150), **make.TRUST_EC2["Statement"][0]}
        role = make.role(others[0], "there", trust={"Version": "2012-10-17", "Statement": [padded]})
        what, accounts = GrantContent(WhatKind.ROLE, role_arn=role.arn), others[:1]
    who = WhoTerms(WhoKind.USERS, arns=tuple(user.arn for user in users))
    return GrantTerms(
        who=who, what=what, accounts=tuple(account.account_id for account in accounts), why="A test"
    )


def _statement(place: int, size: int) -> dict[str, Any]:
    resources = [f"arn:aws:s3:::bucket-{place}-{number:03d}-{'x' * 30}/*" for number in range(size)]
    return {"Effect": "Allow", "Action": "s3:GetObject", "Resource": resources}
