"""Reads from the mirror what happened to entities without a change by Gatehouse. One query per table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple

from django.db.models import F, Q, QuerySet

from iam.mirror.models import (
    Cause,
    Edge,
    EdgeKind,
    Entity,
    EntityState,
    InlinePolicy,
    Kind,
    PolicyVersion,
    TagSet,
    UserCredentials,
    valid_at,
)
from iam.mirror.queries import history_events
from iam.mirror.queries.history_events import ENDED, KEYS, TIES, FactStep, HistoryEvent, steps

KINDS: tuple[Kind, ...] = (
    Kind.USER,
    Kind.GROUP,
    Kind.ROLE,
    Kind.POLICY,
    Kind.INSTANCE_PROFILE,
    Kind.SAML_PROVIDER,
    Kind.OIDC_PROVIDER,
    Kind.SERVER_CERTIFICATE,
    Kind.SCP,
    Kind.RCP,
)
"""The kinds of entities that can drift. Keys and devices belong to their user; instances come and go on their
own.
"""
STATE, OWNED, EDGE, INLINE, VERSION, TAGS, CREDENTIALS = (
    "state",
    "owned",
    "edge",
    "inline",
    "version",
    "tags",
    "credentials",
)


OWNER = "entity.owner_id"
NOTHING = Q(pk__in=[])


class ObservedThing(NamedTuple):
    """An entity and a moment at which a difference was seen."""

    entity: int
    when: datetime


@dataclass(slots=True)
class ObservedSteps:
    """What happened to an entity at a moment: the steps by table."""

    entity: Entity
    when: datetime
    steps: dict[str, list[FactStep]] = field(default_factory=dict)

    @property
    def has_late_steps(self) -> bool:
        """True if some data was read after the moment, such as the keys of a user that a list
        showed first.
        """
        return any(
            step.new is not None and step.new.valid_from > self.when for step in self.steps.get(OWNED, ())
        )

    @property
    def after(self) -> datetime | None:
        """The last observation of the earlier state."""
        bounds = [event.after for event in self.events() if event.after is not None]
        return min(bounds) if bounds else None

    def events(self) -> list[HistoryEvent]:
        """The events in the words of the history; empty if only irrelevant data changed."""
        return history_events.newest_first(self._events())

    def _events(self) -> Iterator[HistoryEvent]:
        of = self.steps.get
        yield from history_events.state_events(of(STATE, ()), entity=self.entity)
        yield from history_events.owned_events(
            [step for step in of(OWNED, ()) if not _is_new_device(step)], entity=self.entity
        )
        yield from history_events.edge_events(of(EDGE, ()), outgoing=True)
        yield from history_events.inline_events(of(INLINE, ()))
        yield from history_events.version_events(of(VERSION, []))
        yield from history_events.tag_events(of(TAGS, ()))
        for event in history_events.credential_events(of(CREDENTIALS, ()), has_key_rows=True):
            if event.sign == ENDED or event.lead == "Console password set":
                yield event

    def texts_given(self, texts: Mapping[int, str]) -> list[str]:
        """The policy texts that it got; `texts` are those of managed policies, see given_texts."""
        policy_texts = [texts.get(edge.target_id, "") for edge in self.attached()]
        for step in self.steps.get(INLINE, []):
            if step.new is not None:
                policy_texts.append(step.new.document.text)
        for step in self.steps.get(VERSION, []):
            if step.new is not None and step.new.is_default:
                policy_texts.append(step.new.document.text)
        return policy_texts

    def attached(self) -> list[Edge]:
        """The managed policies that were attached."""
        rows = [step.new for step in self.steps.get(EDGE, []) if step.new is not None]
        return [row for row in rows if row.kind == EdgeKind.ATTACHED]

    @property
    def is_about_trust(self) -> bool:
        """True if the role's trust policy changed."""
        if self.entity.kind != Kind.ROLE:
            return False
        pairs = [(step.old, step.new) for step in self.steps.get(STATE, []) if step.old and step.new]
        return any(old.document_id != new.document_id for old, new in pairs)


def given_texts(events: Iterable[ObservedSteps]) -> dict[int, str]:
    """The current texts of managed policies that these entities got, by primary key. One query; none without
    policies.
    """
    attached = chain.from_iterable(happened.attached() for happened in events)
    policies = {edge.target_id for edge in attached}
    if not policies:
        return {}
    rows = PolicyVersion.objects.filter(valid_at(None), policy__in=policies, is_default=True)
    return dict(rows.values_list("policy_id", "document__text"))


def _is_new_device(step: FactStep) -> bool:
    """True for a newly enrolled device or a changed password. People do this themselves; only a weaker
    sign-in is drift.
    """
    return step.old is None and step.new.kind == Kind.MFA_DEVICE


def happened_since(entities: Collection[int], *, since: datetime) -> list[ObservedSteps]:
    """Everything that happened to these entities after a moment. Eight queries."""
    return _read(
        entities,
        begun=Q(valid_from__gt=since),
        ended=Q(valid_to__gt=since),
        is_wanted=lambda place: place.when > since,
    )


def happened_at(places: Collection[ObservedThing]) -> dict[ObservedThing, ObservedSteps]:
    """What happened at these entities and moments. Eight queries; none without input."""
    wanted = set(places)
    if not wanted:
        return {}
    moments = {place.when for place in wanted}
    events = _read(
        {place.entity for place in wanted},
        begun=Q(valid_from__in=moments),
        ended=Q(valid_to__in=moments),
        late=Q(entity__owner__first_seen__in=moments),
        is_wanted=wanted.__contains__,
    )
    return {ObservedThing(event.entity.pk, event.when): event for event in events}


def _sources(entities: Collection[int]) -> Iterator[tuple[str, QuerySet[Any], str]]:
    """For each table, the rows of these entities and the column that leads to the entity."""
    states = EntityState.objects.select_related("document", "entity__owner", "entity__account", "account")
    yield STATE, states.filter(entity__in=entities), "entity_id"
    yield OWNED, states.filter(entity__owner__in=entities), OWNER
    edges = Edge.objects.filter(source__in=entities, kind__in=list(TIES))
    yield EDGE, edges.select_related("source", "target"), "source_id"
    yield INLINE, InlinePolicy.objects.filter(owner__in=entities).select_related("document"), "owner_id"
    yield VERSION, PolicyVersion.objects.filter(policy__in=entities).select_related("document"), "policy_id"
    yield TAGS, TagSet.objects.filter(entity__in=entities), "entity_id"
    yield CREDENTIALS, UserCredentials.objects.filter(user__in=entities), "user_id"


def _read(
    entities: Collection[int], *, begun: Q, ended: Q, is_wanted: Any, late: Q = NOTHING
) -> list[ObservedSteps]:
    """Read the steps of each table; `late` rows are reported at the moment at which their owner was first
    seen.
    """
    known = Entity.objects.filter(pk__in=entities, kind__in=KINDS).select_related("account").in_bulk()
    late = late & Q(after__lt=F("entity__owner__first_seen"), cause_kind=Cause.UNKNOWN)
    begun &= Q(after__isnull=False, cause_kind=Cause.UNKNOWN)
    ended &= Q(end_cause_kind=Cause.UNKNOWN)
    rows_by_place: dict[ObservedThing, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for name, rows, column in _sources(known.keys()):
        wanted = begun | ended | (late if name == OWNED else NOTHING)
        for row in rows.filter(wanted):
            for place in _unexplained_ends(row, column):
                if is_wanted(place):
                    rows_by_place[place][name].append(row)
    return [
        ObservedSteps(known[place.entity], place.when, _steps(tables, place.when))
        for place, tables in rows_by_place.items()
        if not is_of_aws(known[place.entity])
    ]


def _unexplained_ends(row: Any, column: str) -> Iterator[ObservedThing]:
    """The beginnings and ends of rows with an unknown cause."""
    is_owned = column == OWNER
    thing = row.entity.owner_id if is_owned else getattr(row, column)
    if row.after is not None and row.cause_kind == Cause.UNKNOWN:
        began = row.valid_from
        if is_owned and _came_with_owner(row):
            began = row.entity.owner.first_seen
        yield ObservedThing(thing, began)
    if row.valid_to is not None and row.end_cause_kind == Cause.UNKNOWN:
        yield ObservedThing(thing, row.valid_to)


def _came_with_owner(row: EntityState) -> bool:
    """True if a credential was read after its owner was first seen and may have been created with it."""
    owner = row.entity.owner
    return owner is not None and row.after is not None and row.after < owner.first_seen < row.valid_from


def _steps(tables: dict[str, list[Any]], when: datetime) -> dict[str, list[FactStep]]:
    steps_by_name = {
        name: list(steps(rows, key=KEYS[type(rows[0])], low=when, high=when)) for name, rows in tables.items()
    }
    late = [row for row in tables.get(OWNED, ()) if row.valid_from != when and _came_with_owner(row)]
    if late:
        steps_by_name[OWNED] += [FactStep(None, row) for row in late if row.entity.owner.first_seen == when]
    return steps_by_name


def is_of_aws(entity: Entity) -> bool:
    """True for an AWS managed policy, which only AWS changes, for all customers. The mirror first sees it
    when it is attached.
    """
    return entity.kind in (Kind.POLICY, Kind.SCP, Kind.RCP) and "::aws:" in entity.arn
