"""The state of the step, complete or not, as JSON for a draft and a hidden field; without database access."""

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
    """A service in the builder: its actions, resource rows and condition form."""

    service: str
    actions: tuple[str, ...] = ()
    everywhere: bool = False
    rows: tuple[ResourceRow, ...] = ()
    form: Mapping[str, str] = field(default_factory=dict)

    def part(self, place: ArnPlace) -> ServicePart:
        """Return the resulting part; incomplete rows and conditions are left out."""
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
        """Return JSON data."""
        return {
            "service": self.service,
            "actions": [action.partition(":")[2] for action in self.actions],
            "everywhere": self.everywhere,
            "rows": [row.body for row in self.rows],
            "form": dict(self.form),
        }

    @classmethod
    def of_part(cls, part: ServicePart) -> Self:
        """Create from a part of a document."""
        rows = tuple(row_of(arn, service=part.service, actions=part.actions) for arn in part.arns)
        return cls(part.service, part.actions, part.everywhere, rows, written(part.whens))

    @classmethod
    def from_json(cls, body: Any) -> Self | None:
        """Create from untrusted JSON data; None if it is invalid."""
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
    """The state of the whole step. `version` 0 means the offered one, `find` is the tab's search, and `open`
    is the open part.

    `seek` is the search among the open part's actions; `paste` is a policy to import into the builder.
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
        """Return the parts, as far as they are complete."""
        return tuple(part.part(place) for part in self.chosen)

    def built(self, place: ArnPlace) -> BuiltDocument:
        """Return their statements."""
        return build(self.parts(place))

    @property
    def body(self) -> dict[str, Any]:
        """Return JSON data, without values that apply only to one request."""
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
        """Return the value of the hidden field."""
        return json.dumps(self.body, separators=(",", ":"), ensure_ascii=False)

    @classmethod
    def from_json(cls, body: Any) -> Self:
        """Create from untrusted JSON data; invalid values are left out."""
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
        """Create from the hidden field."""
        try:
            return cls.from_json(json.loads(text)) if text else cls()
        except (ValueError, RecursionError):
            return cls()

    def with_chosen(self, number: int, part: ChosenService) -> Self:
        """Return a copy in which one part is replaced."""
        return replace(self, chosen=(*self.chosen[:number], part, *self.chosen[number + 1 :]))


def state_for(what: GrantContent | None) -> WhatState:
    """Return the state for existing content, such as that of a member's request."""
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
