"""What a policy gives, in words: one line for each service, with what is risky about it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from iam.access.builder.build import groups_of
from iam.access.builder.conditions import AGES
from iam.access.builder.parts import CHOICES, Part, When, level_actions
from iam.access.builder.read import read_back
from iam.policy.catalogue import Level, catalogue
from iam.policy.sentences.conditions import phrase

VERBS: Final = {
    Level.LIST: "list",
    Level.READ: "read",
    Level.WRITE: "change",
    Level.PERMISSIONS: "manage permissions of",
    Level.TAGGING: "tag",
}
NAMED: Final = 3
RISKY: Final = frozenset(
    {
        "iam:PassRole",
        "sts:AssumeRole",
        "iam:CreateAccessKey",
        "iam:CreatePolicyVersion",
        "lambda:AddPermission",
        "secretsmanager:GetSecretValue",
        "kms:Decrypt",
    }
)


@dataclass(frozen=True, slots=True)
class Said:
    """One line: may do `verbs` (in `title`), by name `actions`, on `places`, only when `whens`. `tone` is warn where it is risky."""

    service: str
    title: str
    verbs: str
    actions: str
    places: tuple[str, ...]
    more_places: int
    whens: tuple[str, ...]
    tone: str
    why: str
    count: int
    levels: str
    """Quarters of each access level, as the access-level bar takes them."""


def said(parts: Sequence[Part]) -> list[Said]:
    """A line for each part in which something is chosen."""
    return [_said(part) for part in parts if part.actions]


def said_of(document: Mapping[str, Any] | str) -> tuple[list[Said], tuple[str, ...]]:
    """The lines of a document, and why it says more than these, if it does."""
    reading = read_back(document)
    return said(reading.parts), reading.reasons


def _said(part: Part) -> Said:
    places = _places(part)
    tone, why = _risk(part)
    return Said(
        service=part.service,
        title=catalogue().title(part.service),
        verbs=_listed([VERBS[level] for level in CHOICES if part.of_level(level)]),
        actions=_names(part),
        places=places[:NAMED],
        more_places=len(places[NAMED:]),
        whens=tuple(map(_when, part.whens)),
        tone=tone,
        why=why,
        count=len(part.actions),
        levels=quarters(part),
    )


def _when(when: When) -> str:
    is_age = when.place == ("numericlessthan", "aws:multifactorauthage") and len(when.values) == 1
    age = AGES.get(when.values[0]) if is_age else None
    return (
        f"MFA was used in the last {age.removeprefix('1 ')}"
        if age
        else phrase(when.operator, when.key, when.values)
    )


def quarters(part: Part) -> str:
    """How much of each access level is chosen, in quarters; the least is one."""
    found = []
    for level in CHOICES:
        some, every = len(part.of_level(level)), len(level_actions(part.service, level))
        found.append(0 if not some else 4 if some == every else min(3, max(1, some * 4 // every)))
    return " ".join(map(str, found))


def _names(part: Part) -> str:
    """Whole levels by their name, single actions by theirs."""
    whole = part.whole
    words = [f"all of {level}" for level in whole]
    single = [one.partition(":")[2] for one in part.actions if catalogue().level(one) not in whole]
    shown = [*words, *single[:NAMED]]
    more = len(single) - NAMED
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _places(part: Part) -> tuple[str, ...]:
    found = dict.fromkeys(arn for group in groups_of(part) for arn in group.arns if arn != "*")
    return tuple(found)


def _risk(part: Part) -> tuple[str, str]:
    """What an approver should look at twice."""
    if part.of_level(Level.PERMISSIONS):
        return "warn", "It manages permissions: whoever has it can open access to others"
    risky = [one for one in part.actions if one in RISKY]
    if risky:
        return "warn", f"{_listed(risky[:NAMED])} can lead further than it looks"
    limited = [one for one in part.of_level(Level.WRITE) if catalogue().resource_types(one)]
    if limited and (part.everywhere or "*" in part.arns) and not part.whens:
        return "warn", f"It changes any resource of {catalogue().title(part.service)}"
    return "", ""


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else ""


def quarters_of(document: Mapping[str, Any]) -> str:
    """The bar of a document over all its services: of each level, the most of any."""
    bars = [[int(one) for one in line.levels.split()] for line in said_of(document)[0]]
    return " ".join(str(max(column)) for column in zip(*bars, strict=True)) if bars else "0 0 0 0 0"
