"""Describes each journal entry in one plain sentence."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import datetime
from typing import Any

from console.audit.requests import RequestReference
from console.audit.sentences import OF_CHANGES, OF_REQUESTS, SENTENCES
from console.web.moments import moment_text
from iam.audit.findings.rules import all_rules
from iam.audit.frameworks.definitions import all_frameworks
from iam.audit.frameworks.judgement import DECISION_LABELS
from iam.journal.models import Entry
from iam.journal.services import COMMAND_LINE, NOT_SIGNED_IN

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)")
_SLUGS = frozenset({"by", "method", "outcome", "over", "purpose", "role", "rule", "type"})
"""Names of data whose values are slugs, with underscores or dashes instead of spaces."""
_NAMES = {
    "recovery_codes": "recovery code",
    "single sign-on": "single sign-on",
    "socialaccount": "single sign-on",
    "totp": "authenticator app",
    "webauthn": "passkey",
}
"""Labels for values of the sign-in library."""
_STATES = frozenset({"from", "to"})
"""Names of data whose values are slugs in entries about a state, but names elsewhere."""
_LABELS = {
    "sha256": "SHA-256",
    "arn": "ARN",
    "by": "Method",
    "change": "Change ID",
    "grant": "Grant ID",
    "for": "For",
}
_ACTORS = {COMMAND_LINE.name: "The command line", NOT_SIGNED_IN.name: "Someone who isn’t signed in"}


def words_of(entry: Entry, reference: RequestReference | None = None) -> str:
    """Return the sentence of an entry about `reference`, its request or grant.

    A kind without a sentence is written out with its subject.
    """
    data = entry.data
    area, _, act = entry.kind.partition(".")
    if area == "change" and (reference or data.get("title")):
        template = OF_REQUESTS.get(act) or OF_CHANGES.get(act) or f"{_spelled(act)}: {{request}}"
    else:
        template = SENTENCES.get(entry.kind, "")
    if not template:
        spelled = _spelled(entry.kind)
        return f"{spelled}, {entry.subject}" if entry.subject else spelled
    values: dict[str, Any] = defaultdict(str, {name: _value(name, value) for name, value in data.items()})
    if act == "state":
        values |= {name: _unslugged(str(data[name])) for name in _STATES if name in data}
    values |= _counted(data)
    if entry.kind == "link.refused":
        values["why"] = _unslugged(str(data.get("why", "")))
    values |= _titles(entry)
    values["who"] = _ACTORS.get(entry.actor_label, entry.actor_label)
    values.setdefault("subject", entry.subject)
    values["request"] = _request(entry, reference)
    if entry.kind == "sign_in.failed" and data.get("cause"):
        template = (
            "A sign-in failed ({method}), {subject}: {cause}"
            if entry.subject
            else "A sign-in failed ({method}): {cause}"
        )
    if area == "role":
        values["name"] = values["name"] or entry.subject
        values["team"] = f"of {data['team']}" if data.get("team") else ""
    if entry.kind == "leaving.asked" and entry.subject == data.get("reference"):
        values["subject"] = values["people_counted"]
    sentence = " ".join(template.format_map(values).split()).rstrip(" :,")
    return sentence.replace(" ()", "")


def details_of(entry: Entry) -> list[tuple[str, str]]:
    """Return the entry's data as (label, text); nested values are written as text."""
    return [
        (_LABELS.get(name, name.replace("_", " ").capitalize()), _detail(value))
        for name, value in entry.data.items()
        if value not in ("", None, [], {})
    ]


def _detail(value: Any) -> str:
    """Format a value: “Account: 111122223333, Path: /payments/”.

    Items of a list that have parts themselves are separated by semicolons.
    """
    if isinstance(value, dict):
        named = [(_spelled(str(name)), _detail(part)) for name, part in value.items()]
        return ", ".join(f"{name}: {words}" for name, words in named if words)
    if isinstance(value, list):
        separator = "; " if any(isinstance(item, dict | list) for item in value) else ", "
        return separator.join(map(_detail, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = "" if value is None else str(value)
    moment = _moment(text)
    return text if moment is None else moment_text(moment, seconds=True)


def _moment(text: str) -> datetime | None:
    """Parse a text as a datetime with time zone; None if it isn’t one."""
    if not MOMENT.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _request(entry: Entry, reference: RequestReference | None) -> str:
    """Return the quoted title and number of the request; from the entry itself if there is no page to
    link.
    """
    if reference is None:
        title = entry.data.get("title") or entry.subject
        number = entry.data.get("reference", "")
        return f"“{title}” ({number})"
    if not reference.part:
        return f"“{reference.title}” ({reference.number})"
    if entry.kind.partition(".")[2] in OF_REQUESTS:
        return f"“{reference.title}” ({reference.number}), including “{reference.part}”"
    return f"“{reference.part}” ({reference.number}), part of “{reference.title}”"


def _titles(entry: Entry) -> dict[str, str]:
    """Return the titles of findings, frameworks and decisions as pages show them."""
    data, area = entry.data, entry.kind.partition(".")[0]
    if area == "finding":
        rule = all_rules().get(str(data.get("finding")))
        return {"finding": rule.title} if rule else {}
    if area == "assertion":
        return {"do": str(data.get("act", ""))}
    if area not in ("framework", "requirement"):
        return {}
    name, _, number = entry.subject.partition(" ")
    framework = all_frameworks().get(name)
    decision = str(data.get("decision", ""))
    return {
        "subject": f"{framework.title} {number}".strip() if framework else entry.subject,
        "decision": DECISION_LABELS.get(decision, decision).lower(),
    }


def _counted(data: dict[str, Any]) -> dict[str, str]:
    """Return counts with their nouns."""
    nouns = {
        "accounts_counted": ("accounts", "account", "accounts"),
        "keys_counted": ("keys", "access key", "access keys"),
        "people_counted": ("people", "person", "people"),
        "users_counted": ("people", "IAM user", "IAM users"),
        "decisions_counted": ("rows", "decision", "decisions"),
        "items_counted": ("rows", "access item", "access items"),
        "undecided_counted": ("undecided", "access item", "access items"),
    }
    counted = {}
    for name, (key, singular, plural) in nouns.items():
        number = data.get(key)
        if isinstance(number, int):
            counted[name] = f"{number:,} {singular if number == 1 else plural}"
    return counted


def _spelled(slug: str) -> str:
    return slug.replace(".", ": ").replace("_", " ").capitalize()


def _value(name: str, value: Any) -> str:
    if isinstance(value, list):
        return " and ".join(_value(name, item) for item in value)
    if not isinstance(value, str | int | float):
        return ""
    text = str(value)
    if name in _SLUGS and text in _NAMES:
        return _NAMES[text]
    if name in ("form", "format"):
        return text.upper()
    return _unslugged(text) if name in _SLUGS else text


def _unslugged(text: str) -> str:
    return text.replace("_", " ").replace("-", " ")
