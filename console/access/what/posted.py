"""Parses the step's fields and applies its buttons."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from django.http import QueryDict

from console.access.what.result import place_of
from console.access.what.state import BUILD, TABS, ChosenService, WhatState
from console.web.moments import read_input
from iam.access.builder.conditions import ON
from iam.access.builder.parts import MAX_ARNS, MAX_PARTS, level_actions, ordered
from iam.access.builder.read_back import read_back
from iam.access.builder.rows import FREE, ResourceRow, blank, fields, pattern_of, row_of
from iam.access.templates.body import TemplateError
from iam.access.templates.queries import offer_of
from iam.policy.catalogue import AccessLevel, catalogue

MOMENTS: Final = frozenset({"c-time-from", "c-time-until"})

HIDDEN: Final = "what"
DO: Final = "what-do"
MAX_LENGTH: Final = 2048
MAX_PASTE_LENGTH: Final = 40_000


def is_its_own(data: QueryDict) -> bool:
    """Return whether a button of this step was pressed, and not one of the surrounding page."""
    return bool(data.get(DO))


def posted(data: QueryDict, *, accounts: tuple[str, ...] = ()) -> WhatState:
    """Return the state of the step after the pressed button; never raises."""
    state = _fields(WhatState.from_text(data.get(HIDDEN, "")), data)
    word, _, rest = data.get(DO, "").partition(":")
    act = _ACTS.get(word)
    return act(state, rest, accounts) if act else state


def _fields(state: WhatState, data: QueryDict) -> WhatState:
    tab = data.get("what-tab", state.tab)
    template = data.get("what-template", state.template)[:64]
    is_other = template != state.template
    parameters = {} if is_other else dict(state.parameters)
    prefix = f"p-{template}-"
    parameters |= {
        name[len(prefix) :]: str(data[name])[:MAX_LENGTH] for name in data if name.startswith(prefix)
    }
    chosen_tab = tab if tab in dict(TABS) else state.tab
    version = 0 if is_other else state.version
    find = data.get("what-find", "")[:200] if data.get("what-found", tab) == tab else ""
    state = replace(
        state,
        tab=chosen_tab,
        template=template,
        version=version,
        parameters=parameters,
        policy=_policy(state.policy, data),
        find=find,
        kind=data.get("what-kind", "")[:20],
        seek=data.get("b-seek", "")[:80],
        paste=data.get("b-paste", "")[:MAX_PASTE_LENGTH],
    )
    number = _number(data.get("b-open", ""), state)
    if number is None:
        return state
    return replace(state.with_chosen(number, _part(state.chosen[number], data)), open=number)


def _policy(had: str, data: QueryDict) -> str:
    """Return the policy that was just picked or entered: the one that differs from the previous value."""
    typed, picked = data.get("what-arn", "").strip()[:MAX_LENGTH], data.get("what-policy", "")[:MAX_LENGTH]
    if typed and (typed != had or not picked):
        return typed
    return picked or ("" if "what-arn" in data else had)


def _part(part: ChosenService, data: QueryDict) -> ChosenService:
    """Return the open part from its fields."""
    scope_unless_posted = "any" if part.everywhere else "named"
    return replace(
        part,
        actions=_actions(part.service, data),
        everywhere=data.get("b-scope", scope_unless_posted) == "any",
        rows=_rows(part, data),
        form={
            name[2:]: typed_value(name, str(data[name]))[:MAX_LENGTH]
            for name in data
            if name.startswith("c-") and data[name]
        },
    )


def typed_value(name: str, text: str) -> str:
    """Convert a field's value; moments are entered in the reader's time zone and stored in UTC, as in
    policies.
    """
    moment = read_input(text) if name in MOMENTS else None
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else text


def _actions(service: str, data: QueryDict) -> tuple[str, ...]:
    """Return the selected actions: a newly checked level adds all of its actions, a newly unchecked one
    removes them.
    """
    ticked, were = set(data.getlist("b-level")), set(data.get("b-whole", "").split())
    names = set(ordered([f"{service}:{action}" for action in data.getlist("b-act")], service=service))
    for level in AccessLevel:
        key, every = str(level).split()[0].lower(), level_actions(service, level)
        if key in ticked - were:
            names |= set(every)
        elif key in were - ticked:
            names -= set(every)
    return ordered(sorted(names), service=service)


def _rows(part: ChosenService, data: QueryDict) -> tuple[ResourceRow, ...]:
    rows_posted = []
    for number in range(min(len(part.rows), MAX_ARNS)):
        kind = data.get(f"r{number}-type", part.rows[number].type)
        names = fields(pattern_of(part.service, kind)) if kind else (FREE,)
        had = part.rows[number].values
        rows_posted.append(
            ResourceRow(
                kind, {name: data.get(f"r{number}-{name}", had.get(name, ""))[:MAX_LENGTH] for name in names}
            )
        )
    return tuple(rows_posted)


def _open(state: WhatState, rest: str, accounts: tuple[str, ...]) -> WhatState:
    number = _number(rest, state)
    return state if number is None else replace(state, open=number, seek="")


def _close(state: WhatState, rest: str, accounts: tuple[str, ...]) -> WhatState:
    return replace(state, open=None)


def _remove(state: WhatState, rest: str, accounts: tuple[str, ...]) -> WhatState:
    number = _number(rest, state)
    if number is None:
        return state
    return replace(state, chosen=(*state.chosen[:number], *state.chosen[number + 1 :]), open=None)


def _add_service(state: WhatState, rest: str, accounts: tuple[str, ...]) -> WhatState:
    if not catalogue().has_service(rest) or len(state.chosen) >= MAX_PARTS:
        return state
    chosen = (*state.chosen, ChosenService(rest.lower()))
    return replace(state, tab=BUILD, chosen=chosen, open=len(chosen) - 1, find="")


def _alter(state: WhatState, alter: Callable[[ChosenService], ChosenService]) -> WhatState:
    if state.open is None:
        return state
    return state.with_chosen(state.open, alter(state.chosen[state.open]))


def _add_row(state: WhatState, rest: str, accounts: tuple[str, ...]) -> WhatState:
    def alter(part: ChosenService) -> ChosenService:
        if rest and not pattern_of(part.service, rest):
            return part
        row = blank(part.service, rest, place=place_of(accounts)) if rest else ResourceRow("", {FREE: ""})
        return replace(part, rows=(*part.rows, row)[:MAX_ARNS], everywhere=False)

    return _alter(state, alter)


def _add_arn(state: WhatState, rest: str, accounts: tuple[str, ...]) -> WhatState:
    def alter(part: ChosenService) -> ChosenService:
        row = row_of(rest[:MAX_LENGTH], service=part.service, actions=part.actions)
        return (
            part if row in part.rows else replace(part, rows=(*part.rows, row)[:MAX_ARNS], everywhere=False)
        )

    return _alter(state, alter)


def _drop_row(state: WhatState, rest: str, accounts: tuple[str, ...]) -> WhatState:
    def alter(part: ChosenService) -> ChosenService:
        rows = tuple(row for number, row in enumerate(part.rows) if str(number) != rest)
        return replace(part, rows=rows)

    return _alter(state, alter)


def _split(state: WhatState, rest: str, accounts: tuple[str, ...]) -> WhatState:
    """Allow actions that don’t support the key of a condition without that condition."""

    def alter(part: ChosenService) -> ChosenService:
        return replace(part, form={**part.form, f"{rest[:8]}-known": ON})

    return _alter(state, alter)


def _leave_out(state: WhatState, rest: str, accounts: tuple[str, ...]) -> WhatState:
    """Remove the named actions from the open part."""

    def alter(part: ChosenService) -> ChosenService:
        gone = {f"{part.service}:{name}".lower() for name in rest.split()}
        return replace(part, actions=tuple(name for name in part.actions if name.lower() not in gone))

    return _alter(state, alter)


def _customize(state: WhatState, rest: str, accounts: tuple[str, ...]) -> WhatState:
    """Open the content of a template in the builder."""
    offer = offer_of(state.template, number=state.version or None)
    if offer is None:
        return state
    place = place_of(accounts)
    try:
        document = offer.body.render(state.parameters, account_id=place.account, partition=place.partition)
    except TemplateError:
        return state
    return _from_document(state, document)


def _read(state: WhatState, rest: str, accounts: tuple[str, ...]) -> WhatState:
    return _from_document(state, state.paste)


def _from_document(state: WhatState, document: Mapping[str, object] | str) -> WhatState:
    reading = read_back(document)
    if not reading.is_complete:
        return replace(state, notes=("It does not fit into the builder.", *reading.reasons))
    chosen = (*state.chosen, *map(ChosenService.of_part, reading.parts))[:MAX_PARTS]
    return replace(state, tab=BUILD, chosen=chosen, open=None, notes=reading.notes, paste="")


def _number(text: str, state: WhatState) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 4 and int(text) < len(state.chosen) else None


_ACTS: Final[Mapping[str, Callable[[WhatState, str, tuple[str, ...]], WhatState]]] = {
    "open": _open,
    "close": _close,
    "remove": _remove,
    "add-service": _add_service,
    "add-row": _add_row,
    "add-arn": _add_arn,
    "drop-row": _drop_row,
    "split": _split,
    "leave-out": _leave_out,
    "customize": _customize,
    "read": _read,
}
