"""What the mirror holds and what AWS shows of an entity, fact by fact: a spec only names the facts that its
operation changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

from iam.changes.operations.trust import trust_meaning
from iam.mirror.models import Document, Edge, EdgeKind, Entity, EntityState, TagSet, valid_at
from iam.mirror.pull.transform.principals import document_digest

HOUR: Final = 3600
"""The longest session of a role, in seconds, where nothing else was asked for."""
LAYOUT: Final = "text"
"""The fact that tells how a text is laid out: it brings the text back, and makes no difference."""

TEXTS: Final = (LAYOUT, "metadata")
"""The facts that are the key of a text."""


def state_of(entity: Entity) -> EntityState | None:
    """The mirror's state of an entity, as it is now."""
    return EntityState.objects.filter(valid_at(None), entity=entity).select_related("document").first()


def tags_in_mirror(entity: Entity) -> dict[str, str]:
    """The tags that the mirror holds of an entity."""
    tag_values = TagSet.objects.filter(valid_at(None), entity=entity).values_list("tags", flat=True).first()
    return dict(tag_values or {})


def target_in_mirror(entity: Entity, kind: EdgeKind, column: str) -> str:
    """What an entity points at by an edge of a kind: its name or ARN; empty for none."""
    edges = Edge.objects.filter(valid_at(None), kind=kind, source=entity)
    return edges.values_list(f"target__{column}", flat=True).first() or ""


def boundary_in_mirror(entity: Entity) -> str:
    """The ARN of the permissions boundary that the mirror holds of a user or role; empty for none."""
    return target_in_mirror(entity, EdgeKind.BOUNDARY, "arn")


def former_text(digest: str) -> str | None:
    """A text by the key of its document; None for one that was never read. Texts are never deleted."""
    return Document.objects.filter(digest=digest).values_list("text", flat=True).first() if digest else None


def former_params(state: Mapping[str, str | bool], before: Mapping[str, Any]) -> dict[str, Any] | None:
    """The parameters that bring back what an image shows, by the `state` of a spec; None where a text of it
    was never read."""
    former: dict[str, Any] = {}
    for fact, name in state.items():
        value = before.get(fact, "")
        if fact in TEXTS:
            value = former_text(value)
            if value is None:
                return None
        former[str(name)] = value if isinstance(value, dict) else str(value or "")
    return former


def first_names(names: Sequence[str], most: int = 5) -> str:
    """The first of many names, and how many more there are."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"


class EntityInMirror:
    """An entity of the mirror with the attributes of `EntityNow`, each read when it is asked for."""

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
        """The text of a role's trust policy; empty where it was not read."""
        return self._state.document.text if self._state and self._state.document else ""

    @property
    def description(self) -> str:
        return str(self._attribute("Description") or "")

    @property
    def max_session_duration(self) -> int:
        """The longest session of a role, in seconds; 0 where it was not read."""
        return int(self._attribute("MaxSessionDuration") or 0)

    @property
    def max_sign_in_duration(self) -> int | None:
        """The longest sign-in session with a role, in seconds; None where it is not set or was not read."""
        return self._attribute("MaxSigninSessionDuration") or None

    def _attribute(self, name: str) -> Any:
        return self._state.attrs.get(name) if self._state else None

    @property
    def tags(self) -> dict[str, str]:
        return tags_in_mirror(self._entity)

    @property
    def metadata(self) -> str:
        """The metadata document of a SAML provider; empty where it was not read."""
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
"""Fact → the attribute that holds it, and what an image says for its value. Other facts are called as their
attribute and stand as they are."""


def facts_of(source: Any, facts: Iterable[str]) -> dict[str, Any]:
    """What an entity of the mirror or of AWS shows."""
    shown = {}
    for fact in facts:
        attribute, form = _FORMS.get(fact, (fact, None))
        value = getattr(source, attribute)
        shown[fact] = form(value) if form else value
    return shown


def fact_from(fact: str, value: Any) -> Any:
    """What an image says for the value of a parameter."""
    form = _FORMS[fact][1] if fact in _FORMS else None
    return form(value) if form else value
