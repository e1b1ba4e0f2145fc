"""The parts of a grant, one per account: status, holders, changes and proof of removal.

A grant can have hundreds of accounts and people: a page shows the first of each, counts all, and links to the
rest.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from django.db.models import Case, Count, F, IntegerField, Max, Q, QuerySet, Value, When, Window
from django.db.models.functions import RowNumber
from django.urls import reverse

from console.access.grants.labels import name_of
from console.access.grants.marks import ALTERED, MARKS, made_words, relation_words, ways_words
from console.changes.presenters import MARKS as CHANGE_MARKS
from console.changes.presenters import StateMark
from console.web.access import sees_only_self
from iam.access.grants.models import Grant, GrantPart, GrantState, LedgerEntry
from iam.access.grants.proof import RemovalProof, proof_of
from iam.access.grants.queries import changes_of, parts_of
from iam.access.grants.services.revoke_sessions import roles_of
from iam.access.grants.verify import missing_entries, missing_in
from iam.changes.models import Change, ChangeState
from iam.changes.queries import visible_changes
from iam.changes.undone import NOTHING_UNDONE, undone_parts_of
from iam.guard import Viewer
from iam.mirror.display_names import names_by_arn
from iam.mirror.models import Entity, Kind
from iam.mirror.queries.entities import OpenableEntities, openable_in

WHOLE: Final = 4
"""Up to this number of accounts are shown in full; more are shown as a list."""
LISTED: Final = 40
ENTRIES: Final = 15
CHANGES: Final = 15
REMOVALS: Final = 10
WRONG: Final = (ChangeState.FAILED, ChangeState.UNKNOWN)
PAGES: Final = {
    Kind.USER: "identities:person",
    Kind.GROUP: "identities:group",
    Kind.ROLE: "identities:role",
    Kind.POLICY: "identities:policy",
}


@dataclass(frozen=True, slots=True)
class EntryShown:
    """A permission in the ledger; `url` and `target_url` are the pages of both sides, if the viewer can open
    them.
    """

    holder: str
    relation: str
    target: str
    since: datetime | None
    until: datetime | None
    stood_before: bool
    url: str = ""
    target_url: str = ""
    is_missing: bool = False


@dataclass(slots=True)
class PartShown:
    """A part in its account: the first permissions, changes and removals, and their number."""

    part: GrantPart
    mark: StateMark
    text: str
    trouble: str
    url: str
    entries: list[EntryShown] = field(default_factory=list)
    entry_count: int = 0
    changes: list[tuple[Change, StateMark, str]] = field(default_factory=list)
    change_count: int = 0
    proof: RemovalProof | None = None
    removals: list[str] = field(default_factory=list)
    cuts: bool = False

    @property
    def plan(self) -> dict[str, Any]:
        """How the access is given, as shown before approval."""
        return dict(self.part.plan)

    @property
    def more_entries(self) -> int:
        """Number of permissions that aren’t shown."""
        return max(0, self.entry_count - len(self.entries))

    @property
    def more_changes(self) -> int:
        """Number of changes that aren’t shown."""
        return max(0, self.change_count - len(self.changes))


@dataclass(frozen=True, slots=True)
class GrantParts:
    """The parts that the viewer sees: `shown` in full or `rows` of a list, and `all`, with setup times and
    counts of changes.
    """

    all: list[GrantPart]
    shown: list[PartShown]
    rows: list[PartShown]
    following: int | None
    counts: list[tuple[str, StateMark, int]]
    set_up: dict[int, datetime]
    changes: dict[str, int]

    @property
    def version(self) -> str:
        """A value that differs whenever the parts differ."""
        states = "".join(part.state[:2] for part in self.all)
        done = sum(self.changes.get(state, 0) for state in (ChangeState.APPLIED, ChangeState.FAILED))
        return f"{len(states)}{hash_of(states)}-{done}-{sum(self.changes.values())}"


def hash_of(text: str) -> str:
    """Return a short text that is the same in every process: the text itself, or its hash."""
    return text if len(text) < 24 else hashlib.sha256(text.encode()).hexdigest()[:16]


def parts_shown(
    grant: Grant, *, viewer: Viewer, hidden: Collection[str] = (), state: str = "", after: int = -1
) -> GrantParts:
    """Return the parts without `hidden` holders; a list continues after the lane `after`, and can be filtered
    by `state`.
    """
    every = parts_of(grant, viewer=viewer)
    changes = changes_of(grant).filter(pk__in=visible_changes(viewer).values("pk"))
    listed = [part for part in every if part.lane > after and (not state or part.state == state)]
    is_list = len(every) > WHOLE
    page = listed[:LISTED] if is_list else every
    following = page[-1].lane if is_list and len(listed) > LISTED else None
    rows = _rows(grant, page, viewer=viewer, changes=changes, hidden=hidden)
    if not is_list:
        fill(rows, viewer=viewer, hidden=hidden, changes=changes)
    rows_in_full = [] if is_list else rows
    rows_of_list = rows if is_list else []
    return GrantParts(
        all=every,
        shown=rows_in_full,
        rows=rows_of_list,
        following=following,
        counts=_counts(every),
        set_up=_set_up(every, hidden),
        changes=dict(changes.order_by().values_list("state").annotate(n=Count("pk"))),
    )


def one_part(
    grant: Grant, part: GrantPart, *, viewer: Viewer, hidden: Collection[str] = (), after: int = 0, most: int
) -> tuple[PartShown, int | None]:
    """Return one part with a page of its permissions, and the ID after which the next page starts."""
    changes = changes_of(grant).filter(pk__in=visible_changes(viewer).values("pk"))
    rows = _rows(grant, [part], viewer=viewer, changes=changes, hidden=hidden)
    later_entries = _entries([part], hidden).filter(pk__gt=after).order_by("pk")
    # One more than shown, to see whether there is a next page.
    entries = list(later_entries[: most + 1])
    page = entries[:most]
    fill(rows, viewer=viewer, hidden=hidden, changes=changes, entries=page, most=most)
    next_after = page[-1].pk if len(entries) > most else None
    return rows[0], next_after


def _rows(
    grant: Grant,
    parts: Sequence[GrantPart],
    *,
    viewer: Viewer,
    changes: QuerySet[Change],
    hidden: Collection[str],
) -> list[PartShown]:
    """Return rows of a list, including failures and what AWS no longer has.

    The number of queries doesn’t depend on the number of parts.
    """
    wrong: dict[int, str] = {}
    missing = missing_in(grant, hidden=hidden)
    accounts = [part.account_id for part in parts if not part.trouble]
    failed = changes.filter(account__in=accounts, state__in=WRONG).order_by("-created_at", "-position")
    for account, message in failed.values_list("account_id", "error_message")[:200]:
        wrong[account] = message
    ways = ways_words(plain=sees_only_self(viewer))
    rows = []
    for part in parts:
        way = ways.get(part.way, part.way)
        trouble = part.trouble or " ".join(missing.get(part.pk, ())) or wrong.get(part.account_id, "")
        url = reverse("access:grant-part", args=[grant.pk, part.pk])
        is_altered = part.pk in missing and part.state == GrantState.ACTIVE
        mark = ALTERED if is_altered else MARKS[part.state]
        rows.append(PartShown(part, mark, way, trouble, url))
    return rows


def fill(
    rows: Sequence[PartShown],
    *,
    viewer: Viewer,
    hidden: Collection[str],
    changes: QuerySet[Change],
    entries: Sequence[LedgerEntry] | None = None,
    most: int = 0,
) -> None:
    """Add permissions, changes and proof to the rows.

    The number of queries doesn’t depend on the number of people; each ending or ended part takes some more.
    """
    parts = [row.part for row in rows]
    ledger = _entries(parts, hidden)
    shown_entries = _firsts(ledger, by="part_id", most=ENTRIES) if entries is None else entries
    links = _links(shown_entries, viewer=viewer)
    names = names_by_arn(entry.holder_arn for entry in shown_entries)
    missing = missing_entries().filter(pk__in=[entry.pk for entry in shown_entries])
    missing_keys = set(missing.values_list("pk", flat=True))
    entries_by_part: dict[int, list[EntryShown]] = defaultdict(list)
    plain = sees_only_self(viewer)
    for entry in shown_entries:
        shown = _entry(entry, links, names, plain=plain)
        entries_by_part[entry.part_id].append(replace(shown, is_missing=entry.pk in missing_keys))
    entry_counts = dict(ledger.order_by().values_list("part_id").annotate(n=Count("pk")))
    own_changes = changes.filter(account__in=[part.account_id for part in parts])
    change_counts = dict(own_changes.order_by().values_list("account_id").annotate(n=Count("pk")))
    listed_changes = list(_first_changes(own_changes, most or CHANGES))
    undone_parts = undone_parts_of([change.change_set_id for change in listed_changes], viewer=viewer)
    changes_by_account: dict[int, list[tuple[Change, StateMark, str]]] = defaultdict(list)
    for change in listed_changes:
        undone_words = undone_parts.get(change.change_set_id, NOTHING_UNDONE).words_of(change.pk)
        changes_by_account[change.account_id].append((change, CHANGE_MARKS[change.state], undone_words))
    for row in rows:
        part = row.part
        row.entries = entries_by_part[part.pk]
        row.entry_count = entry_counts.get(part.pk, 0)
        row.changes = changes_by_account[part.account_id]
        row.change_count = change_counts.get(part.account_id, 0)
        if part.state in (GrantState.ENDING, GrantState.ENDED):
            _prove(row, viewer=viewer, most=most or REMOVALS)


def _prove(row: PartShown, *, viewer: Viewer, most: int) -> None:
    """Add the proof of removal; single permissions are listed only if the viewer can see their changes."""
    row.proof = proof_of(row.part)
    row.cuts = bool(roles_of(row.part))
    removals = [*row.proof.cuts, *row.proof.removals][: most * 10]
    if not removals:
        row.removals = []
        return
    changes = [removal.change.pk for removal in removals]
    seen = set(visible_changes(viewer).filter(pk__in=changes).values_list("pk", flat=True))
    texts = [removal.sentence for removal in removals if removal.change.pk in seen]
    row.removals = texts[:most]


def _entries(parts: Sequence[GrantPart], hidden: Collection[str]) -> QuerySet[LedgerEntry]:
    rows = LedgerEntry.objects.filter(part__in=[part.pk for part in parts])
    return rows.exclude(holder_arn__in=list(hidden)) if hidden else rows


def _firsts(rows: QuerySet[LedgerEntry], *, by: str, most: int) -> list[LedgerEntry]:
    place = Window(RowNumber(), partition_by=[F(by)], order_by=F("pk").asc())
    return list(rows.annotate(place=place).filter(place__lte=most).order_by("pk"))


def _first_changes(rows: QuerySet[Change], most: int) -> list[Change]:
    """Return the first changes per account: failures first, then the others in order."""
    is_right = Case(When(Q(state__in=WRONG), then=Value(0)), default=Value(1), output_field=IntegerField())
    order = [is_right.asc(), F("created_at").asc(), F("position").asc()]
    place = Window(RowNumber(), partition_by=[F("account_id")], order_by=order)
    placed = rows.select_related(None).annotate(place=place)
    first_changes = placed.filter(place__lte=most).order_by("account_id", "place")
    return list(first_changes.only("id", "title", "state", "account_id", "change_set_id", "error_message"))


def _links(entries: Sequence[LedgerEntry], *, viewer: Viewer) -> dict[str, str]:
    """Return the pages of holders and of what they hold by ARN, if the viewer can open them. Takes two
    queries.
    """
    arns = {entry.holder_arn for entry in entries}
    arns |= {entry.target for entry in entries if entry.target[:4] == "arn:"}
    if not arns:
        return {}
    entities = Entity.objects.filter(arn__in=arns, kind__in=list(PAGES), gone_at__isnull=True)
    rows = list(entities.values_list("arn", "pk", "kind", "account__account_id"))
    accounts = {row[3] for row in rows}
    openable: OpenableEntities = openable_in(viewer, account_ids=accounts, pks=[row[1] for row in rows])
    links = {}
    for arn, pk, kind, _ in rows:
        if pk in openable:
            links[arn] = reverse(PAGES[Kind(kind)], args=[pk])
    return links


def _entry(entry: LedgerEntry, links: dict[str, str], names: Mapping[str, str], *, plain: bool) -> EntryShown:
    """Return the entry; roles and policies created for the grant are their own holder."""
    name, stood = name_of(entry.holder_arn), entry.stood_before
    url = links.get(entry.holder_arn, "")
    if made := made_words(entry.sort, plain=plain):
        return EntryShown(made, "", name, entry.since, entry.until, stood, "", url)
    return EntryShown(
        names[entry.holder_arn],
        relation_words(entry.sort, plain=plain),
        name_of(entry.target),
        entry.since,
        entry.until,
        stood,
        url,
        links.get(entry.target, ""),
    )


def _counts(parts: Sequence[GrantPart]) -> list[tuple[str, StateMark, int]]:
    """Return (state, badge, number of accounts), failures first."""
    counts: dict[str, int] = {}
    for part in sorted(parts, key=lambda part: part.state not in (GrantState.FAILED, GrantState.PARTLY)):
        counts[part.state] = counts.get(part.state, 0) + 1
    return [(state, MARKS[state], count) for state, count in counts.items()]


def _set_up(parts: Sequence[GrantPart], hidden: Collection[str]) -> dict[int, datetime]:
    """Return when the last permission of each part was set up, by part ID."""
    rows = _entries(parts, hidden).filter(since__isnull=False).order_by()
    return dict(rows.values_list("part_id").annotate(at=Max("since")))
