"""Commands typed into the search: "grant access to nora" opens a new grant for Nora."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from django.urls import reverse

from console.search.catalogue import action_results
from console.search.entities import linked_users
from console.search.results import SearchResult
from iam.guard import Right, Viewer
from iam.linking.machines import machine_users
from iam.mirror.models import Entity, Kind
from iam.mirror.queries import search as queries
from iam.mirror.queries.visibility import visible_entities

MAX_COMMANDS = 5


@dataclass(frozen=True, slots=True)
class SearchCommand:
    """A verb with an object: `pattern` has the object as its last group, and `title` a placeholder for its
    name.
    """

    pattern: re.Pattern[str]
    title: str
    icon: str
    kinds: tuple[Kind, ...]
    url: Callable[[int], str]
    is_of_people: bool = False
    """Whether it is offered only for users of people, not for machine users."""


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(rf"{text}\s+(?P<object>\S.*)", re.IGNORECASE)


COMMANDS = (
    SearchCommand(
        _pattern(r"(?:grant|give|share)(?:\s+access)?(?:\s+to)?"),
        "Grant access to {}",
        "key-round",
        (Kind.USER, Kind.GROUP, Kind.ROLE),
        lambda pk: f"{reverse('access:grant-new')}?for={pk}",
    ),
    SearchCommand(
        _pattern(r"(?:off-?board|suspend|remove)"),
        "Offboard {}",
        "log-out",
        (Kind.USER,),
        lambda pk: f"{reverse('offboarding:begin')}?user={pk}",
        is_of_people=True,
    ),
    SearchCommand(
        _pattern(r"(?:move|change\s+(?:the\s+)?team(?:\s+of|\s+for)?)"),
        "Change the team of {}",
        "arrow-left-right",
        (Kind.USER,),
        lambda pk: f"{reverse('moving:begin')}?user={pk}",
        is_of_people=True,
    ),
    SearchCommand(
        _pattern(r"(?:send|enroll?)(?:\s+an?)?\s+mfa(?:\s+link)?(?:\s+to|\s+for)?"),
        "Send an MFA link to {}",
        "smartphone",
        (Kind.USER,),
        lambda pk: reverse("mfa:send-link", args=[pk]),
    ),
    SearchCommand(
        _pattern(r"rotate(?:\s+(?:the\s+)?(?:access\s+)?key)?"),
        "Rotate access key {}",
        "rotate-cw",
        (Kind.ACCESS_KEY,),
        lambda pk: reverse("keys:rotate", args=[pk]),
    ),
)
WHO_CAN = _pattern(r"who\s+can")


def command_results(viewer: Viewer, text: str) -> list[SearchResult]:
    """Return the command for each candidate for its object; empty if the text isn’t a command."""
    if (match := WHO_CAN.fullmatch(text.strip())) is not None:
        return action_results(viewer, match["object"]).results
    if not viewer.may(Right.REQUEST_CHANGE):
        return []
    for command in COMMANDS:
        if (match := command.pattern.fullmatch(text.strip())) is not None:
            return _filled(viewer, command, match["object"])
    return []


def _filled(viewer: Viewer, command: SearchCommand, name: str) -> list[SearchResult]:
    names = {
        user.pk: f"{written.partition(',')[0]} ({user.name})" for user, written in linked_users(viewer, name)
    }
    hits = [hit for hit in queries.suggestions(viewer, name) if Kind(hit.kind) in command.kinds]
    pks = list(dict.fromkeys([*(names if Kind.USER in command.kinds else ()), *(hit.pk for hit in hits)]))[
        :MAX_COMMANDS
    ]
    entities: dict[int, Entity] = {
        entity.pk: entity
        for entity in visible_entities(viewer)
        .filter(pk__in=pks, gone_at__isnull=True)
        .select_related("account")
    }
    users = [entity for entity in entities.values() if entity.kind == Kind.USER]
    for pk in machine_users(users) if command.is_of_people else ():
        del entities[pk]
    return [
        SearchResult(
            title=command.title.format(names.get(pk, entities[pk].name)),
            url=command.url(pk),
            icon=command.icon,
            kind=str(Kind(entities[pk].kind).label),
            detail=entities[pk].account.name,
        )
        for pk in pks
        if pk in entities
    ]
