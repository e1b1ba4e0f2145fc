"""Describes differences and news as sentences with links: what was created, deleted or changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.urls import reverse

from console.activity.calls_behind import UNKNOWN_CALLS, CallsBehind, LineDifferences, calls_behind_each
from console.identities.details.causes import UNKNOWN, CauseLine, causes
from console.identities.details.frame import SECTIONS
from iam.activity.made_changes import DifferenceWindow
from iam.guard import Viewer
from iam.mirror.models import KINDS_BY_ARN, Entity
from iam.mirror.queries.differences import CAME, CHANGED, WENT, DifferenceRow
from iam.mirror.queries.entities import OpenableEntities
from iam.mirror.queries.history_events import MFA_WORDS
from iam.mirror.queries.visibility import visible_entities

TITLES = {
    "user": "Users",
    "group": "Groups",
    "role": "Roles",
    "policy": "Managed policies",
    "document": "Policy documents",
    "inline": "Inline policies",
    "member": "Memberships",
    "attached": "Attached policies",
    "boundary": "Permissions boundaries",
    "mfa": "MFA",
    "password": "Console passwords",
    "access-key": "Access keys",
    "mfa-device": "MFA devices",
    "instance-profile": "Instance profiles",
    "profile-role": "Roles in instance profiles",
    "saml-provider": "SAML providers",
    "oidc-provider": "OpenID Connect providers",
    "ssh-key": "SSH keys",
    "signing-certificate": "Signing certificates",
    "service-credential": "Service-specific credentials",
    "server-certificate": "Server certificates",
    "org-root": "Roots of the organization",
    "org-unit": "Organizational units",
    "org-account": "Accounts of the organization",
    "parent": "Places in the organization",
    "scp": "Service control policies",
    "rcp": "Resource control policies",
    "target": "Targets of control policies",
}
SIGNS = {CAME: ("add", "+", "Added"), WENT: ("del", "−", "Removed"), CHANGED: ("", "~", "Changed")}
JOINTS = {
    "member": ("joined", "left"),
    "attached": ("got", "lost"),
    "boundary": ("has the permissions boundary", "no longer has the permissions boundary"),
    "profile-role": ("holds", "no longer holds"),
    "parent": ("moved into", "left"),
    "target": ("bounds", "no longer bounds"),
}


NOUNS = {
    "user": "user",
    "group": "group",
    "role": "role",
    "policy": "managed policy",
    "access-key": "access key",
    "mfa-device": "MFA device",
    "instance-profile": "instance profile",
    "saml-provider": "SAML provider",
    "oidc-provider": "OpenID Connect provider",
    "ssh-key": "SSH key",
    "signing-certificate": "signing certificate",
    "service-credential": "service-specific credential",
    "server-certificate": "server certificate",
    "org-root": "organization root",
    "org-unit": "organizational unit",
    "org-account": "account of the organization",
    "scp": "SCP",
    "rcp": "RCP",
    "inline": "inline policy",
    "document": "document of",
}
VERBS = {CAME: "added", WENT: "deleted", CHANGED: "changed"}
TONES = {CAME: ("ok", "plus"), WENT: ("bad", "minus"), CHANGED: ("", "pencil")}
Piece = tuple[str, str]
"""A piece of a sentence, and its link or None."""


@dataclass(frozen=True, slots=True)
class DifferenceSentence:
    """A difference for the page: the sentence in pieces, its sign, and its cause."""

    row: DifferenceRow
    pieces: list[Piece]
    css: str
    mark: str
    spoken: str
    tone: str
    icon: str
    cause: CauseLine = UNKNOWN


def differences(
    rows: Iterable[DifferenceRow], *, viewer: Viewer, whole: bool = False, with_nouns: bool = False
) -> list[DifferenceSentence]:
    """Return the rows as sentences. Takes at most two queries, one more if a cause is unknown, and four more
    if calls were recorded in its time.

    `whole` means that the viewer sees the whole account; `with_nouns` adds the type of entity, if no heading
    names it.
    """
    rows = list(rows)
    open_to = (
        OpenableEntities(whole=True) if whole or viewer.scope.sees_everything else _openable(rows, viewer)
    )
    known = causes(((row.cause_kind, row.cause_id) for row in rows), viewer=viewer)
    calls = _calls_behind(rows, viewer=viewer)
    sentences = []
    for row in rows:
        cause = CauseLine(calls=calls.get(row, UNKNOWN_CALLS))
        if row.cause_id:
            cause = known.get(row.cause_id, UNKNOWN)
        sentences.append(_difference(row, open_to, with_nouns=with_nouns, cause=cause))
    return sentences


def _openable(rows: list[DifferenceRow], viewer: Viewer) -> OpenableEntities:
    pks = {row.entity for row in rows} | {row.other_entity for row in rows if row.other_entity}
    openable = visible_entities(viewer).filter(pk__in=pks).values_list("pk", flat=True)
    return OpenableEntities(whole=False, pks=frozenset(openable))


def _calls_behind(rows: Iterable[DifferenceRow], *, viewer: Viewer) -> dict[DifferenceRow, CallsBehind]:
    """Return the recorded calls that caused rows which no change explains."""
    unexplained = [row for row in rows if row.after is not None and not row.cause_id]
    if not unexplained:
        return {}
    entities = Entity.objects.filter(pk__in={row.entity for row in unexplained})
    numbers = dict(entities.values_list("pk", "account__account_id"))
    lines = [LineDifferences(numbers[row.entity], [_window(row)]) for row in unexplained]
    return dict(zip(unexplained, calls_behind_each(lines, viewer=viewer), strict=True))


def _window(row: DifferenceRow) -> DifferenceWindow:
    """Return the time of a difference, and its entities. Calls about a credential name its owner."""
    subject, other = (row.kind, row.name), (row.other_kind, row.other)
    if row.kind not in KINDS_BY_ARN.values() and row.other:
        subject = other
    others = frozenset({other}) if row.other else frozenset()
    return DifferenceWindow(subject, others, row.after or row.when, row.when)


def _difference(
    row: DifferenceRow, open_to: OpenableEntities, *, with_nouns: bool, cause: CauseLine
) -> DifferenceSentence:
    css, mark, spoken = SIGNS[row.sign]
    tone, icon = TONES[row.sign]
    pieces = _pieces(row, open_to, with_nouns=with_nouns)
    return DifferenceSentence(row, pieces, css, mark, spoken, tone, icon, cause)


def _pieces(row: DifferenceRow, open_to: OpenableEntities, *, with_nouns: bool) -> list[Piece]:
    name = (row.name, _address(row.kind, row.entity, open_to))
    other = (row.other, _address(row.other_kind, row.other_entity, open_to))
    if row.sort in JOINTS:
        return [name, (JOINTS[row.sort][0 if row.sign == CAME else 1], ""), other]
    if row.sort == "mfa":
        was, now = (MFA_WORDS.get(word, word) for word in row.words.split(" "))
        return (
            [("MFA of", ""), name, (f"{was} → {now}", "")] if with_nouns else [name, (f"{was} → {now}", "")]
        )
    if row.sort == "password":
        return [name]
    body = _body(row, name, other)
    if not with_nouns:
        return body
    noun = NOUNS.get(row.sort, row.sort)
    verb = "" if row.sign == CHANGED and row.words and row.sort != "inline" else VERBS[row.sign]
    return [(noun[:1].upper() + noun[1:], ""), *body, *([(verb, "")] if verb else [])]


def _body(row: DifferenceRow, name: Piece, other: Piece) -> list[Piece]:
    if row.sort == "inline":
        return [(row.words, ""), ("of", ""), name]
    if row.sort == "document":
        return [name, (f"now {row.words}", "")]
    if row.other:
        return [name, ("of", ""), other, *([(f"now {row.words}", "")] if row.words else [])]
    return [name]


def _address(kind: str, pk: int | None, open_to: OpenableEntities) -> str:
    return reverse(SECTIONS[kind][2], args=[pk]) if kind in SECTIONS and pk and pk in open_to else ""
