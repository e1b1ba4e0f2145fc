"""Converts conditions to and from form fields: named kinds with their own fields, and others by key, operator
and values. Pure.

A form maps names to texts: `mfa` is "on" if the kind is ticked, `mfa-age` is one of its fields; `tag-known`
is "on" if actions without the key omit the condition. Others are numbered: `o0-key`, `o0-op`, `o0-values`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import product
from typing import Final

from iam.access.builder.parts import MAX_VALUES, BuilderCondition
from iam.policy.catalogue import catalogue
from iam.policy.letter_case import fold

MAX_OTHERS: Final = 8
ON: Final = "on"
AGES: Final = {"3600": "1 hour", "28800": "8 hours", "any": "any time"}
COMPARISONS: Final = {"is": "StringEquals", "like": "StringLike"}
BASES: Final = (
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
    "NumericEquals",
    "NumericNotEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
    "DateEquals",
    "DateNotEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
    "Bool",
    "BinaryEquals",
    "IpAddress",
    "NotIpAddress",
    "ArnEquals",
    "ArnLike",
    "ArnNotEquals",
    "ArnNotLike",
    "Null",
)
"""In AWS's spelling; source: "IAM JSON policy elements: Condition operators"."""
_SPELT: Final = [
    f"{quantifier}{base}{end}"
    for base, quantifier, end in product(BASES, ("", "ForAnyValue:", "ForAllValues:"), ("", "IfExists"))
    if not (base == "Null" and (quantifier or end))
]
_OPERATORS: Final = {fold(operator): operator for operator in _SPELT}
OTHER: Final = re.compile(r"o[0-9]{1,4}-(key|values)")
REGION: Final = re.compile(r"[a-z]{2,4}(-[a-z]+)+-[0-9]")
VPCE: Final = re.compile(r"vpce-[0-9a-f]{8,17}")
ORG: Final = re.compile(r"o-[a-z0-9]{10,32}")
TAG_KEY: Final = re.compile(r"[\w .:/=+@-]{1,128}")
TAG: Final = "aws:ResourceTag/"
EARLIEST: Final = 1970
Form = Mapping[str, str]


class _WrongError(ValueError):
    """Raised for an invalid field; the message says what to enter."""


def form_conditions(form: Form) -> tuple[tuple[BuilderCondition, ...], dict[str, str]]:
    """The conditions in a form, and an error for each invalid kind (`ip`, `o0` …)."""
    whens_by_key: dict[tuple[str, str], BuilderCondition] = {}
    wrong: dict[str, str] = {}
    for name, read in _readers(form):
        try:
            for when in read(form):
                if when.block_position in whens_by_key:
                    raise _WrongError(f"{when.key} is used twice with {when.operator}. Combine the values.")
                whens_by_key[when.block_position] = when
        except _WrongError as error:
            wrong[name] = str(error)
    return tuple(whens_by_key.values()), wrong


def written(whens: Sequence[BuilderCondition]) -> dict[str, str]:
    """The form fields of conditions; those of no named kind become numbered ones."""
    form: dict[str, str] = {}
    others = 0
    for when in whens:
        named = _known_form(when)
        if named and not form.keys() & named.keys() - {"time"}:
            form |= named
        else:
            form |= _other_form(when, others)
            others += 1
    return form


def others_in(form: Form) -> list[str]:
    """The numbered conditions in the form: `o0`, `o1` …"""
    numbers = {name.partition("-")[0] for name, value in form.items() if OTHER.fullmatch(name) and value}
    return sorted(numbers, key=lambda slot: int(slot[1:]))[:MAX_OTHERS]


def _readers(form: Form) -> Iterator[tuple[str, Callable[[Form], list[BuilderCondition]]]]:
    for name, read in KINDS.items():
        if form.get(name) == ON:
            yield name, read
    if form.get("other") == ON:
        for name in others_in(form):
            yield name, _other(name)


def _words(text: str) -> list[str]:
    return list(dict.fromkeys(re.split(r"[\s,]+", text.strip()))) if text.strip() else []


def _several(text: str) -> list[str]:
    """Values that may contain spaces, separated by commas or lines."""
    return list(dict.fromkeys(part.strip() for part in re.split(r"[,\n]", text) if part.strip()))


def _limited(values: list[str], what: str) -> tuple[str, ...]:
    if not values:
        raise _WrongError(f"Enter {what}.")
    if len(values) > MAX_VALUES:
        raise _WrongError(f"{len(values)} values are too many. The limit is {MAX_VALUES}.")
    return tuple(values)


def _fitting(values: list[str], pattern: re.Pattern[str], what: str) -> tuple[str, ...]:
    wrong = [value for value in values if not pattern.fullmatch(value)]
    if wrong:
        raise _WrongError(f"“{wrong[0][:40]}” isn’t {what}.")
    return _limited(values, what)


def _mfa(form: Form) -> list[BuilderCondition]:
    age = form.get("mfa-age", "3600")
    if age == "any":
        return [BuilderCondition("Bool", "aws:MultiFactorAuthPresent", ("true",))]
    if not re.fullmatch(r"[0-9]{1,6}", age) or not int(age):
        raise _WrongError("Choose how recent the MFA sign-in must be.")
    return [BuilderCondition("NumericLessThan", "aws:MultiFactorAuthAge", (str(int(age)),))]


def _ip(form: Form) -> list[BuilderCondition]:
    nets = _words(form.get("ip-nets", ""))
    for net in nets:
        if "%" in net:
            raise _WrongError("AWS doesn’t support address zones: remove the % and what follows.")
        try:
            ipaddress.ip_network(net)
        except ValueError:
            raise _WrongError(_about_network(net)) from None
    return [
        BuilderCondition("IpAddress", "aws:SourceIp", _limited(nets, "a network, such as 203.0.113.0/24"))
    ]


def _about_network(text: str) -> str:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return f"“{text[:40]}” isn’t a network. Use the form 203.0.113.0/24."
    return f"“{text[:40]}” isn’t the start of a network. Did you mean {network}?"


def _time(form: Form) -> list[BuilderCondition]:
    whens = [
        BuilderCondition(operator, "aws:CurrentTime", (f"{moment:%Y-%m-%dT%H:%M:%SZ}",))
        for field, operator in (("time-from", "DateGreaterThan"), ("time-until", "DateLessThan"))
        if (moment := _moment(form.get(field, ""))) is not None
    ]
    if not whens:
        raise _WrongError("Enter a start, an end, or both.")
    if len(whens) == 2 and whens[0].values >= whens[1].values:
        raise _WrongError("The end is before the start.")
    return whens


def _moment(text: str) -> datetime | None:
    if not text.strip():
        return None
    try:
        read = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
        in_utc = read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise _WrongError(f"“{text[:40]}” isn’t a date and time.") from None
    if in_utc.year < EARLIEST:
        raise _WrongError(f"“{text[:40]}” is before {EARLIEST}. AWS doesn’t support earlier dates.")
    return in_utc


def _tag(form: Form) -> list[BuilderCondition]:
    key = form.get("tag-key", "").strip()
    if not TAG_KEY.fullmatch(key):
        raise _WrongError("Enter a tag key, such as team.")
    values = _limited(_several(form.get("tag-values", "")), "the value of the tag, such as payments")
    operator = COMPARISONS.get(form.get("tag-op", "is"), "StringEquals")
    return [BuilderCondition(operator, TAG + key, values, form.get("tag-known") == ON)]


def _vpce(form: Form) -> list[BuilderCondition]:
    values = _fitting(
        _words(form.get("vpce-ids", "")), VPCE, "the id of a VPC endpoint, such as vpce-0a1b2c3d"
    )
    return [BuilderCondition("StringEquals", "aws:SourceVpce", values)]


def _region(form: Form) -> list[BuilderCondition]:
    values = _fitting(_words(form.get("region-names", "")), REGION, "a region, such as eu-west-1")
    return [BuilderCondition("StringEquals", "aws:RequestedRegion", values)]


def _org(form: Form) -> list[BuilderCondition]:
    values = _fitting(_words(form.get("org-ids", "")), ORG, "the id of an organization, such as o-a1b2c3d4e5")
    return [BuilderCondition("StringEquals", "aws:ResourceOrgID", values)]


def _other(name: str) -> Callable[[Form], list[BuilderCondition]]:
    def read(form: Form) -> list[BuilderCondition]:
        key = form.get(f"{name}-key", "").strip()
        operator = form.get(f"{name}-op", "StringEquals").strip()
        if catalogue().condition_key(key) is None:
            raise _WrongError(f"“{key[:60]}” isn’t an AWS condition key.")
        known_operator = _OPERATORS.get(fold(operator))
        if known_operator is None:
            raise _WrongError(f"“{operator[:40]}” isn’t a condition operator.")
        values = _limited(_several(form.get(f"{name}-values", "")), "at least one value")
        is_required = form.get(f"{name}-known") == ON
        return [BuilderCondition(known_operator, key, values, is_required)]

    return read


KINDS: Final[Mapping[str, Callable[[Form], list[BuilderCondition]]]] = {
    "mfa": _mfa,
    "ip": _ip,
    "time": _time,
    "tag": _tag,
    "vpce": _vpce,
    "region": _region,
    "org": _org,
}


def _known_form(when: BuilderCondition) -> dict[str, str]:
    """The form fields of a condition of a named kind, or nothing; only if they parse to the same
    condition.
    """
    form = _guess(when)
    if not form:
        return {}
    whens, wrong = form_conditions(form)
    return form if not wrong and len(whens) == 1 and whens[0] == when else {}


def _guess(when: BuilderCondition) -> dict[str, str]:
    if not when.values:
        return {}
    place, spaced = when.block_position, " ".join(when.values)
    if place == ("bool", "aws:multifactorauthpresent"):
        return {"mfa": ON, "mfa-age": "any"}
    if place == ("numericlessthan", "aws:multifactorauthage"):
        return {"mfa": ON, "mfa-age": when.values[0]}
    if place == ("ipaddress", "aws:sourceip"):
        return {"ip": ON, "ip-nets": spaced}
    if place[1] == "aws:currenttime" and place[0] in ("dategreaterthan", "datelessthan"):
        field = "time-from" if place[0] == "dategreaterthan" else "time-until"
        return {"time": ON, field: when.values[0].removesuffix("Z").removesuffix(":00")}
    if place[1].startswith(fold(TAG)) and when.operator in COMPARISONS.values():
        word = next(word for word, operator in COMPARISONS.items() if operator == when.operator)
        known = {"tag-known": ON} if when.where_known else {}
        return {
            "tag": ON,
            "tag-op": word,
            "tag-key": when.key[len(TAG) :],
            "tag-values": ", ".join(when.values),
        } | known
    for key, name, field in (
        ("aws:sourcevpce", "vpce", "vpce-ids"),
        ("aws:requestedregion", "region", "region-names"),
        ("aws:resourceorgid", "org", "org-ids"),
    ):
        if place == ("stringequals", key):
            return {name: ON, field: spaced}
    return {}


def _other_form(when: BuilderCondition, number: int) -> dict[str, str]:
    name = f"o{number}"
    known = {f"{name}-known": ON} if when.where_known else {}
    return {
        "other": ON,
        f"{name}-key": when.key,
        f"{name}-op": when.operator,
        f"{name}-values": "\n".join(when.values),
    } | known
