"""What recorded calls say of taking an access away: for many people at once the same as for each call of each
person alone, with work that follows the different calls and not the people.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from iam.activity.models import TrailCaller, TrailEvent
from iam.activity.partitions import add_months
from iam.activity.queries import callers_of
from iam.activity.recorded_calls import call_groups
from iam.audit.reviews.models import ReviewCampaign, ReviewItem
from iam.audit.reviews.replays import fill_replays
from iam.mirror.models import Account, EdgeKind, Entity, TagSet
from iam.mirror.snapshot import snapshot
from iam.policy.index.side_replay import SideReplay
from iam.policy.index.sides import side_of
from iam.policy.replay import ReplayOutcome
from tests import factories
from tests.iam.audit.reviews import made

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]
TEAMS = ("payments", "data", "")


def statement(actions: str | list[str], resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resource, **more}


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


SHARED = document(
    statement(["s3:GetObject", "s3:ListBucket"], "arn:aws:s3:::shared/*"),
    statement("sqs:*", Condition={"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}),
)
HOMES = document(statement("s3:*", "arn:aws:s3:::home/${aws:username}/*"))
OF_TEAM = document(
    statement("s3:GetObject", Condition={"StringEquals": {"aws:PrincipalTag/team": "payments"}}),
    statement(
        "dynamodb:Query", Condition={"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/person-0*"}}
    ),
)
ASSUMING = document(statement("sts:AssumeRole", "arn:aws:iam::*:role/deploy"))
WITHOUT_DELETE = document(
    statement("*"), {"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "arn:aws:s3:::shared/*"}
)


def crowd(account: Account, people: int) -> list[Entity]:
    """People of two groups, every other one of a third; some have a policy twice, some a boundary."""
    groups = []
    for name, body in (("everyone", SHARED), ("assuming", ASSUMING), ("homes", HOMES)):
        group = factories.group(account, name)
        factories.edge(EdgeKind.ATTACHED, group, factories.policy(account, f"Of-{name}", body=body))
        groups.append(group)
    of_team = factories.policy(account, "OfTeam", body=OF_TEAM)
    boundary = factories.policy(account, "Boundary", body=WITHOUT_DELETE)
    users = []
    for number in range(people):
        user = factories.user(account, f"person-{number:02d}")
        for group in groups[: 2 + number % 2]:
            factories.edge(EdgeKind.MEMBER, user, group)
        factories.edge(EdgeKind.ATTACHED, user, of_team)
        if number % 4 == 3:
            factories.inline(user, "again", body=SHARED)
        if number % 5 == 4:
            factories.edge(EdgeKind.BOUNDARY, user, boundary)
        since = {"valid_from": factories.FIRST_READ, "observed_at": factories.FIRST_READ}
        TagSet.objects.create(account=account, entity=user, tags={"team": TEAMS[number % 3]}, **since)
        users.append(user)
    trust = statement("sts:AssumeRole", Principal={"AWS": users[0].arn})
    del trust["Resource"]
    factories.role(account, "deploy", trust=document(trust))
    return users


def call_all(users: list[Entity]) -> None:
    """Each calls the same things, something in its own folder, and something in the folder of the first."""
    moments = [datetime.now(tz=UTC) - timedelta(days=number + 1) for number in range(3)]
    add_months(moments)
    events = []
    for number, user in enumerate(users):
        account = user.account.account_id
        caller = TrailCaller.objects.create(
            kind="user", account_id=account, unique_id=user.aws_id, arn=user.arn, digest=user.aws_id
        )
        calls = [
            ("s3", "GetObject", "arn:aws:s3:::shared/a", "eu-west-1"),
            ("s3", "DeleteObject", "arn:aws:s3:::shared/a", "eu-west-1"),
            ("s3", "PutObject", f"arn:aws:s3:::home/{user.name}/a", "eu-west-1"),
            ("s3", "PutObject", f"arn:aws:s3:::home/{users[0].name}/a", "eu-west-1"),
            ("sqs", "SendMessage", "", "eu-west-1"),
            ("sqs", "SendMessage", "", "us-east-1"),
            ("dynamodb", "Query", "", "eu-west-1"),
            ("sts", "AssumeRole", f"arn:aws:iam::{account}:role/deploy", "eu-west-1"),
            ("sts", "GetCallerIdentity", "", "eu-west-1"),
            ("ec2", "DescribeInstances", "", "eu-west-1"),
        ]
        for place, (service, action, resource, region) in enumerate(calls * 3):
            events.append(
                TrailEvent(
                    at=moments[place % 3],
                    event_id=UUID(int=number * 1000 + place),
                    account_id=account,
                    region=region,
                    service=service,
                    action=action,
                    caller=caller,
                    resource=resource,
                    is_denied=place == 0,
                    file_id=1,
                )
            )
    TrailEvent.objects.bulk_create(events)


def one_by_one(row: ReviewItem) -> tuple[int, int, int]:
    """Calls, denied and undecided, each call of the person alone."""
    account = row.account.account_id
    groups = call_groups(callers_of(row.entity), since=datetime.now(tz=UTC) - timedelta(days=90))
    with snapshot(None, accounts={account}) as index:
        shard, member = index.accounts[account], index.member(account, row.entity_id)
        assert member is not None
        ends = {
            "member": f" of group {row.target_name}",
            "inline": f"inline policy {row.target}",
            "attached": row.target_name,
        }
        named = shard.named_policies(member.grants)
        kept = tuple(doc for name, doc in named if not name.endswith(ends[row.sort]))
        judge = SideReplay(index, member, replace(side_of(member, shard), docs=kept))
        counts = dict.fromkeys(ReplayOutcome, 0)
        for group in groups:
            if group.needs_permission and not group.was_denied:
                counts[judge.outcome(group.question, was_denied=False)] += group.calls
    calls = sum(group.calls for group in groups)
    return calls, counts[ReplayOutcome.DENIED], counts[ReplayOutcome.UNDECIDED]


def opened(people: int) -> ReviewCampaign:
    world = made.world()
    call_all(crowd(world.account, people))
    return made.opened(world)


def test_all_at_once_is_the_same_as_one_by_one() -> None:
    campaign = opened(12)
    fill_replays()
    rows = campaign.rows.filter(subject__startswith="person-").select_related("entity__account", "account")
    assert len(rows) == 12 * 3 + 6 + 3
    outcomes = set()
    for row in rows:
        told = (row.replay["calls"], row.replay["denied"], row.replay["undecided"])
        assert told == one_by_one(row), str(row)
        outcomes.add((row.target_name, told))
    # People with the same access differ: by name, tag, boundary, and what they have twice.
    assert len(outcomes) > len({target for target, _ in outcomes}) + 2, outcomes


def test_the_work_follows_the_different_calls_and_not_the_people(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without names in what people hold, those of a class are judged as one."""
    monkeypatch.setitem(HOMES, "Statement", [statement("s3:*", "arn:aws:s3:::home/*")])
    opened(30)
    asked: dict[str, int] = {}
    outcome = SideReplay.outcome

    def count(judge: SideReplay, question: Any, **how: Any) -> ReplayOutcome:
        asked[question.action] = asked.get(question.action, 0) + 1
        return outcome(judge, question, **how)

    monkeypatch.setattr(SideReplay, "outcome", count)
    with CaptureQueriesContext(connection) as queries:
        fill_replays()
    # Classes differ by mark, tag, third group, boundary, and what they have twice.
    assert asked["dynamodb:Query"] <= 15
    assert asked["sqs:SendMessage"] <= 24
    assert len(queries) < 40
