"""What has been chosen in the step so far, whole or not: JSON for a draft and for a hidden field. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, Final, Self

from iam.access.builder.build import BuiltDocument, build
from iam.access.builder.conditions import form_conditions, written
from iam.access.builder.parts import MAX_ARNS, MAX_PARTS, ServicePart, ordered
from iam.access.builder.read_back import read_back
from iam.access.builder.rows import ArnPlace, ResourceRow, arn_of, row_of
from iam.access.grants.terms import GrantContent, WhatKind
from iam.policy.catalogue import catalogue

TEMPLATE, MANAGED, BUILD = "template", "managed", "build"
TABS: Final = ((TEMPLATE, "Template"), (MANAGED, "Managed policy"), (BUILD, "Build it"))
MAX_LENGTH: Final = 2048
MAX_FIELDS: Final = 80


@dataclass(frozen=True, slots=True)
class ChosenService:
    """One service in the builder: its actions, its resources as rows, its conditions as a form."""

    service: str
    actions: tuple[str, ...] = ()
    everywhere: bool = False
    rows: tuple[ResourceRow, ...] = ()
    form: Mapping[str, str] = field(default_factory=dict)

    def part(self, place: ArnPlace) -> ServicePart:
        """What it comes to; rows and conditions that are not whole yet are left out."""
        arns = (arn_of(row, service=self.service, place=place) for row in self.rows)
        whens, _ = form_conditions(self.form)
        return ServicePart(
            self.service,
            self.actions,
            self.everywhere,
            tuple(dict.fromkeys(arn for arn in arns if arn)),
            whens,
        )

    @property
    def body(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "service": self.service,
            "actions": [action.partition(":")[2] for action in self.actions],
            "everywhere": self.everywhere,
            "rows": [row.body for row in self.rows],
            "form": dict(self.form),
        }

    @classmethod
    def of_part(cls, part: ServicePart) -> Self:
        """From what a document says."""
        rows = tuple(row_of(arn, service=part.service, actions=part.actions) for arn in part.arns)
        return cls(part.service, part.actions, part.everywhere, rows, written(part.whens))

    @classmethod
    def from_json(cls, body: Any) -> Self | None:
        """From JSON, no matter who wrote it; None for what is none."""
        service = body.get("service") if isinstance(body, Mapping) else None
        if not isinstance(service, str) or not catalogue().has_service(service):
            return None
        service = service.lower()
        actions = [f"{service}:{action}" for action in _list(body.get("actions")) if isinstance(action, str)]
        return cls(
            service=service,
            actions=ordered(actions[:2000], service=service),
            everywhere=body.get("everywhere") is True,
            rows=tuple(_row(row) for row in _list(body.get("rows"))[:MAX_ARNS]),
            form=_texts(body.get("form")),
        )


@dataclass(frozen=True, slots=True)
class WhatState:
    """The whole step. `version` 0 is the one that is offered; `find` is what is searched in the tab, `open`
    the part that is open.

    `seek` is what is searched among the actions of the open part; `paste` a policy that somebody wants to
    read into the builder.
    """

    tab: str = TEMPLATE
    template: str = ""
    version: int = 0
    parameters: Mapping[str, str] = field(default_factory=dict)
    policy: str = ""
    find: str = ""
    kind: str = ""
    chosen: tuple[ChosenService, ...] = ()
    open: int | None = None
    seek: str = ""
    paste: str = ""
    notes: tuple[str, ...] = ()

    def parts(self, place: ArnPlace) -> tuple[ServicePart, ...]:
        """What is built, as far as it is whole."""
        return tuple(part.part(place) for part in self.chosen)

    def built(self, place: ArnPlace) -> BuiltDocument:
        """The statements of it."""
        return build(self.parts(place))

    @property
    def body(self) -> dict[str, Any]:
        """As JSON, without what is only said once."""
        return {
            "tab": self.tab,
            "template": self.template,
            "version": self.version,
            "parameters": dict(self.parameters),
            "policy": self.policy,
            "chosen": [part.body for part in self.chosen],
            "open": self.open,
        }

    @property
    def text(self) -> str:
        """As the hidden field carries it."""
        return json.dumps(self.body, separators=(",", ":"), ensure_ascii=False)

    @classmethod
    def from_json(cls, body: Any) -> Self:
        """From JSON, no matter who wrote it; what is not of its shape is left out."""
        if not isinstance(body, Mapping):
            return cls()
        chosen = [
            part for item in _list(body.get("chosen"))[:MAX_PARTS] if (part := ChosenService.from_json(item))
        ]
        tab, place, version = body.get("tab"), body.get("open"), body.get("version")
        known_tab = tab if tab in dict(TABS) else TEMPLATE
        known_version = version if isinstance(version, int) and 0 <= version < 10**6 else 0
        open_place = place if isinstance(place, int) and 0 <= place < len(chosen) else None
        return cls(
            tab=known_tab,
            template=_text(body.get("template")),
            version=known_version,
            parameters=_texts(body.get("parameters")),
            policy=_text(body.get("policy")),
            chosen=tuple(chosen),
            open=open_place,
        )

    @classmethod
    def from_text(cls, text: str) -> Self:
        """From the hidden field."""
        try:
            return cls.from_json(json.loads(text)) if text else cls()
        except (ValueError, RecursionError):
            return cls()

    def with_chosen(self, number: int, part: ChosenService) -> Self:
        """With another content of one part."""
        return replace(self, chosen=(*self.chosen[:number], part, *self.chosen[number + 1 :]))


def state_for(what: GrantContent | None) -> WhatState:
    """The step for something that was chosen before, such as what a member asked for."""
    if what is None:
        return WhatState()
    if what.kind is WhatKind.TEMPLATE:
        return WhatState(template=what.template, version=what.version, parameters=dict(what.parameters))
    if what.kind is WhatKind.MANAGED:
        return WhatState(tab=MANAGED, policy=what.policy_arn)
    readings = [read_back(text) for text in what.documents]
    notes = tuple(chain.from_iterable((*reading.reasons, *reading.notes) for reading in readings))
    parts = chain.from_iterable(reading.parts for reading in readings)
    return WhatState(tab=BUILD, chosen=tuple(map(ChosenService.of_part, parts)), notes=notes)


def _row(value: Any) -> ResourceRow:
    kind, values = value if isinstance(value, list) and len(value) == 2 else ("", {})
    row_type = kind if isinstance(kind, str) else ""
    return ResourceRow(row_type, _texts(values))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value[:MAX_LENGTH] if isinstance(value, str) else ""


def _texts(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        return {}
    pairs = list(value.items())[:MAX_FIELDS]
    return {
        name[:80]: text[:MAX_LENGTH]
        for name, text in pairs
        if isinstance(name, str) and isinstance(text, str)
    }
