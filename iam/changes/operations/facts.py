"""Reads facts about an entity from the mirror or from AWS. A spec names the facts that its
operation changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, Final

from iam.changes.trust_policies import trust_meaning
from iam.mirror.models import Document, Edge, EdgeKind, Entity, EntityState, TagSet, valid_at
from iam.mirror.pull.transform.principals import document_digest

HOUR: Final = 3600
"""AWS's default for a role's maximum session duration, in seconds."""
LAYOUT: Final = "text"
"""The fact that holds the exact text. It is needed to restore the text, but differences in layout don't
count.
"""

TEXTS: Final = (LAYOUT, "metadata")
"""The facts whose value is the digest of a text."""


def state_of(entity: Entity) -> EntityState | None:
    """The current state of an entity in the mirror."""
    return EntityState.objects.filter(valid_at(None), entity=entity).select_related("document").first()


def tags_in_mirror(entity: Entity) -> dict[str, str]:
    """The tags of an entity in the mirror."""
    tag_values = TagSet.objects.filter(valid_at(None), entity=entity).values_list("tags", flat=True).first()
    return dict(tag_values or {})


def target_in_mirror(entity: Entity, kind: EdgeKind, column: str) -> str:
    """A column (name or ARN) of the entity that an edge of this kind points to; empty if there is none."""
    edges = Edge.objects.filter(valid_at(None), kind=kind, source=entity)
    return edges.values_list(f"target__{column}", flat=True).first() or ""


def boundary_in_mirror(entity: Entity) -> str:
    """The ARN of the permissions boundary of a user or role in the mirror; empty if there is none."""
    return target_in_mirror(entity, EdgeKind.BOUNDARY, "arn")


def former_text(digest: str) -> str | None:
    """The text of the document with this digest; None if it was never synced. Texts are never deleted."""
    return Document.objects.filter(digest=digest).values_list("text", flat=True).first() if digest else None


def former_params(state: Mapping[str, str | bool], before: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the parameters that restore what an image shows, according to a spec's `state`; None if one of
    its texts was never synced.
    """
    former: dict[str, Any] = {}
    for fact, name in state.items():
        value = before.get(fact, "")
        if fact in TEXTS:
            value = former_text(value)
            if value is None:
                return None
        former[str(name)] = value if isinstance(value, dict) else str(value or "")
    return former


class EntityInMirror:
    """An entity of the mirror with the attributes of `EntityNow`, each read on first use."""

    def __init__(self, entity: Entity) -> None:
        self._entity = entity
        self.name = entity.name

    @cached_property
    def _state(self) -> EntityState | None:
        return state_of(self._entity)

    @property
    def path(self) -> str:
        return self._state.path if self._state else "/"

    @property
    def trust(self) -> str:
        """The text of a role's trust policy; empty if it was not synced."""
        return self._state.document.text if self._state and self._state.document else ""

    @property
    def description(self) -> str:
        return str(self._attribute("Description") or "")

    @property
    def max_session_duration(self) -> int:
        """A role's maximum session duration in seconds; 0 if it was not synced."""
        return int(self._attribute("MaxSessionDuration") or 0)

    @property
    def max_sign_in_duration(self) -> int | None:
        """The maximum sign-in session duration with a role, in seconds; None if it is not set or was not
        synced.
        """
        return self._attribute("MaxSigninSessionDuration") or None

    def _attribute(self, name: str) -> Any:
        return self._state.attrs.get(name) if self._state else None

    @property
    def tags(self) -> dict[str, str]:
        return tags_in_mirror(self._entity)

    @property
    def metadata(self) -> str:
        """The metadata document of a SAML provider; empty if it was not synced."""
        return self.trust

    @property
    def client_ids(self) -> list[str]:
        return self._attribute("ClientIDList") or []

    @property
    def thumbprints(self) -> list[str]:
        return self._attribute("ThumbprintList") or []

    @property
    def boundary(self) -> str:
        return boundary_in_mirror(self._entity)

    @property
    def roles(self) -> tuple[str, ...]:
        return tuple(filter(None, [target_in_mirror(self._entity, EdgeKind.PROFILE_ROLE, "name")]))


_FORMS: Final[Mapping[str, tuple[str, Callable[[Any], Any]]]] = {
    "tags": ("tags", dict),
    "max_session": ("max_session_duration", lambda seconds: int(seconds or HOUR)),
    "max_sign_in": ("max_sign_in_duration", lambda seconds: int(seconds or 0)),
    "trust": ("trust", trust_meaning),
    LAYOUT: ("trust", document_digest),
    "metadata": ("metadata", lambda text: document_digest(text) if text else ""),
    "clients": ("client_ids", sorted),
    "thumbprints": ("thumbprints", lambda values: sorted(map(str.lower, values))),
    "role": ("roles", lambda roles: next(iter(roles), "")),
}
"""Fact → the attribute that holds it, and the function that converts it for an image. Other facts have the
name of their attribute and are not converted.
"""


def facts_of(source: Any, facts: Iterable[str]) -> dict[str, Any]:
    """The facts of an entity of the mirror or of AWS."""
    shown = {}
    for fact in facts:
        attribute, form = _FORMS.get(fact, (fact, None))
        value = getattr(source, attribute)
        shown[fact] = form(value) if form else value
    return shown


def without_layout(image: Mapping[str, Any]) -> dict[str, Any]:
    return {fact: value for fact, value in image.items() if fact != LAYOUT}


def fact_from(fact: str, value: Any) -> Any:
    """Convert the value of a parameter to the form that it has in an image."""
    form = _FORMS[fact][1] if fact in _FORMS else None
    return form(value) if form else value
