"""Millions of CloudTrail events in PostgreSQL, made by the database itself: 90 days, by month as in
production, with the rollups that reading trail files would have made of them. The same for the same numbers.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import connection, transaction
from django.utils import timezone

from iam.activity.models import TrailCaller
from iam.activity.partitions import add_months
from iam.activity.sources.models import ReadSpan, SpanBasis
from iam.mirror.models import Entity
from tests import factories

DAYS: Final = 90
START: Final = (datetime.now(tz=UTC) - timedelta(days=DAYS)).replace(
    hour=0, minute=0, second=0, microsecond=0
)
CALLERS: Final = 10_000
"""The first make most calls: number n of them about as many as n to the power of -2/3 says."""
ACCOUNTS: Final = 20
FIRST_ACCOUNT: Final = 100_000_000_000
REGIONS: Final = ("eu-west-1", "eu-central-1", "us-east-1", "us-west-2", "ap-south-1")
SERVICES: Final = 30
SERVICES_EACH: Final = 8
ACTIONS_EACH: Final = 8
"""A principal calls so many of the services, and so many actions of each, the first most often: 64 in all."""
SLICES: Final = 5
"""A part of the events of all 90 days; the parts do not overlap."""

_DICE: Final = "(hashint8extended(n, {seed}) & 1048575) / 1048576.0"
_EVENTS: Final = f"""
INSERT INTO activity_event (
  at, event_id, account_id, region, service, action, caller_id, session_name, access_key, source_identity,
  person, instance_id, mfa, source_address, tool, error_code, is_denied, is_read_only, resource, raw, file_id)
SELECT
  at, event_id, (%(first_account)s + caller %% %(accounts)s)::text, region,
  CASE service WHEN 0 THEN 'iam' ELSE 'service-' || service END, 'Action' || action,
  %(first_caller)s + caller, CASE caller %% 5 WHEN 0 THEN 'session-' || n %% 50 ELSE '' END,
  CASE caller %% 5 WHEN 0 THEN '' ELSE 'AKIA' || lpad(caller::text, 16, '0') END, '', '', '',
  CASE caller %% 5 WHEN 1 THEN address > 0.1 END,
  '198.51.' || (caller %% 250) || '.' || floor(250 * power(address, 9)), 'aws-cli/2.31.8',
  CASE WHEN result < 0.01 THEN 'AccessDenied' WHEN result < 0.03 THEN 'ThrottlingException' ELSE '' END,
  result < 0.01, change > 0.15, 'arn:aws:s3:::bucket-' || n %% 1000,
  '{{"requestID":"' || event_id || '","requestParameters":"' || repeat('x', 300) || '"}}', 1
FROM (
  SELECT n, %(start)s::timestamptz + n * (%(days)s * interval '1 day' / %(total)s) AS at,
    md5(n::text)::uuid AS event_id,
    floor(%(callers)s * power({_DICE.format(seed=1)}, 3))::int AS caller,
    floor(%(callers)s * power({_DICE.format(seed=1)}, 3))::int * 7 %% %(services)s
      + floor(%(services_each)s * power({_DICE.format(seed=2)}, 2))::int AS service,
    floor(%(actions)s * power({_DICE.format(seed=3)}, 2))::int AS action,
    {_DICE.format(seed=4)} AS address, {_DICE.format(seed=5)} AS result, {_DICE.format(seed=6)} AS change,
    (%(regions)s::text[])[1 + n %% 5] AS region
  FROM generate_series(%(from)s::bigint, %(total)s::bigint - 1, %(slices)s::bigint) AS n) AS made
"""
_INDEXES: Final = """
SELECT indexname, indexdef FROM pg_indexes
WHERE tablename = 'activity_event' AND indexname NOT LIKE '%_pkey'
"""
_DAYS: Final = """
INSERT INTO activity_day
  (caller_id, day, service, action, account_id, calls, errors, denied, first_at, last_at)
SELECT caller_id, (at AT TIME ZONE 'UTC')::date, service, action, account_id, count(*),
  count(*) FILTER (WHERE error_code <> ''), count(*) FILTER (WHERE is_denied), min(at), max(at)
FROM activity_event GROUP BY 1, 2, 3, 4, 5
"""
_ACTIONS: Final = """
INSERT INTO activity_action (caller_id, service, action, calls, errors, denied, first_at, last_at)
SELECT caller_id, service, action, sum(calls), sum(errors), sum(denied), min(first_at), max(last_at)
FROM activity_day GROUP BY 1, 2, 3
"""
_ADDRESSES: Final = """
INSERT INTO activity_address (caller_id, address, calls, first_at, last_at)
SELECT caller_id, source_address, count(*), min(at), max(at) FROM activity_event GROUP BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Principals:
    """The mirror's side of those whose pages are asked for: number of calls falls from one to the next.
    `twofold` is a user of whom some events tell no unique ID: two principals of the trail.
    """

    busiest: Entity
    busy_user: Entity
    usual_user: Entity
    twofold: Entity
    first_caller: int


def number_of(caller: int) -> str:
    """The account of a caller."""
    return f"{FIRST_ACCOUNT + caller % ACCOUNTS}"


def seed_principals() -> Principals:
    """All principals of the trail, their accounts, some of them in the mirror, and which time was read."""
    with transaction.atomic():
        accounts = [
            factories.account(number_of(number), name=f"account-{number}") for number in range(ACCOUNTS)
        ]
        for account in accounts:
            factories.synced(account)
        busiest = factories.role(accounts[0], "deploy")
        busy_user = factories.user(accounts[1], "maya")
        usual_user = factories.user(accounts[301 % ACCOUNTS], "tomas")
        twofold = factories.user(accounts[2], "priya")
        known = {
            0: ("role", busiest.aws_id, busiest.arn, busiest.name),
            1: ("user", busy_user.aws_id, busy_user.arn, busy_user.name),
            2: ("user", twofold.aws_id, twofold.arn, twofold.name),
            # The same user in events that tell no unique ID.
            22: ("user", "", twofold.arn, twofold.name),
            301: ("user", usual_user.aws_id, usual_user.arn, usual_user.name),
        }
        rows = [_caller(number, known.get(number)) for number in range(CALLERS)]
        TrailCaller.objects.bulk_create(rows)
        ReadSpan.objects.bulk_create(_spans())
    first = TrailCaller.objects.order_by("pk").values_list("pk", flat=True)[0]
    return Principals(busiest, busy_user, usual_user, twofold, first)


def _caller(number: int, known: tuple[str, str, str, str] | None) -> TrailCaller:
    kind, unique_id, arn, name = known or (
        "role" if number % 5 == 0 else "user",
        f"AIDB{number:017d}",
        f"arn:aws:iam::{number_of(number)}:user/other-{number}",
        f"other-{number}",
    )
    digest = hashlib.blake2b(f"{number}".encode(), digest_size=16).hexdigest()
    account = number_of(number)
    return TrailCaller(kind=kind, account_id=account, unique_id=unique_id, arn=arn, name=name, digest=digest)


def _spans() -> list[ReadSpan]:
    spans = []
    for number in range(ACCOUNTS):
        for region in REGIONS:
            spans.append(
                ReadSpan(
                    account_id=number_of(number),
                    region=region,
                    basis=SpanBasis.DIGEST,
                    start=START,
                    end=timezone.now(),
                )
            )
    return spans


def seed_events(principals: Principals, total: int, *, slices: range) -> None:
    """Some of the SLICES parts of `total` events, and the rollups of all events that there are by now."""
    add_months(START + timedelta(days=day) for day in range(DAYS + 1))
    with connection.cursor() as cursor:
        cursor.execute(_INDEXES)
        indexes = cursor.fetchall()
        # Made anew afterwards, which takes a part of the time.
        for name, _ in indexes:
            cursor.execute(f"DROP INDEX {name}")
        for number in slices:
            cursor.execute(
                _EVENTS,
                {
                    "accounts": ACCOUNTS,
                    "actions": ACTIONS_EACH,
                    "callers": CALLERS,
                    "days": DAYS,
                    "first_account": FIRST_ACCOUNT,
                    "first_caller": principals.first_caller,
                    "from": number,
                    "regions": list(REGIONS),
                    "services": SERVICES,
                    "services_each": SERVICES_EACH,
                    "slices": SLICES,
                    "start": START,
                    "total": total,
                },
            )
        for _, definition in indexes:
            cursor.execute(definition.replace(" ON ONLY ", " ON "))
        cursor.execute("TRUNCATE activity_day, activity_action, activity_address")
        cursor.execute(_DAYS)
        cursor.execute(_ACTIONS)
        cursor.execute(_ADDRESSES)
        # As autovacuum does.
        cursor.execute("VACUUM (ANALYZE)")
