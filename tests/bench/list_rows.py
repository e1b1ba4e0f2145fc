"""Seeds the mirror with as many users as the lists must bear, without the pull engine: rows straight into the
tables.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, models, transaction

from iam.mirror.models import (
    NEVER,
    Account,
    Edge,
    Entity,
    EntityState,
    Pull,
    Section,
    TagSet,
    Usage,
    UserCredentials,
)

BEGAN = datetime.now(tz=UTC).replace(microsecond=0) - timedelta(hours=1)
FIRST = (
    "maya",
    "tomas",
    "priya",
    "ines",
    "jonah",
    "sofia",
    "kwame",
    "hana",
    "lukas",
    "amara",
    "elif",
    "yuki",
)
LAST = (
    "okafor",
    "lind",
    "raman",
    "duarte",
    "weiss",
    "marchetti",
    "boateng",
    "sato",
    "novak",
    "diallo",
    "kaya",
)
MFA = ("none", "virtual", "virtual", "virtual", "security-key", "several", "hardware")


def _value(field: models.Field[Any, Any], value: Any) -> Any:
    if isinstance(field, models.JSONField):
        return json.dumps(value)
    return field.get_db_prep_save(value, connection)


def insert(model: type[models.Model], rows: Iterable[dict[str, Any]]) -> None:
    """Rows as mappings of attribute names; what is left out takes the default of the field."""
    fields = list(model._meta.local_concrete_fields)
    columns = ", ".join(connection.ops.quote_name(f.column) for f in fields)
    table = connection.ops.quote_name(model._meta.db_table)
    ready = (
        tuple(_value(f, row[f.attname] if f.attname in row else f.get_default()) for f in fields)
        for row in rows
    )
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                for row in ready:
                    copy.write_row(
                        [getattr(v, "dumps", lambda v=v: v)() if v is not None else None for v in row]
                    )
        else:
            marks = ", ".join("%s" for _ in fields)
            cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", list(ready))


def _span() -> dict[str, Any]:
    return {"valid_from": BEGAN, "observed_at": BEGAN, "cause_kind": "", "end_cause_kind": ""}


def _users(
    account: Account, first: int, count: int, groups: int, dice: random.Random
) -> Iterator[dict[str, Any]]:
    for number in range(first, first + count):
        machine = dice.random() < 0.15
        login = f"ci-{number}" if machine else f"{dice.choice(FIRST)}.{dice.choice(LAST)}{number}"
        key = BEGAN - timedelta(days=int(dice.expovariate(1 / 60)), seconds=dice.randrange(86_400))
        yield {
            "pk": number,
            "login": login,
            "machine": machine,
            "mfa": "none" if machine else dice.choice(MFA),
            "key": key if machine or dice.random() < 0.4 else NEVER,
            "used": NEVER
            if dice.random() < 0.1
            else BEGAN - timedelta(minutes=int(dice.expovariate(1 / 30_000))),
            "created": BEGAN - timedelta(minutes=dice.randrange(300_000, 2_000_000)),
            "groups": sorted(dice.sample(range(groups), dice.randrange(1, 4))),
            "account": account,
        }


def _entity(user: dict[str, Any], kind: str = "user") -> dict[str, Any]:
    account = user["account"]
    arn = f"arn:aws:iam::{account.account_id}:{kind}/{user['login']}"
    aws_id = f"AIDA{user['pk']:017d}"
    return {
        "id": user["pk"],
        "account_id": account.pk,
        "kind": kind,
        "aws_id": aws_id,
        "name": user["login"],
        "arn": arn,
        "search": f"{arn} {aws_id}".lower(),
        "first_seen": BEGAN,
    }


def _state(user: dict[str, Any], kind: str = "user") -> dict[str, Any]:
    return _span() | {
        "id": user["pk"],
        "entity_id": user["pk"],
        "account_id": user["account"].pk,
        "kind": kind,
        "name": user["login"],
        "sort_name": user["login"].lower(),
        "path": "/",
        "arn": f"arn:aws:iam::{user['account'].account_id}:{kind}/{user['login']}",
        "created_at": user["created"],
        "category": "user" if kind == "user" else "",
        "digest": f"{user['pk']:032d}",
    }


def _credentials(user: dict[str, Any]) -> dict[str, Any]:
    keys = int(user["key"] != NEVER)
    return _span() | {
        "id": user["pk"],
        "account_id": user["account"].pk,
        "user_id": user["pk"],
        "has_password": not user["machine"],
        "mfa": user["mfa"],
        "active_keys": keys,
        "keys": keys,
        "oldest_key_at": user["key"],
    }


def _edges(users: list[dict[str, Any]], offset: int) -> Iterator[dict[str, Any]]:
    number = 0
    for user in users:
        for group in user["groups"]:
            number += 1
            yield _span() | {
                "id": offset * 10 + number,
                "account_id": user["account"].pk,
                "kind": "member",
                "source_id": user["pk"],
                "target_id": user["group_base"] + group,
            }


def seed_account(account_id: str, *, name: str, first: int, users: int, groups: int = 300) -> Account:
    """An account with users, their groups, credentials, use and tags; entity numbers begin at `first`."""
    dice = random.Random(first)
    account = Account.objects.create(
        account_id=account_id, name=name, source="role", role_arn=f"arn:aws:iam::{account_id}:role/reader"
    )
    teams = [
        {"pk": first + n, "login": f"team-{n:03d}", "account": account, "created": BEGAN}
        for n in range(groups)
    ]
    people = list(_users(account, first + groups, users, groups, dice))
    for user in people:
        user["group_base"] = first
    with transaction.atomic():
        insert(Entity, [*(_entity(t, "group") for t in teams), *map(_entity, people)])
        insert(EntityState, [*(_state(t, "group") for t in teams), *map(_state, people)])
        insert(UserCredentials, map(_credentials, people))
        insert(Edge, _edges(people, first))
        insert(
            Usage,
            (
                {
                    "entity_id": u["pk"],
                    "account_id": account.pk,
                    "kind": "user",
                    "last_used_at": u["used"],
                    "details": {}
                    if u["machine"] or u["used"] == NEVER
                    else {"password_last_used": u["used"].isoformat()},
                    "observed_at": BEGAN,
                }
                for u in people
            ),
        )
        insert(
            TagSet,
            (
                _span()
                | {
                    "id": u["pk"],
                    "entity_id": u["pk"],
                    "account_id": account.pk,
                    "tags": {"DisplayName": u["login"].title(), "CostCenter": "4711"},
                }
                for u in people[::3]
            ),
        )
        Section.objects.create(
            account=account, name="users", state="complete", observed_at=BEGAN, count=users
        )
        Pull.objects.create(account=account, state="complete", began_at=BEGAN, ended_at=BEGAN, added=users)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return account
