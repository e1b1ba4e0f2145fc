"""The builder tab: its parts, of which the open one shows levels, actions, resources and conditions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from console.access.what.condition_rows import ConditionRow, conditions_shown
from console.access.what.result import BuilderProblem, place_of
from console.access.what.state import ChosenService, WhatState
from console.web.access import ViewerRequest
from console.web.access_levels import plain_label
from iam.access.builder.build import arns_for
from iam.access.builder.parts import ServicePart, level_actions
from iam.access.builder.rows import FREE, ArnPlace, ResourceRow, arn_of, pattern_of, types_for
from iam.access.builder.sentences import quarter, quarters, sentences_of_part
from iam.access.resource_names import ArnSuggestion, resources_known
from iam.policy.catalogue import AccessLevel, catalogue
from iam.policy.catalogue.arn_fields import PARTITION, pieces
from iam.policy.glob import compile_glob
from iam.policy.sentences import PolicySentence
from iam.policy.sentences.warnings import RISKY

KEYS: Final = {
    AccessLevel.LIST: ("list", "list", "List"),
    AccessLevel.READ: ("read", "read", "Read"),
    AccessLevel.WRITE: ("write", "write", "Write"),
    AccessLevel.PERMISSIONS: ("permissions", "perm", "Permissions"),
    AccessLevel.TAGGING: ("tagging", "tag", "Tagging"),
}
"""Access level → (value of its checkbox, color, label)."""
MAX_ACTIONS: Final = 60
MAX_LINES: Final = 2
"""Maximum number of sentences of a closed part."""
MAX_TYPES: Final = 12
MAX_SUGGESTIONS: Final = 5
MAX_SERVICES: Final = 12
COMMON: Final = (
    "s3",
    "ec2",
    "lambda",
    "logs",
    "dynamodb",
    "sqs",
    "sns",
    "secretsmanager",
    "kms",
    "ecs",
    "rds",
    "iam",
)


@dataclass(frozen=True, slots=True)
class ActionView:
    """An action as a checkbox."""

    name: str
    value: str
    words: str
    is_chosen: bool
    badge: str
    tone: str


@dataclass(frozen=True, slots=True)
class LevelView:
    """An access level: the checkbox for all of it, and its actions. `hidden` are selected actions that aren’t
    listed.
    """

    value: str
    colour: str
    word: str
    chosen: int
    total: int
    fill: int
    is_whole: bool
    names: str
    actions: Sequence[ActionView]
    hidden: Sequence[str]
    more: int


@dataclass(frozen=True, slots=True)
class RowView:
    """A resource: pieces (fixed text, field name, label, value) in order, and the actions it applies to."""

    number: int
    type: str
    pieces: Sequence[tuple[str, str, str, str]]
    arn: str
    sub: str
    error: str


@dataclass(frozen=True, slots=True)
class OpenPart:
    """The content of the open part."""

    levels: Sequence[LevelView]
    levels_label: str
    whole: str
    seek: str
    rows: Sequence[RowView]
    types: Sequence[str]
    suggestions: Sequence[ArnSuggestion]
    conditions: Sequence[ConditionRow]
    unlimited: Sequence[str]
    more_unlimited: int
    can_name: bool
    total: int


@dataclass(frozen=True, slots=True)
class PartView:
    """A service in the list of parts."""

    number: int
    service: str
    title: str
    lines: Sequence[PolicySentence]
    more_lines: int
    warning: str
    levels: str
    count: int
    troubles: Sequence[str]
    everywhere: bool
    open: OpenPart | None


def part_views(
    request: ViewerRequest, state: WhatState, *, accounts: tuple[str, ...], troubles: Sequence[BuilderProblem]
) -> list[PartView]:
    """Return the parts; only the open one has full content."""
    place = place_of(accounts)
    views = []
    for number, chosen_part in enumerate(state.chosen):
        part = chosen_part.part(place)
        account_id = accounts[0] if accounts else ""
        lines = sentences_of_part(part, account_id=account_id)
        is_open = number == state.open
        opened = _open(request, state, chosen_part, part, place=place, accounts=accounts) if is_open else None
        views.append(
            PartView(
                number=number,
                service=chosen_part.service,
                title=catalogue().title(chosen_part.service),
                lines=lines[:MAX_LINES],
                more_lines=len(lines[MAX_LINES:]),
                warning=next((line.warning for line in lines if line.warning), ""),
                levels=quarters(part),
                count=len(part.actions),
                troubles=[trouble.message for trouble in troubles if trouble.part == number],
                everywhere=chosen_part.everywhere,
                open=opened,
            )
        )
    return views


def _open(
    request: ViewerRequest,
    state: WhatState,
    chosen_part: ChosenService,
    part: ServicePart,
    *,
    place: ArnPlace,
    accounts: tuple[str, ...],
) -> OpenPart:
    plain = not request.viewer.sees_accounts
    levels_label = "What it lets you do" if plain else "Access level"
    views = [_level(part, level, seek=state.seek, plain=plain) for level in AccessLevel]
    types = types_for(chosen_part.service, chosen_part.actions)
    free = [name.partition(":")[2] for name in chosen_part.actions if not catalogue().resource_types(name)]
    known = resources_known(
        request.viewer, service=chosen_part.service, types=types, accounts=accounts, text="", most=20
    )
    named = set(part.arns)
    return OpenPart(
        levels=views,
        levels_label=levels_label,
        whole=" ".join(view.value for view in views if view.is_whole),
        seek=state.seek,
        rows=[_row(number, row, chosen_part, part, place) for number, row in enumerate(chosen_part.rows)],
        types=[kind.name for kind in types][:MAX_TYPES],
        suggestions=[hit for hit in known if hit.arn not in named][:MAX_SUGGESTIONS],
        conditions=conditions_shown(chosen_part, part),
        unlimited=free[:3],
        more_unlimited=len(free[3:]),
        can_name=len(free) < len(chosen_part.actions) or not chosen_part.actions,
        total=sum(view.total for view in views),
    )


def _level(part: ServicePart, level: AccessLevel, *, seek: str, plain: bool) -> LevelView:
    value, colour, word = KEYS[level]
    if plain:
        word = plain_label(level, service=part.service)
    every, chosen = level_actions(part.service, level), set(part.of_level(level))
    listed = [name for name in every if _is_sought(name, seek)]
    shown = listed
    if len(listed) > MAX_ACTIONS:
        rest = [name for name in listed if name not in chosen]
        kept = {*(name for name in listed if name in chosen), *rest[: max(0, MAX_ACTIONS - len(chosen))]}
        shown = [name for name in listed if name in kept]
    short = [name.partition(":")[2] for name in every if name in chosen]
    return LevelView(
        value=value,
        colour=colour,
        word=word,
        chosen=len(chosen),
        total=len(every),
        fill=quarter(len(chosen), len(every)),
        is_whole=bool(every) and len(chosen) == len(every),
        names=", ".join(short[:8]),
        actions=[_action(name, name in chosen) for name in shown],
        hidden=[name.partition(":")[2] for name in chosen if name not in set(shown)],
        more=len(listed) - len(shown),
    )


def _is_sought(name: str, seek: str) -> bool:
    wanted = seek.strip().lower()
    if not wanted:
        return True
    short = name.partition(":")[2].lower()
    return compile_glob(wanted)(short) if "*" in wanted or "?" in wanted else wanted in short


def _action(name: str, is_chosen: bool) -> ActionView:
    action = catalogue().action(name)
    short = name.partition(":")[2]
    badge, tone = ("Risky", "warn") if name in RISKY else ("", "")
    if action is not None and action.is_deprecated:
        badge, tone = "Deprecated", ""
    elif action is not None and not action.targets:
        badge = badge or "All resources"
    words = action.description.removeprefix("Grants permission to ") if action else ""
    return ActionView(name, short, words[:1].upper() + words[1:], is_chosen, badge, tone)


def _row(
    number: int, row: ResourceRow, chosen_part: ChosenService, part: ServicePart, place: ArnPlace
) -> RowView:
    pattern = pattern_of(chosen_part.service, row.type) if row.type else ""
    arn = arn_of(row, service=chosen_part.service, place=place)
    works = [name for name in chosen_part.actions if arn and arn in arns_for(part, name)]
    noun = "action" if len(works) == 1 else "actions"
    sub = f"{len(works)} {noun} of {len(chosen_part.actions)}" if arn else ""
    return RowView(
        number=number,
        type=row.type,
        pieces=_pieces(row, pattern, place, number),
        arn=arn,
        sub=sub,
        error=_row_error(arn, works, chosen_part),
    )


def _row_error(arn: str, works: Sequence[str], part: ChosenService) -> str:
    if not arn:
        return "Fill in every field. Use * for any value."
    if part.actions and not works:
        return "None of the selected actions works on this resource."
    return ""


def _pieces(row: ResourceRow, pattern: str, place: ArnPlace, number: int) -> list[tuple[str, str, str, str]]:
    if not pattern:
        return [("", f"r{number}-{FREE}", "ARN", row.values.get(FREE, ""))]
    row_pieces, fixed = [], ""
    for text, name in pieces(pattern):
        fixed += text
        if name == PARTITION:
            fixed += place.partition
        elif name:
            row_pieces.append((fixed, f"r{number}-{name}", _label(name), row.values.get(name, "")))
            fixed = ""
    return [*row_pieces, (fixed, "", "", "")] if fixed else row_pieces


@lru_cache(maxsize=1024)
def _label(name: str) -> str:
    """Convert BucketName to Bucket name."""
    words = ""
    for letter in name:
        words += f" {letter.lower()}" if letter.isupper() else letter
    return words.strip().capitalize()


def service_offers(find: str) -> list[dict[str, Any]]:
    """Return services to add: the common ones, or matches by prefix, title or action."""
    known, wanted = catalogue(), find.strip().lower()
    if not wanted:
        names: Sequence[str] = COMMON
    elif ":" in wanted:
        names = [prefix for prefix in known.prefixes if prefix == wanted.partition(":")[0]]
    else:
        hits = [
            prefix for prefix in known.prefixes if wanted in prefix or wanted in known.title(prefix).lower()
        ]
        names = sorted(hits, key=lambda prefix: (prefix != wanted, not prefix.startswith(wanted), prefix))
    return [
        {"prefix": name, "title": known.title(name), "count": known.mask_of_service(name).bit_count()}
        for name in names[:MAX_SERVICES]
    ]
