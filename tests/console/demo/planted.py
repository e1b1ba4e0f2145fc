"""The problems that Northline has on purpose, as data: what kind, in which account, which entity, and why."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("planted.json")


@dataclass(frozen=True)
class Problem:
    """One planted problem; `more` holds what only some kinds have (actions, service, policy, instance)."""

    kind: str
    account: str
    arn: str
    why: str
    more: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.kind}-{self.arn.rsplit('/', 1)[-1]}"


def _problems(part: str) -> tuple[Problem, ...]:
    rows = json.loads(FILE.read_text())[part]
    names = ("kind", "account", "arn", "why")
    return tuple(Problem(*(row.pop(name) for name in names), more=row) for row in rows)


PLANTED = _problems("planted")
# Entities that only look wrong: reporting them is a false finding.
HARMLESS = _problems("harmless")
