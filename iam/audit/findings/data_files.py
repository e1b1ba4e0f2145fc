"""Loads the data files of rules, which change when AWS does."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

DATA: Final = Path(__file__).parent / "data"


def _lines(name: str) -> list[list[str]]:
    lines = (DATA / name).read_text(encoding="utf-8").splitlines()
    return [line.split() for line in lines if line and not line.startswith("#")]


@cache
def services_with_source() -> frozenset[str]:
    """The service principals that send aws:SourceAccount or aws:SourceArn."""
    return frozenset(words[0] for words in _lines("services_with_source.txt"))


@cache
def deprecated_policies() -> dict[str, str]:
    """Names of deprecated AWS managed policies, with the replacement of each ("" for none)."""
    return {words[0]: " ".join(words[1:]) for words in _lines("deprecated_policies.txt")}
