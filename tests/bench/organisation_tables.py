"""Writes the organisation of `tests.bench.organisation` into the tables of the mirror, without the pull
engine.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import transaction

from iam.mirror.models import (
    Account,
    AccountFact,
    Document,
    Edge,
    Entity,
    EntityState,
    InlinePolicy,
    PolicyVersion,
    TagSet,
)
from iam.policy.index.rows import AccountRows, OrganizationStanding
from tests.bench.list_rows import BEGAN, insert
from tests.bench.organisation import Maker

BATCH = 100
TREE = 2_000_000_000
ORGANIZATION = "o-bench000000"
Row = dict[str, Any]


class Writer:
    """Writes accounts in batches; keys of accounts and numbers of entities are those of the rows."""

    def __init__(self) -> None:
        self._stored: set[str] = set()
        self._edges = 0
        self._facts = 0

    def write(self, maker: Maker, count: int) -> None:
        """So many accounts, the first of which is the management account and shows the tree."""
        for first in range(0, count, BATCH):
            batch = list(maker.accounts(min(BATCH, count - first), first=first))
            with transaction.atomic():
                self._batch(maker, batch, first)
        with transaction.atomic():
            self._tree(maker, count)

    def _batch(self, maker: Maker, batch: list[AccountRows], first: int) -> None:
        new = {digest: text for digest, text in maker.texts.items() if digest not in self._stored}
        self._stored |= new.keys()
        insert(Document, ({"digest": digest, "text": text} for digest, text in new.items()))
        pks = {rows.number: first + place + 1 for place, rows in enumerate(batch)}
        insert(Account, (_account(rows.number, pk) for rows, pk in ((r, pks[r.number]) for r in batch)))
        entities = [row for rows in batch for row in _entities(rows, pks[rows.number])]
        insert(Entity, (_entity(row) for row in entities))
        insert(EntityState, (_state(row) for row in entities))
        insert(Edge, (self._edge(row) for rows in batch for row in _edges(rows, pks[rows.number])))
        insert(InlinePolicy, (row for rows in batch for row in _inline(rows, pks[rows.number])))
        insert(PolicyVersion, (row for rows in batch for row in _versions(rows, pks[rows.number])))
        insert(TagSet, (row for rows in batch for row in _tags(rows, pks[rows.number])))
        insert(AccountFact, (self._fact(pks[rows.number]) for rows in batch))

    def _edge(self, row: Row) -> Row:
        self._edges += 1
        return _span() | {"id": self._edges} | row

    def _fact(self, account: int) -> Row:
        self._facts += 1
        value = {"Id": ORGANIZATION, "ManagementAccountId": "100000000000"}
        return _span() | {"id": self._facts, "account_id": account, "name": "organization", "value": value}

    def _tree(self, maker: Maker, count: int) -> None:
        """Root, five units, the accounts, and the policies at each, as entities of the first account."""
        places: list[Row] = [
            _place(
                TREE,
                "org-root",
                "r-0000",
                attrs={"PolicyTypes": ["RESOURCE_CONTROL_POLICY", "SERVICE_CONTROL_POLICY"]},
            )
        ]
        edges: list[Row] = []
        standings = [maker.account(place).standing for place in range(5)]
        for unit in range(5):
            places.append(_place(TREE + 1 + unit, "org-unit", f"ou-{unit}"))
            edges.append(_tie("parent", TREE + 1 + unit, TREE))
        for place in range(count):
            places.append(_place(TREE + 1000 + place, "org-account", f"{100_000_000_000 + place}"))
            edges.append(_tie("parent", TREE + 1000 + place, TREE + 1 + place % 5))
        policies = {row.id: row for standing in standings for level in standing.scps for row in level}
        for row in policies.values():
            places.append(_place(TREE + 100 + row.id, "scp", f"p-{row.id}", document=row.digest))
        places.append(_place(TREE + 200, "rcp", "p-rcp", document=standings[0].rcps[0][0].digest))
        insert(Entity, (_entity(row) for row in places))
        insert(EntityState, (_state(row) for row in places))
        insert(Edge, (self._edge(row) for row in (*edges, *_targets(standings, count))))


def _targets(standings: list[OrganizationStanding], count: int) -> Iterator[Row]:
    for row in standings[0].scps[0]:
        yield _tie("target", TREE + 100 + row.id, TREE)
    for unit, standing in enumerate(standings):
        for row in standing.scps[1]:
            yield _tie("target", TREE + 100 + row.id, TREE + 1 + unit)
    for place in range(count):
        yield _tie("target", TREE + 100, TREE + 1000 + place)
        yield _tie("target", TREE + 200, TREE + 1000 + place)
    for step in range(6):
        yield _tie("target", TREE + 200, TREE + step)


def _span() -> Row:
    return {"valid_from": BEGAN, "observed_at": BEGAN, "cause_kind": "", "end_cause_kind": ""}


def _account(number: str, pk: int) -> Row:
    role = f"arn:aws:iam::{number}:role/reader"
    return {
        "id": pk,
        "account_id": number,
        "name": f"account-{pk}",
        "source": "role",
        "role_arn": role,
        "created_at": BEGAN,
    }


def _place(pk: int, kind: str, aws_id: str, *, document: str | None = None, attrs: Row | None = None) -> Row:
    return {
        "pk": pk,
        "account": 1,
        "kind": kind,
        "aws_id": aws_id,
        "name": aws_id,
        "arn": "",
        "document": document,
        "attrs": attrs or {},
    }


def _tie(kind: str, source: int, target: int) -> Row:
    return {"account_id": 1, "kind": kind, "source_id": source, "target_id": target}


def _entities(rows: AccountRows, account: int) -> Iterator[Row]:
    for policy in rows.policies:
        yield _of(policy.id, account, "policy", f"ANPA{policy.id:017d}", policy.name, None)
    for group in rows.groups:
        arn = f"arn:aws:iam::{rows.number}:group/{group.name}"
        yield _of(group.id, account, "group", f"AGPA{group.id:017d}", arn, None)
    for principal_row in rows.principals:
        yield _of(
            principal_row.id,
            account,
            "user" if ":user/" in principal_row.arn else "role",
            principal_row.unique_id,
            principal_row.arn,
            principal_row.trust,
        )


def _of(pk: int, account: int, kind: str, aws_id: str, arn: str, document: str | None) -> Row:
    name = arn.rpartition("/")[2]
    return {
        "pk": pk,
        "account": account,
        "kind": kind,
        "aws_id": aws_id,
        "name": name,
        "arn": arn,
        "document": document,
        "attrs": {},
    }


def _entity(row: Row) -> Row:
    return {
        "id": row["pk"],
        "account_id": row["account"],
        "kind": row["kind"],
        "aws_id": row["aws_id"],
        "name": row["name"],
        "arn": row["arn"],
        "search": f"{row['arn']} {row['aws_id']}".lower(),
        "first_seen": BEGAN,
    }


def _state(row: Row) -> Row:
    return _span() | {
        "id": row["pk"],
        "entity_id": row["pk"],
        "account_id": row["account"],
        "kind": row["kind"],
        "name": row["name"],
        "sort_name": row["name"].lower(),
        "arn": row["arn"],
        "created_at": BEGAN,
        "document_id": row["document"],
        "attrs": row["attrs"],
        "digest": f"{row['pk']:032d}",
    }


def _edges(rows: AccountRows, account: int) -> Iterator[Row]:
    for holder in (*rows.groups, *rows.principals):
        grants = holder.grants
        ties = [("attached", target) for target in dict.fromkeys(grants.attached)]
        ties += [("member", target) for target in grants.groups]
        if grants.boundary is not None:
            ties.append(("boundary", grants.boundary))
        for kind, target in ties:
            yield {"account_id": account, "kind": kind, "source_id": holder.id, "target_id": target}


def _inline(rows: AccountRows, account: int) -> Iterator[Row]:
    for principal_row in rows.principals:
        for name, digest in principal_row.grants.inline:
            yield _span() | {
                "id": principal_row.id,
                "account_id": account,
                "owner_id": principal_row.id,
                "name": name,
                "document_id": digest,
            }


def _versions(rows: AccountRows, account: int) -> Iterator[Row]:
    for policy in rows.policies:
        yield _span() | {
            "id": policy.id,
            "account_id": account,
            "policy_id": policy.id,
            "version_id": "v1",
            "document_id": policy.digest,
            "is_default": True,
        }


def _tags(rows: AccountRows, account: int) -> Iterator[Row]:
    for principal_row in rows.principals:
        if principal_row.tags:
            yield _span() | {
                "id": principal_row.id,
                "account_id": account,
                "entity_id": principal_row.id,
                "tags": dict(principal_row.tags),
            }
