"""The impact of a set of changes for pages: on whom, in which services and access levels, and how risky."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from django.urls import reverse

from console.access.bars import KEYS
from console.changes.access_rows import SIGNS, users_in
from console.changes.counts import affected_of, principals, rest_of
from console.changes.reason_rows import reasons
from console.changes.replay_rows import ReplayShown, replay_shown, replayed_entities
from console.changes.witness_rows import WitnessShown, witnesses_shown
from console.web.access_levels import plain_label
from iam.changes.access_effects import ALTERED, CONDITIONAL, GAINED, LOST, NARROWER, WIDER
from iam.changes.risks import CRITICAL, GRAVE, LEVEL_WORDS, NORMAL, SENSITIVE, WORDS, level_of
from iam.guard import Viewer
from iam.mirror.models import Account, Entity
from iam.mirror.queries.entities import OpenableEntities
from iam.policy.catalogue import AccessLevel, catalogue

NAMED: Final = 6
_DOTS: Final = {"permissions": "perm", "tagging": "tag"}
_MARKS_BY_SHIFT: Final = {
    GAINED: ("+", "add", "gained"),
    WIDER: ("+", "add", "on more resources or with fewer conditions"),
    ALTERED: ("~", "", "some requests gained, others lost"),
    CONDITIONAL: ("−", "del", "now only with conditions"),
    NARROWER: ("−", "del", "on fewer resources"),
    LOST: ("−", "del", "lost"),
}


@dataclass(frozen=True, slots=True)
class RiskLabel:
    """A risk's label and tone."""

    text: str
    tone: str


@dataclass(frozen=True, slots=True)
class ImpactName:
    """A principal's name, with its page if the viewer can open it."""

    name: str
    kind: str
    pk: int | None


@dataclass(frozen=True, slots=True)
class ImpactLine:
    """The number of actions of an access level that are gained or lost.

    `dot` is the color of the level; "" for viewers who read the level in plain words.
    """

    sign: str
    css: str
    said: str
    count: int
    level: str
    dot: str
    witnesses: list[WitnessShown]


@dataclass(frozen=True, slots=True)
class ImpactAction:
    """An action that is named."""

    name: str
    sign: str
    css: str
    said: str
    is_plain: bool
    is_risky: bool
    witnesses: list[WitnessShown]


@dataclass(frozen=True, slots=True)
class ServiceLines:
    """What changes in a service."""

    title: str
    lines: list[ImpactLine]


@dataclass(frozen=True, slots=True)
class GainShown:
    """Principals with the same impact.

    `outside` counts people whose names the viewer can’t see; `accounts` counts the accounts, and
    `account_names` are the visible ones. `where` is the only account, if the receipt is about others too.
    """

    title: str
    where: str
    accounts: int
    account_names: list[str]
    names: list[ImpactName]
    unnamed: int
    outside: int
    services: list[ServiceLines]
    more_services: int
    actions: list[ImpactAction]
    more_actions: int
    risks: list[RiskLabel]
    ways_up: list[str]
    reasons: list[str]


@dataclass(frozen=True, slots=True)
class UnchangedShown:
    """Principals for whom nothing changes, and why."""

    title: str
    where: str
    names: list[ImpactName]
    unnamed: int
    outside: int
    reasons: list[str]


SEPARATION_OF_DUTIES: Final = "sod"
"""Prefix of the key of a broken separation-of-duties rule, before a colon."""


@dataclass(frozen=True, slots=True)
class BrokenAssertionShown:
    """An assertion that the changes break, and who gets the access.

    `url` is set for viewers who see the account; `unnamed` can include people whose names the viewer can’t
    see.
    """

    name: str
    actions: str
    names: list[ImpactName]
    unnamed: int
    url: str

    @property
    def unnamed_words(self) -> str:
        """The principals without names, as text."""
        if not self.unnamed:
            return ""
        if self.names:
            return f"and {self.unnamed:,} more"
        return "1 IAM user or role" if self.unnamed == 1 else f"{self.unnamed:,} IAM users and roles"


@dataclass(frozen=True, slots=True)
class ImpactShown:
    """The impact as shown on the card."""

    affected: int
    affected_words: str
    more: int
    less: int
    other: int
    gains: list[GainShown]
    more_groups: int
    rest: str
    risks: list[RiskLabel]
    level: RiskLabel
    unchanged: list[UnchangedShown]
    undecided: list[str]
    replay: ReplayShown | None
    assertions: list[BrokenAssertionShown]


def impact_shown(
    impact: dict[str, Any] | None, *, viewer: Viewer, open_to: OpenableEntities, called: Mapping[int, str]
) -> ImpactShown | None:
    """Return the impact in a receipt; None for sets requested before receipts had one.

    `called` are the display names of users by ID.
    """
    if not impact:
        return None
    totals = impact["totals"] or {}
    accounts = _accounts_of(impact)
    gone = _gone_of(impact, open_to=open_to)
    return ImpactShown(
        affected=impact["affected"],
        affected_words=affected_words(impact),
        more=totals.get(GAINED, 0) + totals.get(WIDER, 0),
        less=totals.get(LOST, 0) + totals.get(NARROWER, 0) + totals.get(CONDITIONAL, 0),
        other=totals.get(ALTERED, 0),
        gains=[
            _gain(gain, viewer=viewer, open_to=open_to, accounts=accounts, called=called, gone=gone)
            for gain in impact["gains"]
        ],
        more_groups=impact["more_groups"],
        rest=rest_of(impact),
        risks=_risks(impact["risks"]),
        level=level_shown(impact.get("risk") or level_of(impact["risks"])),
        unchanged=[
            _unchanged(block, viewer=viewer, open_to=open_to, accounts=accounts, called=called)
            for block in impact.get("unchanged", ())
        ],
        undecided=impact["undecided"],
        replay=replay_shown(impact.get("replay"), open_to=open_to),
        assertions=[
            _assertion(broken, viewer=viewer, open_to=open_to, called=called)
            for broken in impact.get("assertions", ())
        ],
    )


def _assertion(
    broken: dict[str, Any], *, viewer: Viewer, open_to: OpenableEntities, called: Mapping[int, str]
) -> BrokenAssertionShown:
    names = list(_names(broken, viewer=viewer, open_to=open_to, called=called))
    url = ""
    if viewer.scope.sees_account(broken["account_id"]):
        kind, _, number = broken["key"].rpartition(":")
        page = "reviews:rule" if kind == SEPARATION_OF_DUTIES else "findings:assertion"
        url = reverse(page, args=[number])
    return BrokenAssertionShown(
        name=broken["name"],
        actions=", ".join(broken["actions"]),
        names=names,
        unnamed=len(broken["names"]) - len(names) + broken["more"],
        url=url,
    )


def affected_words(impact: Mapping[str, Any]) -> str:
    """Return how many IAM users and roles can do more or less."""
    places = list(chain.from_iterable(places_of(gain) for gain in impact["gains"]))
    return affected_of(impact, places)


def users_in_impact(impact: dict[str, Any] | None) -> dict[int, str]:
    """Return the mirror's users that an impact names: user name by ID."""
    users: dict[int, str] = {}
    for place in _naming_parts(impact or {}):
        users |= users_in(place["names"])
    return users


def named_in_impact(impact: dict[str, Any] | None) -> list[int]:
    """Return the IDs of the entities that an impact names."""
    if not impact:
        return []
    numbers: list[int] = []
    for place in _naming_parts(impact):
        numbers += [person["entity_id"] for person in place["names"] if person["entity_id"]]
    return numbers + replayed_entities(impact.get("replay"))


def _gone_of(impact: dict[str, Any], *, open_to: OpenableEntities) -> frozenset[int]:
    """Return the IDs of named entities that were deleted and that the viewer can't open. Takes one query if
    the viewer can't open all.
    """
    hidden = [number for number in named_in_impact(impact) if number not in open_to]
    if not hidden:
        return frozenset()
    gone = Entity.objects.filter(pk__in=hidden, gone_at__isnull=False)
    return frozenset(gone.values_list("pk", flat=True))


def _naming_parts(impact: dict[str, Any]) -> list[Mapping[str, Any]]:
    """Return all parts that have names, by block and account."""
    blocks = chain.from_iterable(impact.get(sort, ()) for sort in ("gains", "unchanged", "assertions"))
    return list(chain.from_iterable(places_of(block) for block in blocks))


def places_of(gain: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the parts of a block by account: itself, and those of other accounts with the same impact."""
    return [gain, *gain.get("elsewhere", ())]


def _accounts_of(impact: dict[str, Any]) -> dict[str, str]:
    """Return account names by ID.

    Takes one query; returns {} without a query if the receipt is about a single account.
    """
    blocks = [*impact["gains"], *impact.get("unchanged", ())]
    places = chain.from_iterable(places_of(block) for block in blocks)
    numbers = {place["account_id"] for place in places}
    if len(numbers) < 2:
        return {}
    return dict(Account.objects.filter(account_id__in=numbers).values_list("account_id", "name"))


def _gain(
    gain: dict[str, Any],
    *,
    viewer: Viewer,
    open_to: OpenableEntities,
    accounts: Mapping[str, str],
    called: Mapping[int, str],
    gone: Collection[int],
) -> GainShown:
    places = places_of(gain)
    names: list[ImpactName] = []
    deleted = 0
    for place in places:
        visible = list(_names(place, viewer=viewer, open_to=open_to, called=called))
        names += visible
        if len(visible) < len(place["names"]):
            deleted += sum(name["entity_id"] in gone for name in place["names"])
    users, roles = sum(place["users"] for place in places), sum(place["roles"] for place in places)
    people = users + roles
    named = sum(len(place["names"]) for place in places)
    numbers = dict.fromkeys(place["account_id"] for place in places)
    with_openable = {
        place["account_id"]
        for place in places
        if any(person["entity_id"] in open_to for person in place["names"])
    }
    seen = [number for number in numbers if viewer.scope.sees_account(number) or number in with_openable]
    # A receipt names only the first few principals. Only named ones that the viewer can't see count as
    # outside; nobody knows the teams of the others, nor of those that were deleted since.
    hidden = named - len(names) - deleted
    # The requests are those of the first principal, whose name can be part of a resource.
    is_shown = bool(gain["names"]) and _is_visible(gain["names"][0], gain, viewer=viewer, open_to=open_to)
    where = accounts.get(gain["account_id"], "") if len(numbers) == 1 and names else ""
    why = reasons(gain, people=people) if is_shown else []
    return GainShown(
        title=principals(users, roles),
        where=where,
        accounts=len(numbers),
        account_names=[accounts.get(number, number) for number in seen],
        names=names[:NAMED],
        unnamed=people - named + len(names[NAMED:]) + deleted,
        outside=hidden,
        services=_services(gain["rows"], is_shown=is_shown, plain=not viewer.sees_accounts),
        more_services=gain["more_services"],
        actions=[_action(action, is_shown=is_shown) for action in gain["actions"]],
        more_actions=gain["more_actions"],
        risks=_risks(gain["risks"]),
        ways_up=[" + ".join(actions) for actions in gain["ways_up"]],
        reasons=why,
    )


def _unchanged(
    block: dict[str, Any],
    *,
    viewer: Viewer,
    open_to: OpenableEntities,
    accounts: Mapping[str, str],
    called: Mapping[int, str],
) -> UnchangedShown:
    names = list(_names(block, viewer=viewer, open_to=open_to, called=called))
    people = block["users"] + block["roles"]
    sees_all = viewer.scope.sees_account(block["account_id"])
    rest = people - len(names)
    where = accounts.get(block["account_id"], "") if names else ""
    unnamed, outside = (rest, 0) if sees_all else (0, rest)
    why = reasons(block, people=people) if names else []
    return UnchangedShown(
        title=principals(block["users"], block["roles"]),
        where=where,
        names=names,
        unnamed=unnamed,
        outside=outside,
        reasons=why,
    )


def _names(
    gain: Mapping[str, Any], *, viewer: Viewer, open_to: OpenableEntities, called: Mapping[int, str]
) -> Iterable[ImpactName]:
    """Yield the visible names; a principal that the changes create isn’t in the mirror yet and isn’t
    secret.
    """
    for name in gain["names"]:
        pk = name["entity_id"] if name["entity_id"] in open_to else None
        if _is_visible(name, gain, viewer=viewer, open_to=open_to):
            yield ImpactName(called.get(name["entity_id"], name["name"]), name["kind"], pk)


def _is_visible(
    name: dict[str, Any], gain: Mapping[str, Any], *, viewer: Viewer, open_to: OpenableEntities
) -> bool:
    """Return whether the viewer can see a principal's name."""
    number = name["entity_id"]
    return viewer.scope.sees_account(gain["account_id"]) or number is None or number in open_to


def _services(rows: list[dict[str, Any]], *, is_shown: bool, plain: bool) -> list[ServiceLines]:
    lines_by_service: dict[str, list[ImpactLine]] = {}
    for row in rows:
        lines_by_service.setdefault(row["service"], []).extend(_lines(row, is_shown=is_shown, plain=plain))
    known = catalogue()
    return [ServiceLines(known.title(prefix), lines) for prefix, lines in lines_by_service.items()]


def _lines(row: dict[str, Any], *, is_shown: bool, plain: bool) -> Iterable[ImpactLine]:
    level = AccessLevel(row["level"])
    level_label = plain_label(level, service=row["service"]) if plain else str(level)
    dot = "" if plain else _DOTS.get(KEYS[level], KEYS[level])
    for shift, count in row["counts"].items():
        sign, css, label = _MARKS_BY_SHIFT[shift]
        witnesses = witnesses_shown(row.get("witnesses", {}).get(shift)) if is_shown else []
        yield ImpactLine(sign, css, label, count, level_label, dot, witnesses)


def _action(shift: dict[str, Any], *, is_shown: bool) -> ImpactAction:
    sign, css, label = SIGNS[shift["sort"]]
    witnesses = witnesses_shown(shift.get("witnesses")) if is_shown else []
    return ImpactAction(
        shift["action"], sign, css, label, shift["sort"] in (GAINED, LOST), shift["is_risky"], witnesses
    )


def level_shown(level: str) -> RiskLabel:
    """Return the label and tone of a risk level."""
    return RiskLabel(LEVEL_WORDS[level], {NORMAL: "", SENSITIVE: "warn", CRITICAL: "bad"}[level])


def _risks(risks: Iterable[str]) -> list[RiskLabel]:
    return [RiskLabel(WORDS[risk], risk_tone(risk)) for risk in risks if risk in WORDS]


def risk_tone(risk: str) -> str:
    """Return the tone of a risk."""
    return "bad" if risk in GRAVE else "warn"
