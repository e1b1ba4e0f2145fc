"""Builds the rows of users and roles: subject, access, last use, reasons and peers. A fixed, small number of
queries.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import F, Max
from django.utils import timezone

from iam.access.grants.models import LedgerEntry
from iam.access.own_principals import concerned_by_arn
from iam.activity.callers import ROLE, USER
from iam.activity.models import CallerDay, TrailCaller
from iam.audit.reviews.access_texts import AccessTexts, PolicyBook, words_of
from iam.audit.reviews.duties import SodTerms
from iam.audit.reviews.models import (
    AccessSort,
    ReviewAccess,
    ReviewCampaign,
    ReviewItem,
    ReviewScope,
    SubjectKind,
    UseState,
)
from iam.audit.reviews.reviewers import ReviewerChoice, TeamBook
from iam.audit.reviews.terms import UNUSED_DAYS, ReviewTerms
from iam.batches import batches
from iam.directory.models import Person
from iam.linking.ownership import UserOwnership, owners_of
from iam.mirror.display_names import names_by_entity
from iam.mirror.models import (
    Edge,
    EdgeKind,
    Entity,
    EntityState,
    InlinePolicy,
    Kind,
    UserCredentials,
    valid_at,
)
from iam.people.runs.models import RunState

NUMBER: Final = re.compile(r"\b\d{12}\b")
SORTS: Final = {EdgeKind.MEMBER.value: AccessSort.MEMBER, EdgeKind.ATTACHED.value: AccessSort.ATTACHED}
Uses = dict[str, datetime]


@dataclass(slots=True)
class ReviewedAccess:
    """One access of one user or role. `compared` is the key that the same access of a peer has as well."""

    entity: Entity
    sort: AccessSort
    target: str
    name: str
    target_entity: int | None
    access: AccessTexts
    since: datetime
    compared: str


@dataclass(slots=True)
class SubjectFacts:
    """The subject of an access: its kind, owner and reviewer."""

    kind: SubjectKind
    owner: UserOwnership
    reviewer: Person | None


@dataclass(slots=True)
class ReviewRoster:
    """The data that all rows of a campaign share.

    `administrators` and `broken` (broken rules by primary key) cover all its accounts. `recorded` are the
    accounts with known events, `known` the connected accounts.
    """

    campaign: ReviewCampaign
    terms: ReviewTerms
    administrators: frozenset[int]
    broken: dict[int, list[tuple[str, SodTerms]]]
    recorded: frozenset[int]
    known: frozenset[str]
    teams: TeamBook
    choice: ReviewerChoice
    policies: PolicyBook = field(default_factory=PolicyBook)
    access_ids: dict[str, int] = field(default_factory=dict)
    _peers: dict[int, tuple[Counter[int], Counter[tuple[int, str, str]]]] = field(default_factory=dict)

    def peers(self, team: int) -> tuple[Counter[int], Counter[tuple[int, str, str]]]:
        """The number of a team's users by account, and how many of them have an access."""
        if team not in self._peers:
            self._peers[team] = _counted(self.teams.members[team])
        return self._peers[team]


def rows_of(roster: ReviewRoster, entities: Sequence[Entity]) -> list[ReviewItem]:
    """The unsaved rows of the campaign for these users and roles; their accesses are saved."""
    subjects = _subjects(roster, entities)
    chosen = [entity for entity in entities if entity.pk in subjects]
    holding = _held(roster, chosen)
    reasons = _reasons(chosen)
    uses = _uses(chosen)
    names = names_by_entity(chosen)
    reviewed = _reviewed(chosen) if roster.terms.which == ReviewScope.CHANGED else {}
    rows: list[ReviewItem] = []
    keys: list[str] = []
    accesses: dict[str, tuple[AccessTexts, str]] = {}
    for each in holding:
        why = reasons.get((each.entity.pk, each.sort.value, each.target), [])
        if roster.terms.templates and not any(reason["template"] in roster.terms.templates for reason in why):
            continue
        state, last = _use_of(roster, each, uses.get(each.entity.pk, {}))
        if not _is_asked(roster, each, state, last, reviewed):
            continue
        account = each.entity.account.account_id
        key = each.access.key(account)
        accesses.setdefault(key, (each.access, account))
        keys.append(key)
        subject, name = subjects[each.entity.pk], names[each.entity.pk]
        rows.append(_row(roster, each, subject, name=name, why=why, use=(state, last)))
    _write_accesses(roster, accesses)
    for row, key in zip(rows, keys, strict=True):
        row.access_id = roster.access_ids[key]
    return rows


def _is_asked(
    roster: ReviewRoster,
    holding: ReviewedAccess,
    state: UseState,
    last: datetime | None,
    reviewed: dict[tuple[int, str, str], datetime],
) -> bool:
    """True if the scope of the campaign includes the access."""
    which = roster.terms.which
    if which == ReviewScope.UNUSED:
        since = timezone.now() - timedelta(days=UNUSED_DAYS)
        return state is UseState.UNKNOWN or last is None or last < since
    if which == ReviewScope.CHANGED:
        before = reviewed.get((holding.entity.pk, holding.sort.value, holding.target))
        changed = max(filter(None, (holding.since, holding.access.changed_at)))
        return before is None or changed > before
    return True


def _row(
    roster: ReviewRoster,
    holding: ReviewedAccess,
    subject: SubjectFacts,
    *,
    name: str,
    why: list[dict[str, Any]],
    use: tuple[UseState, datetime | None],
) -> ReviewItem:
    entity, owner = holding.entity, subject.owner
    peers = _peers_of(roster, holding)
    return ReviewItem(
        campaign=roster.campaign,
        account_id=entity.account_id,
        entity=entity,
        subject_kind=subject.kind,
        subject=entity.name,
        **_person(owner.person, login=entity.name, name=name),
        is_administrator=entity.pk in roster.administrators,
        sort=holding.sort,
        target=holding.target,
        target_name=holding.name,
        target_entity_id=holding.target_entity,
        since=holding.since,
        use=use[0],
        last_used_at=use[1],
        why=why,
        peers_of=peers[0],
        peers=peers[1],
        peers_with=peers[2],
        sod=_broken_rules(roster, holding),
        **_reviewer(subject.reviewer),
    )


def _person(person: Person | None, *, login: str, name: str) -> dict[str, Any]:
    """The person behind a user, or the name in the tags of an unmatched user."""
    if person is not None:
        return {"person_id": person.pk, "person_name": person.name}
    return {"person_name": name[:128]} if name != login else {}


def _reviewer(person: Person | None) -> dict[str, Any]:
    return {} if person is None else {"reviewer_id": person.pk, "reviewer_name": person.name}


def _broken_rules(roster: ReviewRoster, holding: ReviewedAccess) -> list[str]:
    """The rules that the user or role breaks and that this access contributes to."""
    names = []
    for name, terms in roster.broken.get(holding.entity.pk, ()):
        if any(roster.policies.allows(holding.access, action) for action in (*terms.first, *terms.second)):
            names.append(name)
    return names


def _subjects(roster: ReviewRoster, entities: Sequence[Entity]) -> dict[int, SubjectFacts]:
    """The users and roles that the campaign covers."""
    now = valid_at(None)
    users = [entity for entity in entities if entity.kind == Kind.USER]
    roles = [entity for entity in entities if entity.kind == Kind.ROLE]
    credentials = UserCredentials.objects.filter(now, user__in=users)
    passwords = dict(credentials.values_list("user_id", "has_password"))
    states = EntityState.objects.filter(now, entity__in=roles)
    trusts = {
        number: (category, text or "")
        for number, category, text in states.values_list("entity_id", "category", "document__text")
    }
    owners, concerned = owners_of(users), concerned_by_arn(users)
    subjects: dict[int, SubjectFacts] = {}
    for entity in entities:
        kind: SubjectKind | None
        if entity.kind == Kind.USER:
            owner = owners[entity.pk]
            # Assume a person if it is unknown whether the user has a password.
            is_machine = owner.person is None and passwords.get(entity.pk) is False
            kind = SubjectKind.MACHINE if is_machine else SubjectKind.PERSON
        else:
            owner, kind = UserOwnership(), _role_kind(roster, *trusts.get(entity.pk, ("", "")))
        if kind is None or (roster.terms.kinds and kind not in roster.terms.kinds):
            continue
        reviewer = roster.choice.choose(entity, concerned.get(entity.arn, frozenset()))
        subjects[entity.pk] = SubjectFacts(kind, owner, reviewer)
    return subjects


def _role_kind(roster: ReviewRoster, category: str, trust: str) -> SubjectKind | None:
    """The kind of a role; None for roles that only AWS can change."""
    if category == "service-linked":
        return None
    if category.startswith("service:") or category == "oidc":
        return SubjectKind.WORKLOAD
    if category == "any":
        return SubjectKind.THIRD_PARTY
    if category == "cross-account" and set(NUMBER.findall(trust)) - roster.known:
        return SubjectKind.THIRD_PARTY
    return SubjectKind.ROLE


def _held(roster: ReviewRoster, entities: Sequence[Entity]) -> Iterator[ReviewedAccess]:
    """Each group, managed policy and inline policy, in the order of the users and roles."""
    now = valid_at(None)
    by_entity: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    edges = Edge.objects.filter(now, source__in=entities, kind__in=list(SORTS)).order_by("target__name", "pk")
    tied = list(
        edges.values_list("source_id", "kind", "target_id", "target__arn", "target__name", "valid_from")
    )
    for source, *rest in tied:
        by_entity[source].append(tuple(rest))
    roster.policies.read_groups(target for _, kind, target, *_ in tied if kind == EdgeKind.MEMBER)
    roster.policies.read_policies(target for _, kind, target, *_ in tied if kind == EdgeKind.ATTACHED)
    inline: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    rows = InlinePolicy.objects.filter(now, owner__in=entities).order_by("name")
    for owner, *of_policy in rows.values_list(
        "owner_id", "name", "document_id", "document__text", "valid_from"
    ):
        inline[owner].append(tuple(of_policy))
    for entity in entities:
        for kind, target, arn, name, since in by_entity[entity.pk]:
            sort = SORTS[kind]
            known: Callable[[int], AccessTexts] = roster.policies.policy
            if sort is AccessSort.MEMBER:
                known = roster.policies.group
            yield ReviewedAccess(entity, sort, arn, name, target, known(target), since, str(target))
        for name, digest, text, since in inline[entity.pk]:
            access = AccessTexts({digest: text}, changed_at=since)
            yield ReviewedAccess(entity, AccessSort.INLINE, name, name, None, access, since, digest)


def _reasons(entities: Sequence[Entity]) -> dict[tuple[int, str, str], list[dict[str, Any]]]:
    """The grants that are reasons for an access today. One query."""
    entries = LedgerEntry.objects.filter(entity__in=entities, since__isnull=False, until__isnull=True)
    reasons: dict[tuple[int, str, str], list[dict[str, Any]]] = defaultdict(list)
    for entry in entries.select_related("part__grant", "target_entity").order_by("since", "pk"):
        grant = entry.part.grant
        target = entry.target_entity.arn if entry.target_entity else entry.target
        reasons[entry.entity_id or 0, entry.sort, target].append(
            {
                "grant": str(grant.pk),
                "title": grant.title,
                "requested_by": grant.requested_label,
                "template": grant.template,
                "stood_before": entry.stood_before,
            }
        )
    return reasons


def _uses(entities: Sequence[Entity]) -> dict[int, Uses]:
    """The last call of each action that was not denied, by primary key. Two queries."""
    by_id = {entity.aws_id: entity.pk for entity in entities}
    callers = TrailCaller.objects.filter(unique_id__in=by_id, kind__in=(USER, ROLE))
    numbers = {pk: by_id[unique_id] for pk, unique_id in callers.values_list("pk", "unique_id")}
    uses: dict[int, Uses] = defaultdict(dict)
    if not numbers:
        return uses
    days = CallerDay.objects.filter(caller__in=numbers, calls__gt=F("denied"))
    sums = days.values("caller_id", "service", "action").annotate(last=Max("last_at"))
    for caller, service, action, last in sums.values_list("caller_id", "service", "action", "last"):
        of_entity, name = uses[numbers[caller]], f"{service}:{action}"
        of_entity[name] = max(last, of_entity.get(name, last))
    return uses


def _use_of(roster: ReviewRoster, holding: ReviewedAccess, uses: Uses) -> tuple[UseState, datetime | None]:
    """The last call that the access allows. Unknown without a trail, or if policies aren't synced."""
    if holding.entity.account_id not in roster.recorded:
        return UseState.UNKNOWN, None
    moments = [at for action, at in uses.items() if roster.policies.allows(holding.access, action)]
    if moments:
        return UseState.USED, max(moments)
    return (UseState.UNKNOWN if holding.access.unread else UseState.UNUSED), None


def _peers_of(roster: ReviewRoster, holding: ReviewedAccess) -> tuple[str, int, int]:
    """Return the name of the user's smallest team, the number of its other users in the account, and how many
    of them have the access.
    """
    teams = roster.teams.teams_of.get(holding.entity.pk, ())
    if not teams:
        return "", 0, 0
    team = min(teams, key=lambda each: len(roster.teams.members[each.pk]))
    users, having = roster.peers(team.pk)
    account = holding.entity.account_id
    with_it = having[account, holding.sort.value, holding.compared]
    return team.name, max(0, users[account] - 1), max(0, with_it - 1)


def _counted(members: frozenset[int]) -> tuple[Counter[int], Counter[tuple[int, str, str]]]:
    """Return the number of a team's users by account, and how many of them have each access."""
    users: Counter[int] = Counter()
    having: Counter[tuple[int, str, str]] = Counter()
    ordered = sorted(members)
    for numbers in batches(ordered, 500):
        users.update(Entity.objects.filter(pk__in=numbers).values_list("account_id", flat=True))
        edges = Edge.objects.filter(valid_at(None), source__in=numbers, kind__in=list(SORTS))
        for account, kind, target in edges.values_list("account_id", "kind", "target_id"):
            having[account, SORTS[kind].value, str(target)] += 1
        inline = InlinePolicy.objects.filter(valid_at(None), owner__in=numbers)
        for account, digest in inline.values_list("account_id", "document_id"):
            having[account, AccessSort.INLINE.value, digest] += 1
    return users, having


def _reviewed(entities: Sequence[Entity]) -> dict[tuple[int, str, str], datetime]:
    """Return when the last finished review that kept each access was opened, by primary key, sort and target.
    One query.
    """
    rows = ReviewItem.objects.filter(entity__in=entities, campaign__state=RunState.DONE, decision="keep")
    last = rows.values("entity_id", "sort", "target").annotate(at=Max("campaign__opened_at"))
    return {
        (number, sort, target): at
        for number, sort, target, at in last.values_list("entity_id", "sort", "target", "at")
    }


def _write_accesses(roster: ReviewRoster, accesses: dict[str, tuple[AccessTexts, str]]) -> None:
    """Save new accesses. Accesses that another process saved meanwhile are kept."""
    new = {key: each for key, each in accesses.items() if key not in roster.access_ids}
    if not new:
        return
    rows = []
    for key, (access, account_id) in new.items():
        words = words_of(access, account_id=account_id)
        rows.append(
            ReviewAccess(
                campaign=roster.campaign,
                key=key,
                lines=list(words.lines),
                more=words.more,
                warning=words.warning,
                unread=access.unread,
                texts=sorted(access.texts.values()),
            )
        )
    ReviewAccess.objects.bulk_create(rows, batch_size=200, ignore_conflicts=True)
    for batch in batches(rows, 500):
        keys = [row.key for row in batch]
        written = ReviewAccess.objects.filter(campaign=roster.campaign, key__in=keys)
        roster.access_ids |= dict(written.values_list("key", "pk"))
