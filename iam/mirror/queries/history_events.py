"""Turns rows with validity periods into events: what began, ended or changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from iam.mirror.mfa import has_mfa
from iam.mirror.models import (
    Edge,
    EdgeKind,
    Entity,
    EntityState,
    InlinePolicy,
    Kind,
    PolicyVersion,
    TagSet,
    TemporalRow,
    UserCredentials,
)

T = TypeVar("T", bound=TemporalRow)
BEGAN, ENDED, BECAME, READ = "began", "ended", "became", "read"


@dataclass(frozen=True, slots=True)
class NamedEntity:
    """Another entity named in an event."""

    pk: int
    kind: str
    name: str


class EventTopic(StrEnum):
    """The topic of an event."""

    DELETED = "deleted"
    FIRST_SYNCED = "first-synced"
    CREATED = "created"
    CHANGED = "changed"
    POLICY = "policy"
    GROUP = "group"
    BOUNDARY = "boundary"
    INSTANCE_PROFILE = "instance-profile"
    DEFAULT_VERSION = "default-version"
    TAGS = "tags"
    MFA_DEVICE = "mfa-device"
    CREDENTIAL = "credential"
    CERTIFICATE = "certificate"
    SIGN_IN = "sign-in"


@dataclass(slots=True)
class HistoryEvent:
    """An event between two observations: after `after` (None: before the first sync) and until `when`.

    `sign` is began, ended, became or read. The sentence consists of `lead`, the names in `others`, and
    `tail`. `changes` are (what, before, after). `documents` names two documents to compare.
    """

    when: datetime
    after: datetime | None
    sign: str
    topic: EventTopic
    lead: str
    tail: str = ""
    others: list[NamedEntity] = field(default_factory=list)
    changes: list[tuple[str, str, str]] = field(default_factory=list)
    documents: str = ""
    cause_kind: str = ""
    cause_id: UUID | None = None
    note: str = ""
    made_at: datetime | None = None
    """When AWS created it, if that is between the two observations."""


@dataclass(frozen=True, slots=True)
class FactStep:
    """A step of a fact: an old row, a new row, or both."""

    old: Any
    new: Any

    @property
    def sign(self) -> str:
        """The sign of the step."""
        if self.old and self.new:
            return BECAME
        return BEGAN if self.new else ENDED

    def event(self, topic: EventTopic, lead: str, **more: Any) -> HistoryEvent:
        """Return the event of this step, with its bounds and its cause."""
        row = self.new or self.old
        if self.new:
            bounds = (row.valid_from, row.after)
            cause = (row.cause_kind, row.cause_id)
        else:
            bounds = (row.valid_to, row.last_seen)
            cause = (row.end_cause_kind, row.end_cause_id)
        made = HistoryEvent(*bounds, more.pop("sign", self.sign), topic, lead, **more)
        made.cause_kind, made.cause_id = cause
        return made


def steps(
    rows: Iterable[T], *, key: Callable[[T], Hashable], low: datetime, high: datetime
) -> Iterator[FactStep]:
    """Yield the steps within the bounds (inclusive). An end and a beginning at the same time under the same
    key are one step.
    """
    rows = list(rows)
    ended = {(key(row), row.valid_to): row for row in rows if row.valid_to and low <= row.valid_to <= high}
    for row in rows:
        if low <= row.valid_from <= high:
            yield FactStep(ended.pop((key(row), row.valid_from), None), row)
    for row in ended.values():
        yield FactStep(row, None)


LABELS = {
    "Description": "Description",
    "MaxSessionDuration": "Maximum session duration (seconds)",
    "MaxSigninSessionDuration": "Maximum sign-in session (seconds)",
    "IsAttachable": "Can be attached",
    "ValidUntil": "Valid until",
    "Url": "Address",
    "ClientIDList": "Audiences",
    "ThumbprintList": "Thumbprints",
    "ServiceName": "Service",
    "EnableDate": "Enabled",
    "PublicIpAddress": "Public IP address",
    "HasOwnAddress": "Public IP address from AWS",
}
QUIET = {"UpdateDate", "DefaultVersionId", "IsPlaceholder"}
"""Attributes that repeat other rows."""


def state_events(steps: Sequence[FactStep], *, entity: Entity) -> Iterator[HistoryEvent]:
    """Yield creation, deletion, renaming and changed settings of the entity itself."""
    for step in steps:
        old, new = step.old, step.new
        if old is None:
            yield _first_event(step, entity)
        elif new is None:
            yield step.event(EventTopic.DELETED, "Deleted", note="AWS no longer lists it")
        else:
            yield from _change_events(step)


def _first_event(step: FactStep, entity: Entity) -> HistoryEvent:
    if step.new.after is None:
        note = "Nothing is known from before"
        return step.event(EventTopic.FIRST_SYNCED, "First synced by Gatehouse", sign=READ, note=note)
    if step.new.valid_from > entity.first_seen:
        return step.event(EventTopic.CREATED, "Exists again")
    return step.event(EventTopic.CREATED, "Created", made_at=step.new.created_at)


def _change_events(step: FactStep) -> Iterator[HistoryEvent]:
    old, new = step.old, step.new
    changes = [
        (label, getattr(old, name), getattr(new, name))
        for label, name in (("Name", "name"), ("Path", "path"))
        if getattr(old, name) != getattr(new, name)
    ]
    changes += _attribute_changes(old.attrs, new.attrs)
    if old.document_id != new.document_id and old.document_id and new.document_id:
        lead = "Trust policy changed" if new.kind == Kind.ROLE else "Document changed"
        yield step.event(EventTopic.CHANGED, lead, documents=f"state-{old.pk}-{new.pk}", changes=changes)
    elif changes:
        yield step.event(EventTopic.CHANGED, "Settings changed", changes=changes)


def _attribute_changes(old: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return the changed attributes. An attribute that another section adds later was not synced before, so
    it is no change.
    """
    return [
        (LABELS.get(name, name), _text(old[name]), _text(new[name]))
        for name in sorted(old.keys() & new.keys())
        if name not in QUIET and old[name] != new[name]
    ]


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if value not in (None, "") else "nothing"


NOUNS = {
    Kind.ACCESS_KEY: ("Access key", EventTopic.CREDENTIAL),
    Kind.MFA_DEVICE: ("MFA device", EventTopic.MFA_DEVICE),
    Kind.SSH_KEY: ("SSH key", EventTopic.CREDENTIAL),
    Kind.SIGNING_CERTIFICATE: ("Signing certificate", EventTopic.CERTIFICATE),
    Kind.SERVICE_CREDENTIAL: ("Service-specific credential", EventTopic.CREDENTIAL),
}


FIRST_READING = timedelta(hours=1)
"""A user's credentials are read after the user, in the same pull."""


def owned_events(steps: Sequence[FactStep], *, entity: Entity) -> Iterator[HistoryEvent]:
    """Yield events of keys, devices and certificates: created, deleted, activated or deactivated."""
    for step in steps:
        row: EntityState = step.new or step.old
        noun, topic = NOUNS.get(Kind(row.kind), (row.get_kind_display(), EventTopic.CREDENTIAL))
        lead = f"{noun} {row.name.rpartition('/')[2]}"
        if step.old is None:
            first = row.after is None
            if first and row.valid_from - entity.first_seen < FIRST_READING:
                continue
            if first:
                yield step.event(topic, f"{lead} synced for the first time", sign=READ)
            else:
                yield step.event(topic, f"{lead} added", sign=BEGAN)
        elif step.new is None:
            yield step.event(topic, f"{lead} deleted")
        else:
            changes = _attribute_changes(step.old.attrs, step.new.attrs)
            if step.old.category != step.new.category:
                changes.insert(0, ("State", step.old.category or "unknown", step.new.category or "unknown"))
            if changes:
                yield step.event(topic, lead, changes=changes)


TIES: dict[str, tuple[EventTopic, tuple[str, str], tuple[str, str]]] = {
    EdgeKind.MEMBER: (EventTopic.GROUP, ("Joined", "Left"), ("joined", "left")),
    EdgeKind.ATTACHED: (EventTopic.POLICY, ("Attached", "Detached"), ("got this policy", "lost this policy")),
    EdgeKind.BOUNDARY: (
        EventTopic.BOUNDARY,
        ("Permissions boundary set:", "Permissions boundary removed:"),
        ("got this as permissions boundary", "lost this as permissions boundary"),
    ),
    EdgeKind.PROFILE_ROLE: (
        EventTopic.INSTANCE_PROFILE,
        ("Role added:", "Role removed:"),
        ("holds it", "no longer has it"),
    ),
    EdgeKind.INSTANCE_PROFILE: (
        EventTopic.INSTANCE_PROFILE,
        ("Uses", "No longer uses"),
        ("uses it", "no longer uses it"),
    ),
    EdgeKind.WORKLOAD_ROLE: (
        EventTopic.INSTANCE_PROFILE,
        ("Gives", "No longer gives"),
        ("gives it", "no longer gives it"),
    ),
}


SWAPS = {
    EdgeKind.BOUNDARY: ("Permissions boundary changed", "Boundary"),
    EdgeKind.PROFILE_ROLE: ("Role changed", "Role"),
    EdgeKind.INSTANCE_PROFILE: ("Instance profile changed", "Profile"),
}
"""Connections of which an entity has one at a time."""


def edge_events(steps: Sequence[FactStep], *, outgoing: bool) -> Iterator[HistoryEvent]:
    """Yield events of the entity's connections (`outgoing`) or of those to it. Connections that changed
    together are one event.
    """
    together: dict[tuple[Any, ...], HistoryEvent] = {}
    for step in steps:
        row: Edge = step.new or step.old
        if row.kind not in TIES or (step.old is None and row.after is None):
            continue
        topic, outgoing_words, incoming_words = TIES[row.kind]
        if step.old and step.new:
            if step.old.target_id != step.new.target_id:
                lead, label = SWAPS[EdgeKind(row.kind)]
                names = (label, step.old.target.name, step.new.target.name)
                yield step.event(topic, lead, changes=[names])
            continue
        begun, ended = outgoing_words if outgoing else incoming_words
        words = begun if step.new else ended
        lead, tail = (words, "") if outgoing else ("", words)
        other = row.target if outgoing else row.source
        event = step.event(topic, lead, tail=tail)
        place = (row.kind, event.when, event.sign, event.after, event.cause_kind, event.cause_id)
        first_event = together.setdefault(place, event)
        first_event.others.append(NamedEntity(other.pk, other.kind, other.name))
    yield from together.values()


def inline_events(steps: Sequence[FactStep]) -> Iterator[HistoryEvent]:
    """Yield events of inline policies: added, changed, removed."""
    for step in steps:
        row: InlinePolicy = step.new or step.old
        if step.old and step.new and step.old.document_id == step.new.document_id:
            continue
        if step.old and step.new:
            documents = f"inline-{step.old.pk}-{step.new.pk}"
            yield step.event(EventTopic.CHANGED, f"Inline policy {row.name} changed", documents=documents)
        elif step.old or row.after is not None:
            verb = "added" if step.new else "removed"
            yield step.event(EventTopic.POLICY, f"Inline policy {row.name} {verb}")


def version_events(steps: Sequence[FactStep], *, at_once: bool = True) -> Iterator[HistoryEvent]:
    """Yield events of policy versions: created, set as default, deleted. `at_once` pairs the old and the new
    default by time.
    """
    ended_defaults: dict[object, PolicyVersion] = {}
    begun_defaults: set[object] = set()
    for step in steps:
        if step.old and step.old.is_default:
            ended_defaults[at_once and step.old.valid_to] = step.old
        if step.new and step.new.is_default:
            begun_defaults.add(at_once and step.new.valid_from)
    for step in steps:
        row: PolicyVersion = step.new or step.old
        name = f"Version {row.version_id}"
        begun = at_once and row.valid_from
        documents = ""
        if step.new and row.is_default:
            documents = _changed_text(ended_defaults.get(begun), row)
        if step.old is None:
            if row.after is not None:
                tail = "created and set as default" if row.is_default else "made"
                yield step.event(EventTopic.CREATED, f"{name} {tail}", documents=documents)
        elif step.new is None:
            yield step.event(EventTopic.DELETED, f"{name} deleted")
        elif row.is_default and not step.old.is_default:
            yield step.event(EventTopic.DEFAULT_VERSION, f"{name} set as default", documents=documents)
        elif step.old.is_default and not row.is_default and begun not in begun_defaults:
            yield step.event(EventTopic.DEFAULT_VERSION, f"{name} is no longer the default")


def _changed_text(old: PolicyVersion | None, new: PolicyVersion) -> str:
    """Return the two versions to compare, or an empty string if their texts are equal."""
    if old is None or old.document_id == new.document_id:
        return ""
    return f"version-{old.pk}-{new.pk}"


def tag_events(steps: Sequence[FactStep]) -> Iterator[HistoryEvent]:
    """Yield events of tags: each that was added, removed or changed."""
    for step in steps:
        if step.old is None and step.new.after is None:
            continue
        old: dict[str, str] = step.old.tags if step.old else {}
        new: dict[str, str] = step.new.tags if step.new else {}
        changes = [
            (key, old.get(key, "none"), new.get(key, "none"))
            for key in sorted(old.keys() | new.keys())
            if old.get(key) != new.get(key)
        ]
        if changes:
            yield step.event(EventTopic.TAGS, "Tags changed", changes=changes)


MFA_WORDS = {
    "none": "none",
    "virtual": "authenticator app",
    "hardware": "hardware token",
    "security-key": "passkey or security key",
    "several": "several devices",
    "unknown": "unknown",
}


def credential_events(steps: Sequence[FactStep], *, has_key_rows: bool) -> Iterator[HistoryEvent]:
    """Yield events of password and MFA, and of the number of keys if the keys themselves are unknown."""
    for step in steps:
        if step.old is None or step.new is None:
            continue
        old: UserCredentials = step.old
        new: UserCredentials = step.new
        if old.mfa != new.mfa and has_mfa(old.mfa) is not None and has_mfa(new.mfa) is not None:
            words = ("MFA", MFA_WORDS.get(old.mfa, old.mfa), MFA_WORDS.get(new.mfa, new.mfa))
            lead, sign = "MFA changed", BECAME
            if new.mfa == "none":
                lead, sign = "MFA turned off", ENDED
            elif old.mfa == "none":
                lead, sign = "MFA on", BEGAN
            yield step.event(EventTopic.MFA_DEVICE, lead, changes=[words], sign=sign)
        if old.has_password is not None and new.has_password is not None:
            yield from _password_events(step)
        if not has_key_rows and old.active_keys != new.active_keys:
            counts = ("Active access keys", str(old.active_keys), str(new.active_keys))
            yield step.event(EventTopic.CREDENTIAL, "Access keys changed", changes=[counts])


def _password_events(step: FactStep) -> Iterator[HistoryEvent]:
    old, new = step.old, step.new
    if old.has_password != new.has_password:
        if new.has_password:
            yield step.event(EventTopic.SIGN_IN, "Console password set", sign=BEGAN)
        else:
            yield step.event(EventTopic.SIGN_IN, "Console password removed", sign=ENDED)
    elif new.has_password and old.password_changed_at and not _is_same_moment(old, new):
        yield step.event(EventTopic.SIGN_IN, "Console password changed")


def _is_same_moment(old: UserCredentials, new: UserCredentials) -> bool:
    """Return True if the password was set once: a change records Gatehouse's time, a later report AWS's."""
    before, after = old.password_changed_at, new.password_changed_at
    return before == after or (before is not None and after is not None and abs(after - before) < SAME_MOMENT)


SAME_MOMENT = timedelta(minutes=2)


def _edge_key(row: Edge) -> Hashable:
    return (row.kind, row.source_id, None if row.kind in SWAPS else row.target_id)


KEYS: dict[type[TemporalRow], Callable[[Any], Hashable]] = {
    EntityState: lambda row: row.entity_id,
    Edge: _edge_key,
    InlinePolicy: lambda row: (row.owner_id, row.name),
    PolicyVersion: lambda row: (row.policy_id, row.version_id),
    TagSet: lambda row: row.entity_id,
    UserCredentials: lambda row: row.user_id,
}
"""The key by which two rows of a table are the same fact."""


def newest_first(events: Iterable[HistoryEvent]) -> list[HistoryEvent]:
    """Return the events newest first. At the same time, the entity's own first event comes last."""
    order: dict[str, int] = defaultdict(
        lambda: 1, {"Created": 2, "First synced by Gatehouse": 2, "Deleted": 0}
    )
    return sorted(events, key=lambda e: (-e.when.timestamp(), order[e.lead]))
