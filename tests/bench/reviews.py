"""An access review of many people: opening it, its pages at both ends, decisions, and what recorded calls say
of each row. Times are of our own CPU. A second argument is another number of people.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from tests.bench.both import Figures, on_both
from tests.bench.floor import figure

PEOPLE: Final = 10_000
ROWS_EACH: Final = 6
GROUPS: Final = 300
DECISIONS: Final = 100
ROUNDS: Final = 20
CALLS: Final = (
    ("s3", "GetObject"), ("s3", "PutObject"), ("s3", "DeleteObject"), ("sqs", "SendMessage"),
    ("sqs", "ReceiveMessage"), ("dynamodb", "Query"), ("ec2", "DescribeInstances"), ("lambda", "Invoke"),
)  # fmt: skip
"""What each person calls, in two Regions, in a bucket of theirs and in one of somebody else."""
LIMITS = {"open": 60, "ms": 25, "depth": 1.5, "decision": 50, "replay": 6}
NUMBER = "111111111111"


def run() -> Figures:
    """The figures of both databases."""
    return on_both("tests.bench.reviews")


def measure(database: str, people: int = PEOPLE) -> Figures:
    """The figures of the configured database."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    _seed(people)
    _seed_calls()
    return _figures(database, people)


def _seed(people: int) -> None:
    from django.db import transaction

    from iam.mirror.models import EdgeKind
    from tests import factories

    with transaction.atomic():
        account = factories.account(NUMBER, write_role_arn=f"arn:aws:iam::{NUMBER}:role/w")
        factories.synced(account)
        with factories.at_once():
            groups = [factories.group(account, f"g{number}") for number in range(GROUPS)]
            policies = [
                factories.policy(account, f"p{number}", body=_body(number)) for number in range(GROUPS)
            ]
            for group, policy in zip(groups, policies, strict=True):
                factories.edge(EdgeKind.ATTACHED, group, policy)
            for number in range(people):
                user = factories.user(account, f"u{number:06d}")
                for step in range(ROWS_EACH - 1):
                    factories.edge(EdgeKind.MEMBER, user, groups[(number + step * 7) % GROUPS])
                factories.edge(EdgeKind.ATTACHED, user, policies[number % GROUPS])


def _seed_calls() -> None:
    """Calls of everybody of the last two months."""
    from iam.activity.models import TrailCaller, TrailEvent
    from iam.activity.partitions import add_months
    from iam.mirror.models import Entity

    now = datetime.now(tz=UTC)
    moments = [now - timedelta(days=2 * number + 1) for number in range(30)]
    add_months(moments)
    users = list(Entity.objects.filter(kind="user").order_by("pk"))
    callers = TrailCaller.objects.bulk_create(
        TrailCaller(kind="user", account_id=NUMBER, unique_id=user.aws_id, arn=user.arn, digest=user.aws_id)
        for user in users
    )
    events = []
    for number, caller in enumerate(callers):
        for place, (service, action) in enumerate(CALLS * 2):
            bucket = number % GROUPS if place % 2 else (number + 7) % GROUPS
            events.append(
                TrailEvent(
                    at=moments[place],
                    event_id=UUID(int=number * 100 + place),
                    account_id=NUMBER,
                    region="eu-west-1" if place < len(CALLS) else "eu-central-1",
                    service=service,
                    action=action,
                    caller=caller,
                    resource=f"arn:aws:s3:::b{bucket}/a",
                    is_denied=False,
                    file_id=1,
                )
            )
    TrailEvent.objects.bulk_create(events, batch_size=5_000)


def _body(number: int) -> dict[str, Any]:
    actions = ["s3:GetObject", "s3:PutObject", "sqs:*", "dynamodb:Query"]
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": actions, "Resource": f"arn:aws:s3:::b{number}/*"}],
    }


def _cpu(function: Callable[[], Any]) -> float:
    began = time.process_time()
    function()
    return time.process_time() - began


def _figures(database: str, people: int) -> Figures:
    from django.test import Client

    from iam.audit.reviews.campaigns import CampaignDraft, open_campaign, start
    from iam.audit.reviews.decisions import decide
    from iam.audit.reviews.terms import ReviewTerms
    from iam.directory.models import Role
    from iam.guard import viewer_for
    from tests import factories

    operator = factories.operator(Role.ADMINISTRATOR, name="Ines Duarte")
    second = factories.operator(Role.APPROVER, name="Hana Sato")
    actor, now = viewer_for(operator.person), datetime.now(tz=UTC)
    terms = ReviewTerms(reviewers="named")
    draft = CampaignDraft("Bench", "Bench", terms, now + timedelta(days=9), actor.person_id, second.person.pk)
    campaign = start(draft, actor=actor, now=now)
    opening = _cpu(lambda: open_campaign(campaign, actor=actor, by_worker=False))
    campaign.refresh_from_db()
    client = Client()
    client.force_login(operator)
    pages = _pages(client, campaign)
    rows = list(campaign.rows.order_by("subject", "pk")[:DECISIONS])
    replayed = _replays(people)

    def decisions() -> None:
        for row in rows:
            decide(campaign, {row.pk: row.version}, "keep", reason="", actor=actor, now=now)

    of_service = 1000 * _cpu(decisions) / len(rows)
    of_page = _page_decision(client, campaign)
    count = campaign.rows.count()
    name = f"review of {people:,} people, {database}"
    return [
        figure(f"{name}: rows", count, ""),
        figure(f"{name}: opened in", opening, "s CPU", limit=LIMITS["open"]),
        figure(f"{name}: first page", pages[0], "ms CPU", limit=LIMITS["ms"]),
        figure(f"{name}: last page", pages[1], "ms CPU", limit=LIMITS["ms"]),
        figure(f"{name}: last page to first", pages[1] / pages[0], "", limit=LIMITS["depth"]),
        figure(f"{name}: a decision (service)", of_service, "ms CPU", limit=LIMITS["decision"]),
        figure(f"{name}: a decision (page)", of_page, "ms CPU", limit=LIMITS["decision"]),
        *(
            figure(f"{name}: replay, {what}", value, unit, limit=limit)
            for what, value, unit, limit in replayed
        ),
    ]


def _replays(people: int) -> list[tuple[str, float, str, float | None]]:
    """Processor time for each person, and how many runs of the worker, which has one a minute, it takes."""
    from iam.audit.reviews.models import ReviewItem
    from iam.audit.reviews.replays import fill_replays

    filled, seconds = [1], 0.0
    while filled[-1]:
        seconds += _cpu(lambda: filled.append(fill_replays()))
    runs = sum(number > 0 for number in filled[1:])
    assert sum(filled[1:]) == ReviewItem.objects.count()
    denied = ReviewItem.objects.filter(replay__denied__gt=0).count()
    assert denied > people / 2, denied
    return [
        ("each person", 1000 * seconds / people, "ms CPU", LIMITS["replay"]),
        ("runs, one a minute", runs, "", people / 2_000),
    ]


def _pages(client: Any, campaign: Any) -> tuple[float, float]:
    """Milliseconds of the first page and of one near the end, whole."""
    from console.web.page_cursors import word_of
    from iam.keyset import KeysetPlace

    last = campaign.rows.order_by("-subject", "-pk")[60]
    path = f"/reviews/{campaign.pk}/"
    addresses = (path, f"{path}?after={word_of(KeysetPlace(last.subject, last.pk))}")
    times = []
    for address in addresses:
        client.get(address)

        def ask(address: str = address) -> None:
            for _ in range(ROUNDS):
                response = client.get(address)
                assert response.status_code == 200
                assert response.content.count(b"data-row=") > 10

        times.append(1000 * _cpu(ask) / ROUNDS)
    return times[0], times[1]


def _page_decision(client: Any, campaign: Any) -> float:
    """Milliseconds of a decision by the form of a row."""
    rows = list(campaign.rows.filter(decision="").order_by("subject", "pk")[:DECISIONS])

    def ask() -> None:
        for row in rows:
            path = f"/reviews/{campaign.pk}/rows/{row.pk}/decide/"
            response = client.post(path, {"version": "0", "decision": "keep"}, HTTP_HX_REQUEST="true")
            assert response.status_code == 200

    return 1000 * _cpu(ask) / len(rows)


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], *map(int, sys.argv[2:]))))
