"""Presents events: similar consecutive ones as one line, with a mark and plain words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from django.urls import reverse

from console.web.query import QueryPairs
from iam.activity.callers import ROOT
from iam.activity.models import TrailCaller, TrailEvent
from iam.activity.queries import entities_of_callers, shown_address
from iam.activity.tools import CONSOLE
from iam.mirror.display_names import names_by_number
from iam.mirror.models import Entity, Kind

MICROSECONDS: Final = 1_000_000
SIGN_IN: Final = ("signin", "ConsoleLogin")
CALLER_WORDS: Final = {
    "user": "IAM user",
    "role": "Role",
    "root": "Root user",
    "service": "AWS service",
    "federated": "Federated user",
    "identity-center": "IAM Identity Center user",
    "other-account": "Another account",
    "unknown": "Unknown",
}
CALLER_ICONS: Final = {
    "user": "user-round",
    "role": "bot",
    "root": "shield-alert",
    "service": "cloud",
    "federated": "log-in",
    "identity-center": "log-in",
    "other-account": "users",
    "unknown": "circle-help",
}


@dataclass(frozen=True, slots=True)
class CallerLink:
    """The caller of an event; linked if the mirror has it and the viewer can open its page."""

    name: str
    kind: str
    icon: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class ActivityLine:
    """One or several similar calls in a row; `event` is the newest of them."""

    event: TrailEvent
    count: int
    caller: CallerLink | None = None

    @property
    def url(self) -> str:
        """The address of the newest event."""
        return event_address(self.event)

    @property
    def action(self) -> str:
        """The permission as written in IAM policies."""
        return f"{self.event.service}:{self.event.action}"

    @property
    def is_sign_in(self) -> bool:
        """Whether it is a sign-in to the AWS console."""
        return (self.event.service, self.event.action) == SIGN_IN

    @property
    def tone(self) -> str:
        """The tone: denied calls are bad; other failures, changes and sign-ins without MFA are warnings."""
        if self.event.is_denied:
            return "bad"
        if self.event.error_code or (self.is_sign_in and self.event.mfa is False):
            return "warn"
        return "info" if self.event.is_read_only is False else ""

    @property
    def icon(self) -> str:
        """The icon of the line."""
        if self.event.is_denied:
            return "x"
        if self.event.error_code:
            return "triangle-alert"
        if self.is_sign_in:
            return "log-in"
        if self.event.is_read_only is False:
            return "pencil"
        return "globe" if self.event.tool == CONSOLE else "terminal"

    @property
    def result(self) -> str:
        """The result."""
        if self.event.is_denied:
            return "Denied"
        return "Failed" if self.event.error_code else "Succeeded"

    @property
    def details(self) -> str:
        """The tool and the origin."""
        event = self.event
        parts = [
            f"key …{event.access_key[-4:]}" if event.access_key else "",
            f"session {event.session_name}" if event.session_name else "",
            f"source identity {event.source_identity}" if event.source_identity else "",
            event.person,
            event.tool,
            shown_address(event),
            event.region,
            event.error_code,
        ]
        text = ", ".join(part for part in parts if part)
        return text[:1].upper() + text[1:]

    @property
    def similar(self) -> str:
        """The number of similar calls right before it, in words."""
        return f"{self.count - 1} similar" if self.count > 1 else ""

    @property
    def grant_url(self) -> str:
        """The address to request the smallest grant for a denied call."""
        event = self.event
        if not event.is_denied or not event.caller.arn:
            return ""
        resource = event.resource if event.resource.startswith("arn:") else ""
        query = QueryPairs.from_pairs(
            (("action", self.action), ("resource", resource), ("principal", event.caller.arn))
        )
        return f"{reverse('access:ask')}{query}"


def event_address(event: TrailEvent) -> str:
    """Return the address of an event, which includes its time because events are looked up by it."""
    moment = round(event.at.timestamp() * MICROSECONDS)
    return reverse("activity:event", args=[moment, event.event_id])


def lines_of(
    events: Sequence[TrailEvent], callers: dict[int, CallerLink] | None = None
) -> list[ActivityLine]:
    """Return the lines for events, newest first; similar consecutive events share a line."""
    lines = []
    for _, run in groupby(events, key=_similarity):
        similar = list(run)
        caller = callers.get(similar[0].caller_id) if callers is not None else None
        lines.append(ActivityLine(similar[0], len(similar), caller))
    return lines


def _similarity(event: TrailEvent) -> tuple[Any, ...]:
    return (
        event.caller_id,
        event.service,
        event.action,
        event.resource,
        event.error_code,
        event.tool,
        event.access_key,
        event.source_address,
        event.session_name,
        event.at.date(),
    )


def caller_links(callers: Iterable[TrailCaller]) -> dict[int, CallerLink]:
    """Return the links of these principals by row. Takes three queries; the viewer must see the whole
    accounts.
    """
    callers_by_row = {caller.pk: caller for caller in callers}
    entities = entities_of_callers(list(callers_by_row.values()))
    users = {entity.pk: entity.name for entity in entities.values() if entity.kind == Kind.USER}
    names = names_by_number(users)
    return {pk: _link(caller, entities.get(pk), names) for pk, caller in callers_by_row.items()}


def _link(caller: TrailCaller, entity: Entity | None, names: dict[int, str]) -> CallerLink:
    kind = CALLER_WORDS[caller.kind]
    icon = CALLER_ICONS[caller.kind]
    if caller.kind == ROOT and caller.account_id:
        # The root users of all accounts have the same name.
        return CallerLink(f"{caller.name or 'root'} of {caller.account_id}", kind, icon)
    if entity is None:
        return CallerLink(caller.name or caller.unique_id or "Unknown", kind, icon)
    page = "activity:person" if entity.kind == Kind.USER else "activity:role"
    name = names.get(entity.pk, entity.name)
    return CallerLink(name, kind, icon, reverse(page, args=[entity.pk]))
