"""The table of operations: each says how its matter is made, what AWS shows afterwards, and how somebody
meddles meanwhile.

Each `cases_<resource>.py` of this folder has a tuple CASES; they are found by their names.
`test_every_operation.py` puts every case through a first run, a second run, drift, a lost worker, and undo.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import tests.iam.changes.operations as folder
from iam.changes.operations import Operation
from tests.iam.changes.operations.stage import Stage

Shows = Callable[[Stage], Any]
Becomes = Callable[[Stage, Any], Any]


def unchanged(stage: Stage, before: Any) -> Any:
    """What was shown before."""
    return before


def nothing(stage: Stage, before: Any) -> Any:
    """There is nothing."""
    return None


@dataclass(frozen=True)
class Case:
    """One operation on one matter. Its name begins with the slug; more words tell cases of one operation
    apart.

    `make` makes the matter in the stand-in and in the mirror, remembers what `shows` needs in `stage.keep`,
    and gives the operation. `shows` is the oracle: boto3's own reading of the matter, without what AWS
    assigns (unique ids, dates, numbers of versions). `after`, of the stage and of what it showed before, is
    what it must show afterwards. `meddle` alters the matter behind Gatehouse's back, to neither before nor
    after; None where nothing is between the two. `is_reversible` False: undo must be refused with the
    operation's own word. `calls` is how many writing calls it takes. `repeats` False: the call is never sent
    again when its answer was lost, and AWS does not show whether it was carried out. `undone`, of the same,
    is what undo brings back, where that is not the same. `is_slow`: AWS accepts it and does it later. `draw`
    draws the operation on a random account (`land.py`), or says why it is left out there; one case of an
    operation has it, unless `draws.py` does.
    """

    name: str
    make: Callable[[Stage], Operation]
    shows: Shows
    after: Becomes
    meddle: Callable[[Stage], None] | None = None
    is_reversible: bool = True
    calls: int = 1
    repeats: bool = True
    undone: Becomes = unchanged
    is_slow: bool = False
    draw: Callable[[Any], Operation] | str | None = None


def all_cases() -> list[Case]:
    """The cases of all files of the folder, by file."""
    cases: list[Case] = []
    for module in sorted(pkgutil.iter_modules(folder.__path__), key=lambda module: module.name):
        if module.name.startswith("cases_"):
            cases += importlib.import_module(f"{folder.__name__}.{module.name}").CASES
    return cases
