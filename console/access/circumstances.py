"""The conditions of a request as query parameters: MFA, Region, source IP, time and any other condition key.

`mfa=yes|no|any`, `region=REGION|any`, `ip=ADDRESS`, `time=MOMENT|any`, `ctx=KEY=VALUE` (repeat a key for
several values; an empty value means that the key is absent), and `strict=1`. A form can also send `key` with
`value`, or `tag` with `tag-value`, which become one more `ctx`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from ipaddress import ip_address
from itertools import chain
from typing import Any, Final

from django.http import QueryDict

from console.access.key_values import doubt_about
from console.web.middleware import ZONE, moment_of, parse_moment
from console.web.moments import input_text
from console.web.query import Pairs, QueryPairs
from iam.policy.catalogue import catalogue
from iam.policy.catalogue.global_keys import GLOBAL_KEYS
from iam.policy.letter_case import fold

MFA_KEY: Final = "aws:MultiFactorAuthPresent"
IP_KEY: Final = "aws:SourceIp"
TIME_KEY: Final = "aws:CurrentTime"
EPOCH_KEY: Final = "aws:EpochTime"
REGION_KEY: Final = "aws:RequestedRegion"
ANY: Final = "any"
"""Value of a field that is left open, so that no default is assumed."""
REGION: Final = re.compile(r"[a-z]{2}(-[a-z]+){1,2}-[0-9]{1,2}")
TAG_KEY: Final = "aws:PrincipalTag/"
MFA: Final = {"yes": "true", "no": "false"}
MFA_WORDS: Final = {"yes": "present", "no": "not present"}
FIELDS: Final = ("mfa", "region", "ip", "time")
OWN: Final = (*FIELDS, "ctx", "strict")
ROWS: Final = ("key", "value", "tag", "tag-value", "without")
"""Names that a form sends to add or remove a condition, which are converted to OWN."""
MAX_CONDITIONS, MAX_LENGTH, PREVIEW_LENGTH, CLOSE = 50, 2048, 80, 0.6


@dataclass(frozen=True, slots=True)
class ConditionChip:
    """A condition that is set. `url` is the address without it; `word` is the value of `without` that removes
    it in a form.
    """

    label: str
    value: str
    url: str
    word: str


@dataclass(frozen=True, slots=True)
class ConditionWarning:
    """A warning about a condition, which still counts; `url` replaces the condition by the suggestion."""

    text: str
    suggestion: str = ""
    url: str = ""


@dataclass(slots=True)
class RequestCircumstances:
    """The known conditions of a request.

    `context` maps condition keys to values, as in `WhoCanQuestion.context`; an empty list means that the key
    is absent. `errors` are messages by field; invalid values aren’t in `context`. `pairs` are the normalized
    query parameters.
    """

    context: dict[str, str | list[str]] = field(default_factory=dict)
    strict: bool = False
    errors: dict[str, str] = field(default_factory=dict)
    doubts: list[ConditionWarning] = field(default_factory=list)
    chips: list[ConditionChip] = field(default_factory=list)
    pairs: Pairs = ()
    given: dict[str, str] = field(default_factory=dict)
    key_names: list[str] = field(default_factory=list)
    assumed_now: bool = False

    @property
    def words(self) -> str:
        """All conditions as text; "" if there are none."""
        return "; ".join(f"{chip.label}: {chip.value}" for chip in self.chips)

    @property
    def is_any_time(self) -> bool:
        """Whether the time of the request is left open."""
        return self.given.get("time") == ANY

    @property
    def settings(self) -> Pairs:
        """The pairs without a visible field, for hidden fields."""
        return tuple(pair for pair in self.pairs if pair[0] == "ctx")


def circumstances_of(
    query: QueryDict, *, action: str = "", now: datetime | None = None
) -> RequestCircumstances:
    """Parse the conditions in an address or form; never raises.

    `action`, or the query's action, adds known condition keys; `now` is the time of the request if none is
    given.
    """
    action = action or query.get("action", "")
    circumstances = RequestCircumstances(strict=query.get("strict") == "1")
    pairs = [pair for pair in _pairs(query, circumstances) if "=".join(pair) not in query.getlist("without")]
    circumstances.pairs = tuple(pairs)
    circumstances.given |= {name: value for name, value in pairs if name != "ctx"}
    if moment := parse_moment(circumstances.given.get("time", "")):
        circumstances.given["time"] = input_text(moment)
    circumstances.strict = ("strict", "1") in pairs
    known = _RequestKeys(action)
    circumstances.key_names = known.offered
    plain = QueryPairs.from_pairs([*_other_parameters(query), *pairs])
    for name, value in pairs:
        if value == ANY and name in FIELDS:
            continue
        _enter(circumstances, name, value)
        label, words = _words(name, value)
        without = str(plain.without(name, value))
        circumstances.chips.append(ConditionChip(label, words, without, f"{name}={value}"))
    if now is not None:
        _assume_time(circumstances, now)
    _doubt(circumstances, known, plain)
    return circumstances


def _assume_time(circumstances: RequestCircumstances, now: datetime) -> None:
    lowered = {fold(key) for key in circumstances.context}
    if "time" not in circumstances.given and not lowered & {fold(TIME_KEY), fold(EPOCH_KEY)}:
        _set_time(circumstances, now)
        circumstances.assumed_now = True


def _set_time(circumstances: RequestCircumstances, moment: datetime) -> None:
    _set(circumstances, "time", TIME_KEY, f"{moment:%Y-%m-%dT%H:%M:%SZ}")
    _set(circumstances, "time", EPOCH_KEY, str(int(moment.timestamp())))


def _other_parameters(query: QueryDict) -> Iterator[tuple[str, str]]:
    """Yield the other query parameters, which the links of chips keep.

    The CSRF token and policy texts are left out.
    """
    gone = {*OWN, *ROWS, ZONE, "csrfmiddlewaretoken", "after", "before"}
    for name, values in query.lists():
        if name not in gone and not name.endswith("-policy"):
            yield from ((name, str(value)) for value in values)


def _pairs(query: QueryDict, circumstances: RequestCircumstances) -> Iterator[tuple[str, str]]:
    """Yield each condition once, in normalized form."""
    for name in FIELDS:
        value = query.get(name, "").strip()[:MAX_LENGTH]
        if name == "time" and (moment := moment_of(query, name)):
            value = f"{moment:%Y-%m-%dT%H:%M:%SZ}"
        if value:
            yield name, value
    settings = [text.strip() for text in query.getlist("ctx")]
    settings += list(_added(query, circumstances, "key", "value", ""))
    settings += list(_added(query, circumstances, "tag", "tag-value", TAG_KEY))
    kept = list(dict.fromkeys(text for text in settings if text))
    if len(kept) > MAX_CONDITIONS:
        circumstances.errors["ctx"] = (
            f"You can set at most {MAX_CONDITIONS} conditions. The ones after these were left out."
        )
    yield from (("ctx", text[:MAX_LENGTH]) for text in kept[:MAX_CONDITIONS])
    if query.get("strict") == "1":
        yield "strict", "1"


def _added(
    query: QueryDict, circumstances: RequestCircumstances, name: str, value: str, start: str
) -> Iterator[str]:
    key, text = query.get(name, "").strip(), query.get(value, "").strip()
    if not key:
        if text:
            circumstances.errors[name] = (
                f"“{text[:PREVIEW_LENGTH]}” is a value without a key. Enter its key, or remove the value."
            )
            circumstances.given[value] = text
        return
    if "=" in key:
        circumstances.errors[name] = (
            f"“{key[:PREVIEW_LENGTH]}” contains an equals sign. Enter the key here and its value beside it."
        )
        circumstances.given |= {name: key, value: text}
        return
    yield f"{start}{key}={text}"


def _enter(circumstances: RequestCircumstances, name: str, value: str) -> None:
    """Add a pair to the context, or an error."""
    if name == "mfa":
        if value in MFA:
            _set(circumstances, name, MFA_KEY, MFA[value])
        else:
            circumstances.errors["mfa"] = (
                f"“{value[:PREVIEW_LENGTH]}” isn’t an MFA state. Use yes, no or any."
            )
    elif name == "region":
        if REGION.fullmatch(value):
            _set(circumstances, name, REGION_KEY, value)
        else:
            circumstances.errors["region"] = (
                f"“{value[:PREVIEW_LENGTH]}” isn’t a Region. Enter one such as eu-west-1, or any for all "
                "Regions."
            )
    elif name == "ip":
        if problem := _address_problem(value):
            circumstances.errors["ip"] = problem
        else:
            _set(circumstances, name, IP_KEY, value)
    elif name == "time":
        moment = parse_moment(value)
        if moment is None:
            circumstances.errors["time"] = (
                f"“{value[:PREVIEW_LENGTH]}” isn’t a time. Enter one such as 2026-11-24T14:05."
            )
        else:
            _set_time(circumstances, moment)
    elif name == "ctx":
        _enter_setting(circumstances, value)


def _enter_setting(circumstances: RequestCircumstances, text: str) -> None:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        circumstances.errors["ctx"] = (
            f"“{text[:PREVIEW_LENGTH]}” isn’t a condition. Use KEY=VALUE, such as "
            "aws:RequestedRegion=eu-west-1."
        )
        return
    _set(circumstances, "ctx", key.strip(), value.strip())


def _set(circumstances: RequestCircumstances, field_name: str, key: str, value: str) -> None:
    """Add a value to the context; keys are case-insensitive, and an empty value means that the key is
    absent.
    """
    key_given = next((known_key for known_key in circumstances.context if fold(known_key) == fold(key)), None)
    if key_given is None:
        circumstances.context[key] = value if value else []
        return
    if field_name != "ctx" or key_given in _fields_set(circumstances):
        circumstances.errors["ctx"] = (
            f"{key_given} is set twice: by its own field and as a condition. Remove one of them."
        )
        return
    before = circumstances.context[key_given]
    if not value or before == []:
        circumstances.errors["ctx"] = (
            f"{key_given} is set both as absent and with a value. Remove one of them."
        )
        return
    circumstances.context[key_given] = [*([before] if isinstance(before, str) else before), value]


def _fields_set(circumstances: RequestCircumstances) -> set[str]:
    by_field = {
        "mfa": (MFA_KEY,),
        "region": (REGION_KEY,),
        "ip": (IP_KEY,),
        "time": (TIME_KEY, EPOCH_KEY),
    }
    return set(chain.from_iterable(keys for name, keys in by_field.items() if name in circumstances.given))


def _address_problem(text: str) -> str:
    try:
        ip_address(text)
    except ValueError:
        if "/" in text:
            return f"“{text[:PREVIEW_LENGTH]}” is a range. Enter one address, such as 203.0.113.7."
        return f"“{text[:PREVIEW_LENGTH]}” isn’t an IP address. Enter one such as 203.0.113.7 or 2001:db8::7."
    return ""


def _words(name: str, value: str) -> tuple[str, str]:
    if name == "mfa":
        return "MFA", MFA_WORDS.get(value, value)
    if name == "strict":
        return "Unspecified keys", "absent"
    if name != "ctx":
        return {"region": "Region", "ip": "Source IP", "time": "Time (UTC)"}[name], value.replace("T", " ")
    key, _, text = value.partition("=")
    tag = key[len(TAG_KEY) :] if fold(key).startswith(fold(TAG_KEY)) else ""
    return (f"Tag {tag}" if tag else key), text or "absent"


class _RequestKeys:
    """The condition keys that requests of an action can have."""

    def __init__(self, action: str) -> None:
        known = catalogue()
        prefix = action.partition(":")[0]
        service = known.service(prefix) if prefix else None
        own = known.condition_keys(action) or (
            tuple(key.name for key in service.condition_keys.values()) if service else ()
        )
        self.offered = list(dict.fromkeys([*own, *(key.name for key in GLOBAL_KEYS.values())]))
        self._by_lower = {fold(name): name for name in self.offered}

    def closest(self, key: str) -> str:
        """Return the most similar known key; "" if none is similar."""
        lowered = fold(key)
        if ":" not in lowered:
            lowered = f"aws:{lowered}"
        matches = get_close_matches(lowered, self._by_lower, n=1, cutoff=CLOSE)
        if not matches:
            return ""
        closest = matches[0]
        has_placeholder = "${" in closest or "<" in closest
        return "" if has_placeholder else self._by_lower[closest]


def _doubt(circumstances: RequestCircumstances, known: _RequestKeys, plain: QueryPairs) -> None:
    """Add warnings about conditions that requests to AWS hardly have; they still count."""
    for key, value in circumstances.context.items():
        values = [value] if isinstance(value, str) else value
        record = catalogue().condition_key(key)
        if record is not None:
            circumstances.doubts += [ConditionWarning(text) for text in doubt_about(record, key, values)]
            continue
        near = known.closest(key)
        instead = _suggestions_instead(plain, key, near) if near else ""
        circumstances.doubts.append(
            ConditionWarning(
                f"AWS doesn’t list a condition key {key[:PREVIEW_LENGTH]}. It’s used as entered.",
                near,
                instead,
            )
        )


def _suggestions_instead(plain: QueryPairs, key: str, near: str) -> str:
    pairs: list[tuple[str, str]] = []
    for name, value in plain.pairs:
        context_key, _, context_value = value.partition("=")
        if name == "ctx" and context_key.strip() == key:
            pairs.append((name, f"{near}={context_value}"))
        else:
            pairs.append((name, value))
    return str(QueryPairs.from_pairs(pairs))


def circumstances_context(circumstances: RequestCircumstances, *, is_posted: bool = False) -> dict[str, Any]:
    """Return the context of `access/_circumstances.html`; with `is_posted`, chips are buttons of a POST
    form.
    """
    return {"circumstances": circumstances, "circumstances_posted": is_posted}
