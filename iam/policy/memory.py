"""Pauses garbage collection while very many objects are created, most of which are kept."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

LARGE: Final = 200_000
"""Number of characters from which garbage collection takes longer than parsing."""


@contextmanager
def without_collecting(size: int) -> Iterator[None]:
    """Pause the garbage collector while a text of `size` characters is parsed, if that is large."""
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
    """Pause the garbage collector while many objects are created. The next collection then looks only at
    young objects.
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
    """Move new objects to the oldest generation at once, without examining each.

    If the process has frozen an index already, its objects must stay frozen.
    """
    has_frozen = gc.get_freeze_count() > 0
    gc.freeze()
    if not has_frozen:
        gc.unfreeze()
