"""The objects that a change is about, each with its page if the viewer can open it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.urls import reverse

from iam.changes.models import Change
from iam.changes.queries import group_of
from iam.guard import Viewer
from iam.mirror.models import Kind
from iam.mirror.queries import entities
from iam.mirror.queries.entities import OpenableEntities

_PAGES: Final = {
    Kind.USER.value: "identities:person",
    Kind.GROUP.value: "identities:group",
    Kind.ROLE.value: "identities:role",
    Kind.POLICY.value: "identities:policy",
}
_LABELS: Final = {Kind.USER.value: "Person", **{kind.value: kind.label for kind in Kind if kind != Kind.USER}}
_NAMES: Final = ("name", "user_name", "policy_name", "role_name", "group_name", "profile_name")


@dataclass(frozen=True, slots=True)
class ChangeSubject:
    """An object that a change is about."""

    label: str
    name: str
    url: str


def subject_openable(change: Change, *, viewer: Viewer) -> OpenableEntities:
    """Return which of the change's objects the viewer can open."""
    pks = [pk for pk in (change.entity_id, group_of(change)) if pk]
    return entities.openable(viewer, account_id=change.account.account_id, pks=pks)


def about_of(change: Change, *, open_to: OpenableEntities) -> list[ChangeSubject]:
    """Return the subject, and the group of a membership."""
    rows = [_subject_link(change.subject_kind, _name(change), change.entity_id, open_to)]
    if change.group_name and change.subject_kind != Kind.GROUP:
        rows.append(_subject_link(Kind.GROUP.value, change.group_name, group_of(change), open_to))
    return rows


def _name(change: Change) -> str:
    if change.entity is not None:
        return change.entity.name
    names = (change.params.get(name) for name in _NAMES)
    return next((str(name) for name in names if name), change.subject_arn or change.subject_id)


def _subject_link(kind: str, name: str, pk: int | None, open_to: OpenableEntities) -> ChangeSubject:
    label = _LABELS.get(kind, "Subject").removeprefix("IAM ").capitalize()
    page = _PAGES.get(kind)
    url = reverse(page, args=[pk]) if page and pk and pk in open_to else ""
    return ChangeSubject(label, name, url)
