"""The blueprint form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from django.http import QueryDict

from iam.access.templates.queries import offer_of
from iam.people.blueprints.body import BlueprintBody, FilledTemplate

ROWS: Final = 3
"""Number of templates in the form."""
MAX_LENGTH: Final = 4000
_SPLIT: Final = re.compile(r"[,;\n]")


@dataclass(frozen=True, slots=True)
class BlueprintInput:
    """The input; `base` is the version that was edited, 0 for a new blueprint."""

    team: str = ""
    name: str = ""
    accounts: tuple[str, ...] = ()
    path: str = "/"
    groups: str = ""
    boundary: str = ""
    tags: str = ""
    password: bool = True
    key: bool = False
    mfa: bool = True
    gatehouse: bool = False
    naming: str = "first.last"
    stay: str = "0"
    note: str = ""
    base: int = 0
    templates: tuple[FilledTemplate, ...] = field(default=())

    def row(self, number: int) -> tuple[str, int, Mapping[str, str]]:
        """Return (template, version, parameters) of a row."""
        if number >= len(self.templates):
            return "", 0, {}
        filled = self.templates[number]
        return filled.slug, filled.version, filled.parameters

    def body(self) -> BlueprintBody:
        """Return the blueprint's body, without what is `unreadable`."""
        stay = int(self.stay) if self.stay.isdecimal() else 0
        return BlueprintBody(
            accounts=self.accounts,
            path=self.path,
            groups=tuple(
                dict.fromkeys(group.strip() for group in _SPLIT.split(self.groups) if group.strip())
            ),
            templates=self.templates,
            boundary=self.boundary,
            tags=_tags(self.tags)[0],
            password=self.password,
            key=self.key,
            mfa=self.mfa,
            gatehouse=self.gatehouse,
            naming=self.naming,
            stay=stay,
        )

    @property
    def unreadable(self) -> dict[str, str]:
        """The messages of fields that can't be read, by field."""
        lines = _tags(self.tags)[1]
        messages = {}
        if not self.stay.isdecimal():
            messages["stay"] = "Enter a number of days, or 0 for permanent."
        if lines:
            messages["tags"] = f"Write each tag as key = value. “{lines[0][:60]}” has no “=”."
        return messages


def of_body(body: BlueprintBody, *, base: int) -> BlueprintInput:
    """Return the form for a version."""
    return BlueprintInput(
        accounts=body.accounts,
        path=body.path,
        groups=", ".join(body.groups),
        boundary=body.boundary,
        tags="\n".join(f"{key} = {value}" for key, value in body.tags.items()),
        password=body.password,
        key=body.key,
        mfa=body.mfa,
        gatehouse=body.gatehouse,
        naming=body.naming,
        stay=str(body.stay),
        base=base,
        templates=body.templates,
    )


def read(data: QueryDict) -> BlueprintInput:
    """Parse the posted form."""
    base = data.get("base", "0")

    def text(name: str, longest: int = 512) -> str:
        return data.get(name, "").strip()[:longest].replace("\r\n", "\n")

    base_number = int(base) if base.isdecimal() and len(base) < 7 else 0
    return BlueprintInput(
        team=text("team"),
        name=text("name", 80),
        accounts=tuple(dict.fromkeys(number[:12] for number in data.getlist("accounts")[:100])),
        path=text("path") or "/",
        groups=text("groups", MAX_LENGTH),
        boundary=text("boundary", 2048),
        tags=text("tags", MAX_LENGTH),
        password=data.get("password") == "1",
        key=data.get("key") == "1",
        mfa=data.get("mfa") == "1",
        gatehouse=data.get("gatehouse") == "1",
        naming=text("naming", 20),
        stay=text("stay", 5) or "0",
        note=text("note", 500),
        base=base_number,
        templates=tuple(_templates(data)),
    )


def _templates(data: QueryDict) -> list[FilledTemplate]:
    templates = []
    for number in range(ROWS):
        slug = data.get(f"t{number}", "").strip()[:64]
        offer = offer_of(slug) if slug else None
        if offer is not None:
            values = {
                parameter.name: data.get(f"t{number}-{parameter.name}", "").strip()[:512]
                for parameter in offer.body.parameters
            }
            filled = {name: value for name, value in values.items() if value}
            templates.append(FilledTemplate(slug, offer.version.number, filled))
    return templates


def _tags(text: str) -> tuple[dict[str, str], list[str]]:
    """Return the tags of a text, and the lines that are none."""
    tags: dict[str, str] = {}
    lines_without = []
    for line in filter(None, map(str.strip, text.splitlines())):
        key, sign, value = line.partition("=")
        if sign:
            tags[key.strip()] = value.strip()
        else:
            lines_without.append(line)
    return tags, lines_without
