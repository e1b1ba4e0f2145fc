"""Writes a call as a diff of a CloudFormation template in YAML; policy documents are JSON, which is valid
YAML.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from iam.changes.iac.forms import ADD, CLOUDFORMATION, REMOVE, UNSET, IacForm, form_of, given_by

_DOCUMENTS = frozenset({"PolicyDocument", "AssumeRolePolicyDocument"})


def block(operation: str, params: Mapping[str, Any]) -> list[str] | None:
    """The lines with their diff signs; None if no resource corresponds to the call."""
    form = form_of(CLOUDFORMATION, operation, params)
    if form is None:
        return None
    names = {name: json.dumps(given_by(params, placeholder)) for name, placeholder in form.names.items()}
    values = {
        name: _value(name, params, placeholder)
        for name, placeholder in form.values.items()
        if not placeholder or placeholder.strip("[]#") in params
    }
    head = [f"{_label(params, form)}:", f"  Type: {form.resource}", "  Properties:"]
    if form.act in (ADD, REMOVE):
        sign = "+" if form.act == ADD else "-"
        return [f"{sign} {line}" for line in (*head, *_lines({**names, **values}))]
    sign = "-" if form.act == UNSET else "+"
    kept = {name: value for name, value in names.items() if name not in values}
    former = {name: value for name, value in names.items() if name in values}
    return [
        *(f"  {line}" for line in (*head, *_lines(kept))),
        *(f"- {line}" for line in _lines(former)),
        *(f"{sign} {line}" for line in _lines(values)),
    ]


def _label(params: Mapping[str, Any], form: IacForm) -> str:
    """A logical id for the resource; the real one is known only from the template."""
    parts = [str(given_by(params, logical_id) or "").rpartition("/")[2] for logical_id in form.names.values()]
    words = re.split(r"[^A-Za-z0-9]+", " ".join(parts))
    return "".join(word[:1].upper() + word[1:] for word in words if word) or "This"


def _value(name: str, params: Mapping[str, Any], text: str) -> str:
    value = given_by(params, text) if text else None
    if value is None:
        return "…"
    if text.startswith("["):
        return json.dumps([value])
    if name == "Tags" and all(isinstance(tag, str) for tag in value):
        value = [{"Key": tag, "Value": "…"} for tag in value]
    if name in _DOCUMENTS and isinstance(value, str):
        try:
            return json.dumps(json.loads(value), indent=2, ensure_ascii=False)
        except ValueError:
            return json.dumps(value)
    return json.dumps(value, ensure_ascii=False)


def _lines(values: Mapping[str, str]) -> Iterator[str]:
    for name, value in values.items():
        yield from f"    {name}: {value}".replace("\n", "\n      ").split("\n")
