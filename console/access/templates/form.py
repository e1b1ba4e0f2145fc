"""The template form: texts, a row per parameter, and the statements as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from django.http import QueryDict
from django.utils.text import slugify

from console.access.templates.detail import statements_text
from iam.access.drafts.terms import LASTS, DraftEnds
from iam.access.templates.body import TemplateBody, TemplateError
from iam.access.templates.parameters import TemplateParameter

MAX_LENGTH: Final = 2048
MAX_STATEMENTS_LENGTH: Final = 40_000
MAX_PARAMETERS: Final = 20
TEXTS: Final = ("name", "kind", "label", "hint", "example", "default", "resource")
FLAGS: Final = ("wildcard", "many")


@dataclass(frozen=True, slots=True)
class TemplateText:
    """The input of the form; `base` is the version that was edited, 0 for a new template."""

    slug: str = ""
    title: str = ""
    description: str = ""
    category: str = "storage"
    risk: str = "low"
    hours: str = "0"
    parameters: tuple[Mapping[str, str], ...] = ()
    statements: str = "[]"
    note: str = ""
    base: int = 0
    errors: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_body(cls, body: TemplateBody, *, slug: str, base: int) -> TemplateText:
        """Return the form for a version."""
        return cls(
            slug=slug,
            title=body.title,
            description=body.description,
            category=body.category,
            risk=body.risk,
            hours=str(body.hours),
            parameters=tuple(_row(parameter) for parameter in body.parameters),
            statements=statements_text(body),
            base=base,
        )

    def body(self) -> TemplateBody:
        """Return the template's body. Raises TemplateError with the messages of all wrong fields, by the
        names of the form's fields.
        """
        named = [number for number, row in enumerate(self.parameters) if row.get("name")]
        statements, unreadable = _statements(self.statements)
        hours = int(self.hours) if self.hours.strip().isdecimal() and len(self.hours) < 6 else -1
        try:
            return TemplateBody.from_json(
                {
                    "title": self.title,
                    "description": self.description,
                    "category": self.category,
                    "risk": self.risk,
                    "hours": hours,
                    "parameters": [_parameter(self.parameters[number]) for number in named],
                    "statements": statements,
                }
            )
        except TemplateError as error:
            fields = {_own_name(name, named): message for name, message in error.fields.items()}
            raise TemplateError.of(fields | unreadable) from None

    @property
    def short_name(self) -> str:
        """The entered slug, or one made from the title."""
        return self.slug.strip() or slugify(self.title)[:64]


def blank() -> TemplateText:
    """Return the form for a new template."""
    example = [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:{{partition}}:s3:::{{bucket}}/*"}
    ]
    bucket = {"name": "bucket", "kind": "bucket", "label": "Bucket", "resource": "s3:bucket"}
    return TemplateText(parameters=(bucket,), statements=json.dumps(example, indent=2))


def of_documents(documents: Iterable[str], *, accounts: Sequence[str], hours: int) -> TemplateText:
    """Return the form for a template with these policies; a single account ID in them becomes
    `{{account}}`.
    """
    try:
        bodies = [json.loads(text) for text in documents]
    except (ValueError, RecursionError):
        return blank()
    statements: list[Any] = []
    for body in bodies:
        if isinstance(body, dict):
            listed = body.get("Statement", [])
            statements += listed if isinstance(listed, list) else [listed]
    if not statements:
        return blank()
    text = json.dumps(statements, indent=2, ensure_ascii=False)
    if len(accounts) == 1:
        text = text.replace(f":{accounts[0]}:", ":{{account}}:")
    return TemplateText(statements=text, hours=str(hours))


def hours_of(ends: DraftEnds) -> int:
    """Return the suggested duration of the draft in hours; 0 if it isn’t a preset."""
    chosen = LASTS.get(ends.choice)
    return max(1, int(chosen[1].total_seconds() // 3600)) if chosen else 0


def read(data: QueryDict, *, slug: str) -> TemplateText:
    """Parse the posted form and apply the pressed button: `do=add-parameter` or `do=drop-parameter:1`."""
    count = data.get("parameters", "0")
    row_count = int(count) if count.isdecimal() and len(count) < 3 else 0
    rows = [_posted(data, number) for number in range(row_count)]
    do, _, rest = data.get("do", "").partition(":")
    if do == "add-parameter":
        rows.append({"name": "", "kind": "name"})
    elif do == "drop-parameter":
        rows = [row for number, row in enumerate(rows) if str(number) != rest]
    base = data.get("base", "0")
    base_number = int(base) if base.isdecimal() and len(base) < 7 else 0
    return TemplateText(
        slug=slug or data.get("slug", "").strip()[:64],
        title=data.get("title", "")[:MAX_LENGTH],
        description=data.get("description", "")[:MAX_LENGTH],
        category=data.get("category", "")[:40],
        risk=data.get("risk", "")[:40],
        hours=data.get("hours", "").strip()[:10] or "0",
        parameters=tuple(rows[:MAX_PARAMETERS]),
        statements=data.get("statements", "")[:MAX_STATEMENTS_LENGTH].replace("\r\n", "\n"),
        note=data.get("note", "")[:500],
        base=base_number,
    )


def _statements(text: str) -> tuple[list[Any], dict[str, str]]:
    """Return the statements, and the error of their field if the text is no list of objects."""
    try:
        statements = json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        return [], {"statements": f"The statements are no JSON: {where}."}
    except RecursionError:
        return [], {"statements": "The statements are nested too deeply."}
    if isinstance(statements, dict):
        statements = statements.get("Statement", [statements])
    listed = statements if isinstance(statements, list) else [statements]
    if not all(isinstance(statement, dict) for statement in listed):
        return [], {"statements": "Statements must be a list of objects."}
    return listed, {}


def _own_name(name: str, named: list[int]) -> str:
    """Return the form's name of a field of the body; `named` are the rows with a parameter."""
    prefix, dash, rest = name.partition("-")
    return f"q{named[int(prefix[1:])]}-{rest}" if dash else name


def formatted(written: TemplateText) -> TemplateText:
    """Return the form with formatted statements; unchanged if they aren’t valid JSON."""
    try:
        text = json.dumps(json.loads(written.statements), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return written
    return replace(written, statements=text)


def _posted(data: QueryDict, number: int) -> dict[str, str]:
    texts = {name: data.get(f"q{number}-{name}", "").strip()[:MAX_LENGTH] for name in TEXTS}
    return texts | {name: "on" for name in FLAGS if data.get(f"q{number}-{name}")}


def _row(parameter: TemplateParameter) -> dict[str, str]:
    body = parameter.body
    return {name: str(body.get(name, "")) for name in TEXTS} | {
        name: "on" for name in FLAGS if body.get(name)
    }


def _parameter(row: Mapping[str, str]) -> dict[str, Any]:
    return {name: row[name] for name in TEXTS if row.get(name)} | {
        name: True for name in FLAGS if row.get(name)
    }
