"""Making very many objects, most of which stay, without a search for garbage after every thousand of them."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

LARGE: Final = 200_000
"""Characters of a text from which on the search takes longer than the reading."""


@contextmanager
def without_collecting(size: int) -> Iterator[None]:
    """Pause the garbage collector while a text of so many characters is worked on, if it is a large one."""
    if size < LARGE or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        _grow_old()
        gc.enable()


@contextmanager
def collecting_paused() -> Iterator[None]:
    """Pause the garbage collector while many objects are made; the first search afterwards is among the young
    ones only.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _grow_old() -> None:
    """What was made stays: put it into the oldest generation at once, without a look at each object.

    A process that keeps an index has it frozen already, and nothing of that may thaw.
    """
    has_frozen = gc.get_freeze_count() > 0
    gc.freeze()
    if not has_frozen:
        gc.unfreeze()
