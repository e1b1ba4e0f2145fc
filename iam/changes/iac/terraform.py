"""Writes a call as a diff of a Terraform file in HCL."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from iam.changes.iac.forms import ADD, REMOVE, TERRAFORM, UNSET, IacForm, form_of, given_by

_DOCUMENTS = frozenset({"policy", "assume_role_policy"})


def block(operation: str, params: Mapping[str, Any]) -> list[str] | None:
    """The lines with their diff signs; None if no resource corresponds to the call."""
    form = form_of(TERRAFORM, operation, params)
    if form is None:
        return None
    names = {name: _value(name, params, placeholder) for name, placeholder in form.names.items()}
    values = {
        name: _value(name, params, placeholder)
        for name, placeholder in form.values.items()
        if _is_given(params, placeholder)
    }
    label = _label(params, form)
    if form.act in (ADD, REMOVE):
        sign = "+" if form.act == ADD else "-"
        body = list(_lines({**names, **values}))
        return [
            f'{sign} resource "{form.resource}" "{label}" {{',
            *(f"{sign} {line}" for line in body),
            f"{sign} }}",
        ]
    sign = "-" if form.act == UNSET else "+"
    kept = {name: value for name, value in names.items() if name not in values}
    former = {name: value for name, value in names.items() if name in values}
    return [
        f'  resource "{form.resource}" "{label}" {{',
        *(f"  {line}" for line in _lines(kept)),
        *(f"- {line}" for line in _lines(former)),
        *(f"{sign} {line}" for line in _lines(values)),
        "  }",
    ]


def _is_given(params: Mapping[str, Any], text: str) -> bool:
    return not text or text.strip("[]#") in params


def _label(params: Mapping[str, Any], form: IacForm) -> str:
    """A name for the block; the real one is known only from the file."""
    parts = [str(given_by(params, variable) or "").rpartition("/")[2] for variable in form.names.values()]
    name = re.sub(r"[^A-Za-z0-9_]+", "_", "_".join(parts)).strip("_") or "this"
    return f"_{name}" if name[0].isdigit() else name


def _value(name: str, params: Mapping[str, Any], text: str) -> str:
    if not text:
        return "…"
    value = given_by(params, text)
    if text.startswith("["):
        return f"[{_text(str(value))}]"
    if name in _DOCUMENTS and isinstance(value, str):
        return _document(value)
    if name == "tags" and isinstance(value, list):
        return _tags(value)
    if isinstance(value, list):
        return f"[{', '.join(_text(str(item)) for item in value)}]"
    return _text(value) if isinstance(value, str) else json.dumps(value)


def _document(text: str) -> str:
    """A JSON object as an HCL object, with the start of interpolations escaped."""
    try:
        laid_out = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return _text(text)
    return f"jsonencode({_escaped(laid_out)})"


def _tags(tags: list[Any]) -> str:
    if all(isinstance(tag, str) for tag in tags):
        return "{ " + ", ".join(f"{_text(tag)} = …" for tag in tags) + " }"
    return "{ " + ", ".join(f"{_text(tag['Key'])} = {_text(tag['Value'])}" for tag in tags) + " }"


def _text(value: str) -> str:
    return _escaped(json.dumps(value, ensure_ascii=False))


def _escaped(text: str) -> str:
    return text.replace("${", "$${").replace("%{", "%%{")


def _lines(values: Mapping[str, str]) -> Iterator[str]:
    width = max((len(name) for name in values), default=0)
    for name, value in values.items():
        yield from f"  {name.ljust(width)} = {value}".replace("\n", "\n  ").split("\n")
