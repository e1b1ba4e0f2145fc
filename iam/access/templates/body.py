"""The content of a template version: texts, parameters, and statements with placeholders, rendered to a
policy. Pure.

A placeholder `{{name}}` is filled in within a string of the statements, so that its value never becomes JSON.
`{{account}}` and `{{partition}}` are those of the account in which access is granted.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import Any, Final, Self

from iam.access.templates.parameters import ParameterError, TemplateParameter, parameter_from
from iam.policy.document import CURRENT

PLACEHOLDER: Final = re.compile(r"\{\{([^{}]*)\}\}")
GIVEN: Final = ("account", "partition")
"""Placeholders that are filled in from the account."""
CATEGORIES: Final = {
    "storage": "Storage",
    "compute": "Compute",
    "data": "Databases",
    "messaging": "Messaging",
    "observe": "Logs and metrics",
    "secrets": "Secrets and keys",
    "money": "Billing and support",
    "security": "Security",
    "operations": "Operations",
}
RISKS: Final = {"low": "Low impact", "medium": "Medium impact", "high": "High impact"}
"""What could go wrong with it, as its author sees it; how risky a request is, is worked out from what it
changes (`iam.changes.risks`).
"""
MAX_HOURS: Final = 3 * 365 * 24
MAX_RENDERED: Final = 600
SAMPLE_ACCOUNT: Final = "111122223333"
"""The account for rendered samples."""


class TemplateError(ValueError):
    """Raised if a template or its values are invalid. `fields` are messages by parameter, or by the field of
    an invalid template: those of its first parameter are p0-name, p0-kind and so on.
    """

    def __init__(self, message: str, *, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fields = dict(fields or {})

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> Self:
        """Return the error of several fields of a template."""
        return cls(next(iter(fields.values())), fields=fields)


@dataclass(frozen=True, slots=True)
class TemplateBody:
    """The content of a version.

    `hours` is the suggested maximum duration of a grant; 0 for none.
    """

    title: str
    description: str
    category: str
    risk: str
    hours: int
    parameters: tuple[TemplateParameter, ...]
    statements: tuple[Mapping[str, Any], ...]

    @property
    def json(self) -> dict[str, Any]:
        """The JSON form, with the statements as written."""
        return {
            "title": self.title,
            "description": self.description,
            "category": self.category,
            "risk": self.risk,
            "hours": self.hours,
            "parameters": [parameter.body for parameter in self.parameters],
            "statements": [dict(statement) for statement in self.statements],
        }

    @property
    def digest(self) -> str:
        """A digest of the content."""
        text = json.dumps(self.json, sort_keys=True, ensure_ascii=False)
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Parse the JSON form. Raises TemplateError with the messages of all wrong fields."""
        parameters, fields = _parameters(value)
        hours = value.get("hours", 0)
        if isinstance(hours, bool) or not isinstance(hours, int):
            hours = -1
        body = cls(
            title=str(value.get("title", "")).strip(),
            description=str(value.get("description", "")).strip(),
            category=str(value.get("category", "")),
            risk=str(value.get("risk", "")),
            hours=hours,
            parameters=parameters,
            statements=tuple(_objects(value.get("statements", []))),
        )
        fields = body.problems(has_all_parameters=not fields) | fields
        if fields:
            raise TemplateError.of(fields)
        return body

    def problems(self, *, has_all_parameters: bool = True) -> dict[str, str]:
        """The messages of all wrong fields. Without all parameters their names are not checked."""
        problems: dict[str, str] = {}
        if not self.title or len(self.title) > 80:
            problems["title"] = "A template has a title of up to 80 characters."
        if not self.description or len(self.description) > 400:
            problems["description"] = (
                "Enter a description of up to 400 characters: what people can do with this template."
            )
        if self.category not in CATEGORIES:
            problems["category"] = "Choose a category."
        if self.risk not in RISKS:
            problems["risk"] = "Choose a risk."
        if not 0 <= self.hours <= MAX_HOURS:
            problems["hours"] = "Enter a number of hours, up to three years; 0 for none."
        if not self.statements:
            problems["statements"] = "A template has at least one statement."
        return problems | self._name_problems() if has_all_parameters else problems

    def _name_problems(self) -> dict[str, str]:
        """The messages about names of parameters that stand twice or are unknown."""
        problems: dict[str, str] = {}
        names: set[str] = set()
        for number, parameter in enumerate(self.parameters):
            if parameter.name in names or parameter.name in GIVEN:
                message = "Each parameter needs its own name, other than account and partition."
                problems[f"p{number}-name"] = message
            names.add(parameter.name)
        if self.statements and not problems:
            try:
                self._check_placeholders(names)
            except TemplateError as error:
                problems["statements"] = error.message
        return problems

    def _check_placeholders(self, names: set[str]) -> None:
        several = {parameter.name for parameter in self.parameters if parameter.many}
        used: set[str] = set()
        for text, is_key in texts_in(list(self.statements)):
            inner = PLACEHOLDER.findall(text)
            if strange := [name for name in inner if name not in names and name not in GIVEN]:
                raise TemplateError(f"No parameter is named “{strange[0][:40]}”.")
            if "{{" in PLACEHOLDER.sub("", text) or "}}" in PLACEHOLDER.sub("", text):
                raise TemplateError(f"A placeholder is written {{{{name}}}}; see “{text[:60]}”.")
            if is_key and set(inner) & several:
                raise TemplateError("A parameter with several values can’t be part of a condition key.")
            used |= set(inner)
        if unused := sorted(names - used):
            raise TemplateError(f"The statements don’t use the parameter {unused[0]}.")

    @property
    def samples(self) -> dict[str, str]:
        """A sample value for each parameter."""
        return {parameter.name: parameter.sample for parameter in self.parameters}

    def values(self, texts: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
        """The values of all parameters. Raises TemplateError with a sentence for each invalid one."""
        values_by_name: dict[str, tuple[str, ...]] = {}
        wrong: dict[str, str] = {}
        for parameter in self.parameters:
            try:
                values_by_name[parameter.name] = parameter.values_of(texts.get(parameter.name, ""))
            except ValueError as error:
                wrong[parameter.name] = str(error)
        if strange := sorted(set(texts) - {parameter.name for parameter in self.parameters}):
            raise TemplateError(f"The template has no parameter {strange[0][:40]}.", fields=wrong)
        if wrong:
            first = next(parameter for parameter in self.parameters if parameter.name in wrong)
            raise TemplateError(f"{first.label}: {wrong[first.name]}", fields=wrong)
        return values_by_name

    def render(
        self, texts: Mapping[str, str], *, account_id: str = SAMPLE_ACCOUNT, partition: str = "aws"
    ) -> dict[str, Any]:
        """The policy document for these parameters in an account. Raises TemplateError."""
        values = self.values(texts) | {"account": (account_id,), "partition": (partition,)}
        statements = [_filled(dict(statement), values) for statement in self.statements]
        return {"Version": CURRENT, "Statement": statements}

    def renamed(self, title: str) -> TemplateBody:
        """The body with another title."""
        return replace(self, title=title)


def _parameters(value: Mapping[str, Any]) -> tuple[tuple[TemplateParameter, ...], dict[str, str]]:
    """Return the parameters that are valid, and the messages of the others by field."""
    parameters: list[TemplateParameter] = []
    fields: dict[str, str] = {}
    for number, item in enumerate(_objects(value.get("parameters", []))):
        try:
            parameters.append(parameter_from(item))
        except ParameterError as error:
            fields[f"p{number}-{error.field}"] = str(error)
    return tuple(parameters), fields


def _objects(value: Any) -> list[Mapping[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise TemplateError("Parameters and statements must be lists of objects.")
    return value


def texts_in(value: Any, *, is_key: bool = False) -> Iterator[tuple[str, bool]]:
    """Every string in JSON, and whether it is a member name."""
    if isinstance(value, str):
        yield value, is_key
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield name, True
            yield from texts_in(inner)
    elif isinstance(value, Sequence):
        for inner in value:
            yield from texts_in(inner)


def _filled(value: Any, values: Mapping[str, tuple[str, ...]]) -> Any:
    if isinstance(value, str):
        texts = _texts(value, values)
        return texts[0] if len(texts) == 1 else texts
    if isinstance(value, Mapping):
        return {_texts(name, values)[0]: _filled(inner, values) for name, inner in value.items()}
    if isinstance(value, list):
        flat: list[Any] = []
        for inner in value:
            filled = _filled(inner, values)
            flat += filled if isinstance(filled, list) and isinstance(inner, str) else [filled]
        if len(flat) > MAX_RENDERED:
            raise TemplateError("These values make the policy too large for AWS. Enter fewer values.")
        return list(dict.fromkeys(flat)) if all(isinstance(text, str) for text in flat) else flat
    return value


def _texts(text: str, values: Mapping[str, tuple[str, ...]]) -> list[str]:
    """A text for each way to fill in its placeholders."""
    names = list(dict.fromkeys(PLACEHOLDER.findall(text)))
    ways = product(*(values[name] for name in names))
    filled = []
    for way in ways:
        chosen = dict(zip(names, way, strict=True))
        filled.append(PLACEHOLDER.sub(partial(_value, chosen=chosen), text))
        if len(filled) > MAX_RENDERED:
            raise TemplateError("These values make the policy too large for AWS. Enter fewer values.")
    return filled


def _value(match: re.Match[str], *, chosen: Mapping[str, str]) -> str:
    return chosen[match[1]]
