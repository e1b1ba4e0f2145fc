"""The conditions of the open part as rows of the builder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from console.access.what.state import ChosenService
from console.web.middleware import parse_moment
from console.web.moments import input_text
from iam.access.builder.build import has_key
from iam.access.builder.conditions import AGES, BASES, ON, form_conditions, others_in
from iam.access.builder.parts import ServicePart

Choice = tuple[str, str, bool]
"""(value, label, is chosen)."""
WORDS: Final = {
    "mfa": (
        "Signed in with MFA",
        "aws:MultiFactorAuthAge",
        "Sessions of chained roles carry no MFA.",
    ),
    "ip": (
        "From a network",
        "aws:SourceIp",
        "Calls that an AWS service makes for someone come from another address.",
    ),
    "time": ("Between two moments", "aws:CurrentTime", "Recurring hours aren’t possible in AWS."),
    "tag": ("The resource has a tag", "aws:ResourceTag/…", ""),
    "region": (
        "In a Region",
        "aws:RequestedRegion",
        "Requests to global services such as IAM count as us-east-1.",
    ),
    "vpce": ("Through a VPC endpoint", "aws:SourceVpce", ""),
    "org": ("The resource is in an organization", "aws:ResourceOrgID", ""),
    "other": ("Another condition", "key, operator, value", ""),
}
FIELDS: Final = {
    "ip": ("c-ip-nets", "Networks", "203.0.113.0/24", 30),
    "region": ("c-region-names", "Regions", "eu-west-1", 20),
    "vpce": ("c-vpce-ids", "Endpoints", "vpce-0a1b2c3d", 24),
    "org": ("c-org-ids", "Organization", "o-a1b2c3d4e5", 20),
}
OPERATORS: Final = tuple(base for base in BASES if base != "BinaryEquals")


@dataclass(frozen=True, slots=True)
class OtherCondition:
    """A condition of another kind than the named ones."""

    id: str
    key: str
    values: str
    operators: Sequence[Choice]
    error: str
    lacking: str
    is_known_only: bool


@dataclass(frozen=True, slots=True)
class ConditionRow:
    """A row of the list; `kind` determines its fields, and `lacking` names actions without this condition
    key.
    """

    kind: str
    label: str
    key: str
    note: str
    is_on: bool
    error: str
    lacking: str
    is_known_only: bool
    field: tuple[str, str, str, int] | None = None
    value: str = ""
    choices: Sequence[Choice] = ()
    key_value: str = ""
    since: str = ""
    until: str = ""
    others: Sequence[OtherCondition] = ()


def conditions_shown(chosen_part: ChosenService, part: ServicePart) -> list[ConditionRow]:
    """Return a row per kind, in the order of the list."""
    wrong = form_conditions(chosen_part.form)[1]
    return [_condition(kind, chosen_part, part, wrong) for kind in WORDS]


def _condition(
    kind: str, chosen_part: ChosenService, part: ServicePart, wrong: dict[str, str]
) -> ConditionRow:
    label, key, note = WORDS[kind]
    form = chosen_part.form
    if kind == "tag" and form.get("tag-key"):
        key = f"aws:ResourceTag/{form['tag-key']}"
    field = FIELDS.get(kind)
    is_known_only = form.get(f"{kind}-known") == ON
    lacking = _lacking(part, key) if kind == "tag" and form.get("tag") == ON and form.get("tag-key") else ""
    others = _other_conditions(chosen_part, part, wrong) if kind == "other" else ()
    value = ""
    if field:
        value = form.get(field[0][2:], "")
    elif kind == "tag":
        value = form.get("tag-values", "")
    return ConditionRow(
        kind=kind,
        label=label,
        key=key,
        note=note,
        is_on=form.get(kind) == ON,
        error=wrong.get(kind, ""),
        lacking=lacking,
        is_known_only=is_known_only,
        field=field,
        value=value,
        choices=_choices(kind, form.get("mfa-age", "3600"), form.get("tag-op", "is")),
        key_value=form.get("tag-key", ""),
        since=moment_input(form.get("time-from", "")),
        until=moment_input(form.get("time-until", "")),
        others=others,
    )


def moment_input(text: str) -> str:
    """Convert a policy's moment in UTC to a field value in the reader's time zone; invalid text is returned
    unchanged.
    """
    moment = parse_moment(text)
    return input_text(moment) if moment else text


def _choices(kind: str, age: str, comparison: str) -> list[Choice]:
    if kind == "mfa":
        ages = AGES if age in AGES else {**AGES, age: f"{age} seconds"}
        return [(value, label, value == age) for value, label in ages.items()]
    if kind == "tag":
        return [(value, label, value == comparison) for value, label in (("is", "is"), ("like", "is like"))]
    return []


def _other_conditions(
    chosen_part: ChosenService, part: ServicePart, wrong: dict[str, str]
) -> list[OtherCondition]:
    """Return the existing conditions and a blank one."""
    other_keys = others_in(chosen_part.form)
    blank = next(f"o{number}" for number in range(len(other_keys) + 1) if f"o{number}" not in other_keys)
    return [_other_condition(name, chosen_part, part, wrong) for name in [*other_keys, blank]]


def _other_condition(
    name: str, chosen_part: ChosenService, part: ServicePart, wrong: dict[str, str]
) -> OtherCondition:
    form = chosen_part.form
    operator, key = form.get(f"{name}-op", "StringEquals"), form.get(f"{name}-key", "")
    names = OPERATORS if operator in OPERATORS else (operator, *OPERATORS)
    error = wrong.get(name, "")
    lacking = _lacking(part, key) if key and not error else ""
    return OtherCondition(
        id=name,
        key=key,
        values=form.get(f"{name}-values", "").replace("\n", ", "),
        operators=[(each, each, each == operator) for each in names],
        error=error,
        lacking=lacking,
        is_known_only=form.get(f"{name}-known") == ON,
    )


def _lacking(part: ServicePart, key: str) -> str:
    """Return the selected actions that don’t support a condition key, as text; "" if all do."""
    names = [action.partition(":")[2] for action in part.actions if not has_key(action, key)]
    if not names:
        return ""
    if len(names) == len(part.actions):
        return "all selected actions"
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
