"""The contracts between packages name every package, so that a new one is under them from its first day."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from tests.house_rules import ROOT

CONTRACTS: dict[str, dict[str, Any]] = {
    contract["name"]: contract
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
        "importlinter"
    ]["contracts"]
}
STAND_IN = {"console.demo"}
WITHOUT_PAGES = {"console.demo", "console.management", "console.notify"}
"""The stand-in, the commands, and what sends notices."""


def packages(root: str) -> set[str]:
    """The packages and modules right below a root, but for what starts a process."""
    folders = {f"{root}.{path.parent.name}" for path in (ROOT / root).glob("*/__init__.py")}
    files = {f"{root}.{path.stem}" for path in (ROOT / root).glob("*.py") if path.stem != "__init__"}
    return folders if root == "console" else folders | files


@pytest.mark.parametrize(
    ("name", "concerned"),
    [
        (
            "Only the AWS layer and the stand-in speak to the SDK",
            (packages("iam") - {"iam.aws"}) | (packages("console") - STAND_IN),
        ),
        ("No page calculates who can become administrator", packages("console") - WITHOUT_PAGES),
        ("No page calls AWS", packages("console") - WITHOUT_PAGES),
    ],
)
def test_a_contract_names_all_packages_that_it_concerns(name: str, concerned: set[str]) -> None:
    named = CONTRACTS[name]["source_modules"]
    assert len(named) == len(set(named))
    assert set(named) == concerned


def test_the_run_engine_is_kept_from_all_that_people_go_through() -> None:
    people = ROOT / "iam" / "people"
    beside = {f"iam.people.{path.parent.name}" for path in people.glob("*/__init__.py")} - {"iam.people.runs"}
    contract = CONTRACTS["The run engine knows nothing of the runs that it carries"]
    assert beside == set(contract["forbidden_modules"])
