"""Writes the rows of a campaign in batches in a worker. Resumable: nothing is lost or written twice."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from iam.access.administrators import administrators
from iam.activity.first_calls import accounts_with_events
from iam.audit.reviews.duties import SodTerms, active_rules, breakers
from iam.audit.reviews.models import ReviewCampaign, ReviewItem
from iam.audit.reviews.reviewers import ReviewerChoice, TeamBook
from iam.audit.reviews.roster_rows import ReviewRoster, rows_of
from iam.audit.reviews.terms import ReviewTerms
from iam.batches import batches
from iam.changes.errors import RefusedError
from iam.directory.models import Team
from iam.mirror.models import Account, Entity, Kind, Section, SectionState
from iam.mirror.pull.sections import AUTHORIZATION
from iam.mirror.snapshot import snapshot
from iam.people.runs.models import RunState

BATCH: Final = 250
"""The number of users and roles per transaction."""
KINDS: Final = (Kind.USER, Kind.ROLE)


def accounts_of(terms: ReviewTerms) -> list[Account]:
    """The connected accounts of a campaign, by name."""
    rows = Account.objects.filter(removed_at__isnull=True)
    if terms.accounts:
        rows = rows.filter(account_id__in=terms.accounts)
    return list(rows.order_by("name", "pk"))


def why_not_open(accounts: list[Account]) -> str:
    """Return why the accounts' administrators are unknown and what to do; "" if they are known."""
    complete = set(
        Section.objects.filter(
            account__in=accounts, name__in=AUTHORIZATION, state=SectionState.COMPLETE
        ).values_list("account_id", "name")
    )
    missing = []
    for account in accounts:
        sections = [name for name in AUTHORIZATION if (account.pk, name) not in complete]
        if sections:
            missing.append(f"{account.name} ({', '.join(sections)})")
    if not missing:
        return ""
    return (
        "Gatehouse can’t tell who the administrators are, because these weren’t fully synced: "
        f"{'; '.join(missing)}. Sync them under Accounts, or leave these accounts out, then open it again."
    )


def write_rows(campaign: ReviewCampaign) -> None:
    """Write the remaining rows. Raises RefusedError, and writes nothing, if the administrators are
    unknown.
    """
    terms = ReviewTerms.from_json(campaign.terms)
    accounts = accounts_of(terms)
    if not accounts:
        raise RefusedError("None of its accounts is connected.")
    if why := why_not_open(accounts):
        raise RefusedError(why)
    roster = _roster(campaign, terms, accounts)
    entities = Entity.objects.filter(account__in=accounts, kind__in=KINDS, gone_at__isnull=True)
    members = _members(roster, terms)
    if members is None:
        while batch := list(
            entities.filter(pk__gt=campaign.cursor).select_related("account").order_by("pk")[:BATCH]
        ):
            _write(roster, batch)
    else:
        left = sorted(number for number in members if number > campaign.cursor)
        for numbers in batches(left, BATCH):
            batch = list(entities.filter(pk__in=numbers).select_related("account").order_by("pk"))
            if batch:
                _write(roster, batch)
    now = datetime.now(tz=UTC)
    _still_opening(campaign).update(is_complete=True, opened_at=now, facts=_facts(roster, accounts))
    campaign.refresh_from_db()


def _still_opening(campaign: ReviewCampaign) -> QuerySet[ReviewCampaign]:
    return ReviewCampaign.objects.filter(pk=campaign.pk, state=RunState.SUBMITTING)


def _write(roster: ReviewRoster, batch: list[Entity]) -> None:
    """Write a batch and the progress. `asked_at` shows other workers that one is at work."""
    campaign = roster.campaign
    with transaction.atomic():
        campaign.cursor = batch[-1].pk
        values = {"cursor": campaign.cursor, "asked_at": datetime.now(tz=UTC)}
        if not _still_opening(campaign).update(**values):
            raise RefusedError("It was cancelled meanwhile.")
        ReviewItem.objects.bulk_create(rows_of(roster, batch), batch_size=400, ignore_conflicts=True)


def _members(roster: ReviewRoster, terms: ReviewTerms) -> frozenset[int] | None:
    """The users of the campaign's teams; None for everyone."""
    if not terms.teams:
        return None
    numbers: set[int] = set()
    for team in Team.objects.filter(slug__in=terms.teams):
        numbers |= roster.teams.members.get(team.pk, frozenset())
    return frozenset(numbers)


def _roster(campaign: ReviewCampaign, terms: ReviewTerms, accounts: list[Account]) -> ReviewRoster:
    """Load what all rows share. Raises RefusedError if the index lacks an account with users or roles."""
    connected = Account.objects.filter(removed_at__isnull=True)
    revisions = dict(connected.values_list("account_id", "revision"))
    known: set[int] = set()
    for account in accounts:
        known |= administrators(revisions, account=account.account_id).keys()
    rules = [(rule.name, SodTerms.from_json(rule.terms)) for rule in active_rules()]
    broken: dict[int, list[tuple[str, SodTerms]]] = defaultdict(list)
    if rules:
        with snapshot(None, accounts={account.account_id for account in accounts}) as index:
            for account in accounts:
                for name, terms_of_rule in rules:
                    for number in breakers(index, account.account_id, terms_of_rule):
                        broken[number].append((name, terms_of_rule))
    book = TeamBook.read()
    return ReviewRoster(
        campaign=campaign,
        terms=terms,
        administrators=frozenset(known),
        broken=broken,
        recorded=accounts_with_events([account.pk for account in accounts]),
        known=frozenset(revisions),
        teams=book,
        choice=ReviewerChoice(campaign, terms, book),
    )


def _facts(roster: ReviewRoster, accounts: list[Account]) -> dict[str, object]:
    """Return facts about the review as it was opened, for its pages and evidence."""
    rows = roster.campaign.rows
    return {
        "accounts": [account.account_id for account in accounts],
        "rows": rows.count(),
        "subjects": rows.values("entity_id").distinct().count(),
        "administrators": rows.filter(is_administrator=True).values("entity_id").distinct().count(),
        "unassigned": rows.filter(reviewer_id__isnull=True).count(),
        "unable": roster.choice.unable,
    }
