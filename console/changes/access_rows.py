"""How a changed policy text affects its holders, for pages: groups of holders, and what changes per
action.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from console.changes.counts import affected_of, holders_of, principals, rest_of
from console.changes.witness_rows import WitnessShown, witnesses_shown
from iam.changes.access_effects import ALTERED, CONDITIONAL, GAINED, LOST, NARROWER, WIDER
from iam.guard import Viewer
from iam.mirror.models import Account, Document
from iam.mirror.queries.entities import OpenableEntities

SIGNS: dict[str, tuple[str, str, str]] = {
    GAINED: ("+", "add", "Gained"),
    WIDER: ("+", "add", "On more resources or with fewer conditions"),
    ALTERED: ("~", "", "Some requests gained, others lost"),
    CONDITIONAL: ("−", "del", "Now only with conditions"),
    NARROWER: ("−", "del", "On fewer resources"),
    LOST: ("−", "del", "Lost"),
}
"""Type of change of an action → sign, CSS class of the row, label."""
MORE, LESS = (GAINED, WIDER), (LOST, NARROWER, CONDITIONAL)
_MARKS = {
    "everything": ("Allows every action", "bad"),
    "iam": ("Can change IAM", "warn"),
    "denies": ("Removes a deny", "warn"),
}


@dataclass(frozen=True, slots=True)
class ActionShiftRow:
    """What changes for an action, and for how many principals."""

    action: str
    sign: str
    css: str
    said: str
    note: str
    people: int
    is_risky: bool
    witnesses: list[WitnessShown]


@dataclass(frozen=True, slots=True)
class AffectedName:
    """A principal's name, with the ID for a link if the viewer can open the page."""

    name: str
    kind: str
    pk: int | None


@dataclass(frozen=True, slots=True)
class WayShown:
    """Principals that hold the policy in the same way."""

    title: str
    names: list[AffectedName]
    unnamed: int
    rows: list[ActionShiftRow]
    more: int


@dataclass(frozen=True, slots=True)
class AccessShown:
    """The effect of a changed text as shown on a card."""

    holders: int
    held_by: str
    affected: int
    affected_words: str
    gains: int
    loses: int
    others: int
    risky: int
    ways: list[WayShown]
    more_ways: int
    rest: str
    marks: list[tuple[str, str]]
    undecided: list[str]


def weight_of(receipt: dict[str, Any]) -> dict[str, Any]:
    """Return how many policies are gained and lost or, for a changed text, how many actions change and for
    whom.
    """
    effect = receipt["effect"]
    access = effect.get("access")
    if access is None:
        return {"gains": len(effect["gains"]), "loses": len(effect["loses"])}
    counts = access["counts"]
    return {
        "more": sum(counts.get(sort, 0) for sort in MORE),
        "less": sum(counts.get(sort, 0) for sort in LESS),
        "other": counts.get(ALTERED, 0),
        "affected": access["affected"],
        "affected_words": affected_of(access, access["ways"]),
    }


def access_shown(
    receipt: dict[str, Any],
    *,
    account: Account,
    viewer: Viewer,
    open_to: OpenableEntities,
    called: Mapping[int, str],
) -> AccessShown | None:
    """Return the effect of a changed text; None for receipts of another type.

    Names are shown only to viewers of the whole account; `called` are the display names of users by ID.
    """
    access = receipt["effect"].get("access")
    if access is None:
        return None
    weight = weight_of(receipt)
    names_them = viewer.scope.sees_account(account.account_id)
    return AccessShown(
        holders=access["holders"],
        held_by=holders_of(access),
        affected=access["affected"],
        affected_words=weight["affected_words"],
        gains=weight["more"],
        loses=weight["less"],
        others=weight["other"],
        risky=access["risky"],
        ways=[_way_text(way, open_to=open_to, names_them=names_them, names=called) for way in access["ways"]],
        more_ways=access["more_ways"],
        rest=rest_of(access),
        marks=[_MARKS[mark] for mark in access["marks"]],
        undecided=access["undecided"],
    )


def named_in(receipt: dict[str, Any]) -> list[int]:
    """Return the IDs of all principals that the receipt names."""
    access = receipt["effect"].get("access") or {"ways": []}
    people = chain.from_iterable(way["names"] for way in access["ways"])
    return [person["entity_id"] for person in people if person["entity_id"]]


def texts_of(*, before: dict[str, Any], after: str) -> tuple[str, str] | None:
    """Return the texts before and after a change; None if the former text is unknown."""
    former = Document.objects.filter(digest=before.get("text", "")).first()
    return (former.text, after) if former else None


def users_in_access(receipt: dict[str, Any]) -> dict[int, str]:
    """Return the users named in the effect of a changed text: user name by ID."""
    access = receipt["effect"].get("access") or {"ways": ()}
    return users_in(chain.from_iterable(way["names"] for way in access["ways"]))


def users_in(rows: Iterable[dict[str, Any]]) -> dict[int, str]:
    """Return the users in the mirror that a receipt's rows name: user name by ID."""
    return {row["entity_id"]: row["name"] for row in rows if row["kind"] == "user" and row["entity_id"]}


def _way_text(
    way: dict[str, Any], *, open_to: OpenableEntities, names_them: bool, names: Mapping[int, str]
) -> WayShown:
    listed = way["names"] if names_them else []
    shown: list[AffectedName] = []
    for person in listed:
        entity_id = person["entity_id"]
        openable = entity_id if entity_id in open_to else None
        shown.append(AffectedName(names.get(entity_id, person["name"]), person["kind"], openable))
    people = way["users"] + way["roles"]
    unnamed = people - len(shown) if shown else 0
    return WayShown(
        title=f"{principals(way['users'], way['roles'])} {_how(way)}",
        names=shown,
        unnamed=unnamed,
        rows=[_row(shift, is_shown=names_them) for shift in way["shifts"]],
        more=way["more"],
    )


def _row(shift: dict[str, Any], *, is_shown: bool) -> ActionShiftRow:
    sign, css, label = SIGNS[shift["sort"]]
    witnesses = witnesses_shown(shift.get("witnesses")) if is_shown else []
    plain = shift["sort"] in (GAINED, LOST)
    on = _listed(shift["on"])
    only_where = f"on {on}" if on else ""
    what_and_where = f"{label}: {on}" if on else label
    note = only_where if plain else what_and_where
    return ActionShiftRow(
        shift["action"], sign, css, label, note, shift["people"], shift["is_risky"], witnesses
    )


def _how(way: dict[str, Any]) -> str:
    sources = [f"through {_listed(way['through'])}"] if way["through"] else []
    sources += ["directly"] if way["is_direct"] else []
    sources += ["as permissions boundary"] if way["is_boundary"] else []
    return " and ".join(sources)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
