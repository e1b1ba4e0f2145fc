"""How much work an act is, counted in calls and not in seconds: a busy machine counts the same."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest


def calls_of(act: Callable[[], Any]) -> int:
    """How many functions are called, those of C included, until the act has returned."""
    calls = 0

    def count(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal calls
        if event in ("call", "c_call"):
            calls += 1

    former = sys.getprofile()
    sys.setprofile(count)
    try:
        act()
    finally:
        sys.setprofile(former)
    return calls


def calls_of_method(monkeypatch: pytest.MonkeyPatch, owner: type, name: str) -> list[object]:
    """A list that grows with each call of a method."""
    calls: list[object] = []
    method = getattr(owner, name)

    def counted(*arguments: object, **named: object) -> object:
        calls.append(arguments)
        return method(*arguments, **named)

    monkeypatch.setattr(owner, name, counted)
    return calls
