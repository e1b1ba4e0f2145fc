"""Draws a random sample of a period's changes that anyone can repeat from its seed.

Each change is ranked by the SHA-256 of the seed, a colon and its id; the sample consists of the lowest
digests. The draw depends on no library, and a larger sample of a seed contains the smaller one.
"""

from __future__ import annotations

import hashlib
import heapq
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models import QuerySet

from iam.audit.evidence.change_facts import COLUMNS, KEYS, rows_of
from iam.audit.evidence.tables import PackTable
from iam.changes.models import Change, ChangeState

USUAL_SIZE: Final = 25
MOST: Final = 500
SEED: Final = re.compile(r"[0-9A-Za-z._-]{1,64}\Z")


@dataclass(frozen=True, slots=True)
class ChangeSample:
    """The drawn changes, in draw order, out of `population`."""

    seed: str
    population: int
    ids: tuple[UUID, ...]


def new_seed() -> str:
    """A random seed."""
    return secrets.token_hex(8)


def rank(seed: str, pk: UUID) -> str:
    """The rank of a change; the lowest ranks are drawn."""
    return hashlib.sha256(f"{seed}:{pk}".encode()).hexdigest()


def lowest(ids: Iterable[UUID], *, seed: str, size: int) -> tuple[UUID, ...]:
    """The ids with the lowest ranks."""
    return tuple(heapq.nsmallest(size, ids, key=lambda pk: rank(seed, pk)))


def draw(changes: QuerySet[Change], *, seed: str, size: int) -> ChangeSample:
    """Draw from the completed changes of the period. One query, streamed."""
    done = changes.filter(state=ChangeState.APPLIED)
    ids = done.order_by().values_list("pk", flat=True)
    return ChangeSample(seed, done.count(), lowest(ids.iterator(), seed=seed, size=size))


def sample_table(changes: QuerySet[Change], sample: ChangeSample) -> PackTable:
    """The table of the sample, each change with its full trail."""
    drawn = f"{len(sample.ids):,} of {sample.population:,}"
    return PackTable(
        name="sample",
        title="Random sample of changes",
        note=f"{drawn} changes that were done in the period, drawn with the seed {sample.seed}. A change is "
        "drawn if the SHA-256 of the seed, a colon and its id is among the lowest.",
        keys=KEYS,
        columns=COLUMNS,
        rows=lambda: rows_of(sample.ids, changes),
        facts={"seed": sample.seed, "population": sample.population, "size": len(sample.ids)},
    )
