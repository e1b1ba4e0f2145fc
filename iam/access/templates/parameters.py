"""Defines and validates template parameters, so that values stay within their string. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple

MAX_VALUE_LENGTH: Final = 512
MAX_VALUES: Final = 25
NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
SEPARATOR: Final = re.compile(r"[,\n]")
WILD: Final = "*?"


class ParameterKind(StrEnum):
    """The types of parameters."""

    BUCKET = "bucket"
    PREFIX = "prefix"
    REGION = "region"
    ARN = "arn"
    TAG_KEY = "tag_key"
    TAG_VALUE = "tag_value"
    ACCOUNT = "account"
    ROLE = "role"
    NAME = "name"
    LOG_GROUP = "log_group"
    KEY = "key"


class _ValueShape(NamedTuple):
    pattern: str
    words: str
    example: str


FORMS: Final[dict[ParameterKind, _ValueShape]] = {
    ParameterKind.BUCKET: _ValueShape(
        r"[a-z0-9W][a-z0-9.W-]{1,61}[a-z0-9W]",
        "A bucket name has 3 to 63 lowercase letters, digits, dots and hyphens.",
        "pay-artifacts",
    ),
    ParameterKind.PREFIX: _ValueShape(
        r"(?!/)[A-Za-z0-9!_.'()/=+@:, W-]{1,512}",
        "A prefix doesn’t start with a slash and has letters, digits, spaces and ! _ . ' ( ) / = + @ : , -",
        "settle/2026/",
    ),
    ParameterKind.REGION: _ValueShape(
        r"[a-z]{2}(-[a-z]+)+-[0-9]", "Write a Region as eu-west-1.", "eu-west-1"
    ),
    ParameterKind.ARN: _ValueShape(
        r"arn:(aws|aws-cn|aws-us-gov):[a-z0-9-]+:[a-z0-9-]*:([0-9]{12})?:[A-Za-z0-9_+=,.@/:W-]+",
        "Write an ARN as arn:aws:service:region:account:resource.",
        "arn:aws:sns:eu-west-1:111122223333:deploys",
    ),
    ParameterKind.TAG_KEY: _ValueShape(
        r"[A-Za-z0-9 _.:/=+@-]{1,128}",
        "A tag key has up to 128 letters, digits, spaces and _ . : / = + - @",
        "team",
    ),
    ParameterKind.TAG_VALUE: _ValueShape(
        r"[A-Za-z0-9 _.:/=+@W-]{1,256}",
        "A tag value has up to 256 letters, digits, spaces and _ . : / = + - @",
        "payments",
    ),
    ParameterKind.ACCOUNT: _ValueShape(r"[0-9]{12}", "An account ID has 12 digits.", "111122223333"),
    ParameterKind.ROLE: _ValueShape(
        r"([A-Za-z0-9_+=,.@-]+/)*[A-Za-z0-9_+=,.@W-]{1,64}",
        "Enter the name of the role, after its path if it has one, such as service/pay-settle.",
        "pay-settle",
    ),
    ParameterKind.NAME: _ValueShape(
        r"[A-Za-z0-9_./W-]{1,255}", "A name has letters, digits and _ . / -", "pay-settle"
    ),
    ParameterKind.LOG_GROUP: _ValueShape(
        r"[A-Za-z0-9_./#W-]{1,512}",
        "A log group has letters, digits and _ . / # -",
        "/aws/lambda/pay-settle",
    ),
    ParameterKind.KEY: _ValueShape(
        r"[A-Fa-f0-9]{8}(-[A-Fa-f0-9]{4}){3}-[A-Fa-f0-9]{12}|mrk-[a-f0-9]{32}",
        "Enter the key ID, such as 1234abcd-12ab-34cd-56ef-1234567890ab, not an alias.",
        "1234abcd-12ab-34cd-56ef-1234567890ab",
    ),
}
"""`W` in a pattern marks where wildcards are allowed, if the parameter accepts them."""
LABELS: Final = {
    ParameterKind.BUCKET: "Bucket",
    ParameterKind.PREFIX: "Prefix of objects",
    ParameterKind.REGION: "Region",
    ParameterKind.ARN: "ARN",
    ParameterKind.TAG_KEY: "Tag key",
    ParameterKind.TAG_VALUE: "Tag value",
    ParameterKind.ACCOUNT: "Account ID",
    ParameterKind.ROLE: "Role",
    ParameterKind.NAME: "Name",
    ParameterKind.LOG_GROUP: "Log group",
    ParameterKind.KEY: "KMS key ID",
}


class ParameterError(ValueError):
    """Raised for an invalid parameter. `field` is the name of its field with the error."""

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class TemplateParameter:
    """One parameter.

    `wildcard`: it can contain `*` and `?`. `many`: several values, separated by lines or commas. `resource`
    is the source of suggestions and the required type of ARNs: service and resource type such as `s3:bucket`.
    """

    name: str
    kind: ParameterKind
    label: str
    hint: str = ""
    example: str = ""
    default: str = ""
    wildcard: bool = False
    many: bool = False
    resource: str = ""

    @property
    def body(self) -> dict[str, Any]:
        """The JSON form, without empty fields."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        plain["kind"] = str(plain["kind"])
        return {name: value for name, value in plain.items() if value}

    @property
    def sample(self) -> str:
        """A sample value."""
        return self.example or self.default or FORMS[self.kind].example

    def values_of(self, text: str) -> tuple[str, ...]:
        """The entered values, or the default. Raises ValueError with a message for the user."""
        texts = SEPARATOR.split(text) if self.many else [text]
        stripped = tuple(dict.fromkeys(text.strip() for text in texts if text.strip()))
        stripped = stripped or ((self.default,) if self.default else ())
        if not stripped:
            raise ValueError(f"Enter a value. {FORMS[self.kind].words}")
        if len(stripped) > MAX_VALUES:
            raise ValueError(f"{len(stripped)} values are too many for one grant. The limit is {MAX_VALUES}.")
        for value in stripped:
            self.check(value)
        return stripped

    def check(self, value: str) -> None:
        """Check one value. Raises ValueError with a message for the user."""
        if len(value) > MAX_VALUE_LENGTH:
            raise ValueError(f"That is longer than {MAX_VALUE_LENGTH} characters.")
        if not self.wildcard and any(letter in value for letter in WILD):
            raise ValueError("Wildcards (* and ?) aren’t supported here. Enter one exact value.")
        form = FORMS[self.kind]
        wild = "*?" if self.wildcard else ""
        pattern = form.pattern.replace("W", wild)
        if not re.fullmatch(pattern, value, re.ASCII):
            raise ValueError(f"{_shown(value)} isn’t valid. {form.words}")
        if self.kind is ParameterKind.ARN and self.resource:
            self._check_service(value)

    def _check_service(self, value: str) -> None:
        service = self.resource.partition(":")[0]
        if value.split(":")[2] != service:
            raise ValueError(f"This must be an ARN of {service}, such as {self.sample}.")


def parameter_from(value: Mapping[str, Any]) -> TemplateParameter:
    """Parse a parameter. Raises ParameterError with a message for the user."""
    name = value.get("name")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ParameterError(
            "A parameter name has lowercase letters, digits and _, such as bucket.", field="name"
        )
    strange = sorted(set(value) - set(TemplateParameter.__slots__))
    if strange:
        raise ParameterError(f"The parameter {name} has {strange[0]}, which means nothing.", field="name")
    try:
        kind = ParameterKind(str(value.get("kind")))
    except ValueError:
        raise ParameterError(f"The parameter {name} is of no kind that is known.", field="kind") from None
    texts = {
        field_name: str(value.get(field_name, ""))
        for field_name in ("label", "hint", "example", "default", "resource")
    }
    parameter = TemplateParameter(
        name=name,
        kind=kind,
        wildcard=value.get("wildcard") is True,
        many=value.get("many") is True,
        **texts | {"label": texts["label"] or LABELS[kind]},
    )
    for field_name in ("example", "default"):
        try:
            if texts[field_name]:
                parameter.values_of(texts[field_name])
        except ValueError as error:
            raise ParameterError(f"The parameter {name}: {error}", field=field_name) from None
    return parameter


def _shown(value: str) -> str:
    plain = value[:61]
    for letter in set(plain):
        if not letter.isprintable():
            plain = plain.replace(letter, "\ufffd")
    return f"“{plain if len(plain) <= 60 else plain[:60] + '…'}”"
