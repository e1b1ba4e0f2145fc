"""The data files of frameworks: what they must have, and how mistakes in one are refused."""

from __future__ import annotations

import re

import pytest

from iam.audit.findings.rules import all_rules
from iam.audit.frameworks.checks import CHECKS
from iam.audit.frameworks.definitions import (
    DATA,
    ControlFramework,
    FrameworkFileError,
    all_frameworks,
    read_framework,
)

# fmt: off
PCI = [
    "3.6.1", "3.6.1.3", "3.7",
    "7.2.1", "7.2.2", "7.2.3", "7.2.4", "7.2.5", "7.2.5.1", "7.2.6", "7.3.1", "7.3.2", "7.3.3",
    "8.2.1", "8.2.2", "8.2.4", "8.2.5", "8.2.6", "8.2.7", "8.2.8", "8.3.2", "8.3.3", "8.3.4",
    "8.3.5", "8.3.6", "8.3.7", "8.3.9", "8.3.10.1", "8.3.11", "8.4.1", "8.4.2", "8.4.3", "8.5.1",
    "8.6.1", "8.6.2", "8.6.3",
    "10.2.1", "10.2.1.1", "10.2.1.2", "10.2.1.3", "10.2.1.4", "10.2.1.5", "10.2.1.6", "10.2.1.7",
    "10.2.2", "10.3.1", "10.3.2", "10.3.3", "10.3.4", "10.5.1",
    "12.10.3",
    "A3.4.1",
]
# fmt: on
CIS = [f"2.1.{number}" for number in range(1, 7)] + [f"2.{number}" for number in range(2, 22)]
GOOD = """
name = "example-1"
title = "Example"
about = "An example."
note = "Ours."
[[group]]
number = "1"
title = "First"
[[group.requirement]]
number = "1.1"
title = "No root key"
text = "The root user has no access key."
findings = ["root-access-key"]
[[group.requirement]]
number = "1.2"
title = "Idle sign-ins end"
text = "Gatehouse ends sign-ins that are idle."
checks = ["gatehouse-idle"]
"""


def read(text: str, file: str = "example-1.toml") -> ControlFramework:
    return read_framework(text, file=file, kinds=all_rules().keys(), checks=CHECKS.keys())


def test_pci_dss_has_every_row() -> None:
    numbers = [row.number for row in all_frameworks()["pci-dss-4.0.1"].requirements]
    assert numbers == PCI


def test_cis_has_the_whole_chapter() -> None:
    assert [row.number for row in all_frameworks()["cis-aws-7.0"].requirements] == CIS


def test_the_standard_allows_an_exception_only_in_two_rows() -> None:
    rows = all_frameworks()["pci-dss-4.0.1"].requirements
    assert [row.number for row in rows if row.has_exception] == ["8.2.2", "8.5.1"]


def test_the_mapping_of_aws_is_beside_where_it_differs() -> None:
    mapped = {}
    for row in all_frameworks()["pci-dss-4.0.1"].requirements:
        for mapping in row.aws:
            for control in mapping.control.split(", "):
                mapped.setdefault(control, set()).add(row.number)
    assert {"8.3.9", "8.6.3"} <= mapped["IAM.3"]
    assert {"8.3.6", "8.3.7", "8.3.9", "8.3.10.1", "8.6.3"} <= mapped["IAM.7"]
    assert mapped["IAM.18"] == {"12.10.3"}
    assert "8.4.2" in mapped["IAM.5"] & mapped["IAM.6"] & mapped["IAM.19"]


def test_every_check_is_used() -> None:
    used = {
        name
        for framework in all_frameworks().values()
        for row in framework.requirements
        for name in row.checks
    }
    assert used == set(CHECKS)


@pytest.mark.parametrize("path", sorted(DATA.glob("*.toml")), ids=lambda path: path.name)
def test_a_file_speaks_as_the_pages_do(path) -> None:
    for line in path.read_text(encoding="utf-8").splitlines():
        text = line.partition("#")[0]
        assert "'" not in text
        assert "shall" not in re.findall(r"\w+", text)


def test_a_good_file_is_read() -> None:
    framework = read(GOOD)
    assert [row.number for row in framework.requirements] == ["1.1", "1.2"]
    assert framework.groups == (("1", "First"),)


WRONG = {
    "no TOML": (GOOD.replace('title = "Example"', "title = Example"), "line 3"),
    "no name": (GOOD.replace('name = "example-1"\n', ""), "needs “name”"),
    "another name": (GOOD.replace('name = "example-1"', 'name = "other"'), "line 2: The name"),
    "an unknown key of the head": ('version = "1"\n' + GOOD, "line 1: “version” isn’t a key"),
    "an unknown key": (GOOD.replace("findings =", "finding ="), "line 13: “finding” isn’t a key"),
    "a wrong type": (GOOD.replace('["root-access-key"]', '"root-access-key"'), "line 13: “findings” must be"),
    "no text": (GOOD.replace('text = "The root user has no access key."\n', ""), "needs “text”"),
    "a short text": (GOOD.replace("The root user has no access key.", "Short."), "line 12: The text"),
    "a wrong number": (GOOD.replace('number = "1.2"', 'number = "1.x"'), "line 15: “1.x”"),
    "a number twice": (GOOD.replace('number = "1.2"', 'number = "1.1"'), "line 15: Requirement 1.1 is there"),
    "an unknown finding": (GOOD.replace("root-access-key", "root-key"), "line 13: There is no “root-key”"),
    "an unknown check": (GOOD.replace("gatehouse-idle", "idle"), "line 18: There is no “idle”"),
    "nothing that judges": (GOOD.replace('checks = ["gatehouse-idle"]\n', ""), "line 15: Nothing judges it"),
    "a wrong mapping": (GOOD + 'aws = [{ control = "IAM.1" }]\n', "line 19: A mapping"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_file_is_refused_with_its_line(name: str) -> None:
    text, expected = WRONG[name]
    with pytest.raises(FrameworkFileError) as raised:
        read(text)
    assert "example-1.toml" in str(raised.value)
    assert expected in str(raised.value)
