"""What a set of changes comes to, as its pages show it: for whom, in which service, at which access level,
and how risky.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
from iam.changes.operations.access import ALTERED, CONDITIONAL, GAINED, LOST, NARROWER, WIDER
from iam.changes.risks import CRITICAL, GRAVE, LEVEL_WORDS, NORMAL, SENSITIVE, WORDS, level_of
from iam.guard import Viewer
from iam.mirror.models import Account
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
    """A risk in words, with its tone."""

    text: str
    tone: str


@dataclass(frozen=True, slots=True)
class ImpactName:
    """Somebody by name, with their page where the viewer may open it."""

    name: str
    kind: str
    pk: int | None


@dataclass(frozen=True, slots=True)
class ImpactLine:
    """So many actions of one access level come or go."""

    sign: str
    css: str
    said: str
    count: int
    level: str
    dot: str
    witnesses: list[WitnessShown]


@dataclass(frozen=True, slots=True)
class ImpactAction:
    """One action that is named."""

    name: str
    sign: str
    css: str
    said: str
    is_plain: bool
    is_risky: bool
    witnesses: list[WitnessShown]


@dataclass(frozen=True, slots=True)
class ServiceLines:
    """What becomes of one service."""

    title: str
    lines: list[ImpactLine]


@dataclass(frozen=True, slots=True)
class GainShown:
    """Those for whom the same becomes true. `outside` are people whom the viewer may not know by name;
    `accounts` is how many there are, and `account_names` those that the viewer sees, where there are several.
    `where` is the one account, if the receipt is about others too.
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
    """Those for whom nothing changes, and why."""

    title: str
    where: str
    names: list[ImpactName]
    unnamed: int
    outside: int
    reasons: list[str]


SEPARATION_OF_DUTIES: Final = "sod"
"""What the key of a broken rule begins with, before a colon."""


@dataclass(frozen=True, slots=True)
class BrokenAssertionShown:
    """An assertion that the changes break, and who would do what only others should. `url` leads to it for
    who sees the account; `unnamed` may be people whom the viewer may not know by name.
    """

    name: str
    actions: str
    names: list[ImpactName]
    unnamed: int
    url: str

    @property
    def unnamed_words(self) -> str:
        """Those who are not named."""
        if not self.unnamed:
            return ""
        if self.names:
            return f"and {self.unnamed:,} more"
        return "1 IAM user or role" if self.unnamed == 1 else f"{self.unnamed:,} IAM users and roles"


@dataclass(frozen=True, slots=True)
class ImpactShown:
    """As the card shows it."""

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
    """What a receipt says; None for a set that was asked for before receipts told it. `called` are the names
    of the users in it.
    """
    if not impact:
        return None
    totals = impact["totals"] or {}
    accounts = _accounts_of(impact)
    return ImpactShown(
        affected=impact["affected"],
        affected_words=affected_words(impact),
        more=totals.get(GAINED, 0) + totals.get(WIDER, 0),
        less=totals.get(LOST, 0) + totals.get(NARROWER, 0) + totals.get(CONDITIONAL, 0),
        other=totals.get(ALTERED, 0),
        gains=[
            _gain(gain, viewer=viewer, open_to=open_to, accounts=accounts, called=called)
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
    """How many IAM users and roles can do more or less."""
    places = list(chain.from_iterable(places_of(gain) for gain in impact["gains"]))
    return affected_of(impact, places)


def users_in_impact(impact: dict[str, Any] | None) -> dict[int, str]:
    """The users of the mirror that an impact names: number and login of each."""
    users: dict[int, str] = {}
    for place in _naming_parts(impact or {}):
        users |= users_in(place["names"])
    return users


def named_in_impact(impact: dict[str, Any] | None) -> list[int]:
    """The primary keys of the entities that an impact names."""
    if not impact:
        return []
    numbers: list[int] = []
    for place in _naming_parts(impact):
        numbers += [person["entity_id"] for person in place["names"] if person["entity_id"]]
    return numbers + replayed_entities(impact.get("replay"))


def _naming_parts(impact: dict[str, Any]) -> list[Mapping[str, Any]]:
    """All parts that have names, by block and account."""
    blocks = chain.from_iterable(impact.get(sort, ()) for sort in ("gains", "unchanged", "assertions"))
    return list(chain.from_iterable(places_of(block) for block in blocks))


def places_of(gain: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The parts of a block by account: its own, and those for which the same becomes true elsewhere."""
    return [gain, *gain.get("elsewhere", ())]


def _accounts_of(impact: dict[str, Any]) -> dict[str, str]:
    """The names of accounts by number, where a receipt is about several; one query, and none where it is
    about one.
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
) -> GainShown:
    places = places_of(gain)
    names: list[ImpactName] = []
    for place in places:
        names += _names(place, viewer=viewer, open_to=open_to, called=called)
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
    # A receipt names the first few: of the others nobody can tell whose they are, so only who is named and
    # not seen is called outside.
    hidden = named - len(names)
    # The requests are those of the first, whose name may stand in a resource.
    is_shown = bool(gain["names"]) and _is_visible(gain["names"][0], gain, viewer=viewer, open_to=open_to)
    where = accounts.get(gain["account_id"], "") if len(numbers) == 1 and names else ""
    why = reasons(gain, people=people) if is_shown else []
    return GainShown(
        title=principals(users, roles),
        where=where,
        accounts=len(numbers),
        account_names=[accounts.get(number, number) for number in seen],
        names=names[:NAMED],
        unnamed=people - named + len(names[NAMED:]),
        outside=hidden,
        services=_services(gain["rows"], is_shown=is_shown),
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
    """Who is not in the mirror yet is made by the changes themselves, and is no secret."""
    for name in gain["names"]:
        pk = name["entity_id"] if name["entity_id"] in open_to else None
        if _is_visible(name, gain, viewer=viewer, open_to=open_to):
            yield ImpactName(called.get(name["entity_id"], name["name"]), name["kind"], pk)


def _is_visible(
    name: dict[str, Any], gain: Mapping[str, Any], *, viewer: Viewer, open_to: OpenableEntities
) -> bool:
    """Whether the viewer may know somebody by name."""
    number = name["entity_id"]
    return viewer.scope.sees_account(gain["account_id"]) or number is None or number in open_to


def _services(rows: list[dict[str, Any]], *, is_shown: bool) -> list[ServiceLines]:
    lines_by_service: dict[str, list[ImpactLine]] = {}
    for row in rows:
        lines_by_service.setdefault(row["service"], []).extend(_lines(row, is_shown=is_shown))
    known = catalogue()
    return [ServiceLines(known.title(prefix), lines) for prefix, lines in lines_by_service.items()]


def _lines(row: dict[str, Any], *, is_shown: bool) -> Iterable[ImpactLine]:
    key = KEYS[AccessLevel(row["level"])]
    dot = _DOTS.get(key, key)
    for shift, count in row["counts"].items():
        sign, css, label = _MARKS_BY_SHIFT[shift]
        witnesses = witnesses_shown(row.get("witnesses", {}).get(shift)) if is_shown else []
        yield ImpactLine(sign, css, label, count, row["level"], dot, witnesses)


def _action(shift: dict[str, Any], *, is_shown: bool) -> ImpactAction:
    sign, css, label = SIGNS[shift["sort"]]
    witnesses = witnesses_shown(shift.get("witnesses")) if is_shown else []
    return ImpactAction(
        shift["action"], sign, css, label, shift["sort"] in (GAINED, LOST), shift["is_risky"], witnesses
    )


def level_shown(level: str) -> RiskLabel:
    """A level of risk in words, with its tone."""
    return RiskLabel(LEVEL_WORDS[level], {NORMAL: "", SENSITIVE: "warn", CRITICAL: "bad"}[level])


def _risks(risks: Iterable[str]) -> list[RiskLabel]:
    return [RiskLabel(WORDS[risk], risk_tone(risk)) for risk in risks if risk in WORDS]


def risk_tone(risk: str) -> str:
    """The tone in which a risk is shown."""
    return "bad" if risk in GRAVE else "warn"
