"""Writes a framework as PDF."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import BinaryIO, NamedTuple

from iam.audit.frameworks.definitions import ControlFramework, FrameworkRequirement
from iam.audit.print.pdf import PdfColumn, PdfDocument


class DocumentRow(NamedTuple):
    """A requirement with its state in words."""

    requirement: FrameworkRequirement
    state: str
    reason: str


COLUMNS = (
    PdfColumn("Requirement", 1.0, "bold"),
    PdfColumn("What is required", 4.0),
    PdfColumn("State", 1.3, "bold"),
    PdfColumn("Why", 4.0),
)


def write_document(
    target: BinaryIO,
    framework: ControlFramework,
    *,
    scope_name: str,
    as_of: datetime,
    counts: Iterable[tuple[str, str]],
    rows: Sequence[DocumentRow],
) -> None:
    """Write the rows of a framework, group by group."""
    document = PdfDocument(target, title=framework.title, subtitle=framework.about, as_of=as_of, is_wide=True)
    with document:
        document.facts([("Scope", scope_name), *counts])
        document.paragraph(framework.note)
        for number, title in framework.groups:
            own = [row for row in rows if row.requirement.group == number]
            if own:
                document.heading(f"{number}  {title}")
                document.table(COLUMNS, [_texts(row) for row in own])


def _texts(row: DocumentRow) -> tuple[str, str, str, str]:
    requirement = row.requirement
    words = f"{requirement.title}. {requirement.text}"
    for mapping in requirement.aws:
        words += f"\nAWS {mapping.control}: {mapping.words}"
    return requirement.number, words, row.state, row.reason
