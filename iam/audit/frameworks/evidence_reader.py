"""Loads the data that requirements are judged by: findings, scope and records of an account, and facts about
Gatehouse.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db.models import Exists, OuterRef

from iam.activity.callers import USER
from iam.activity.models import CallerAddress, TrailEvent
from iam.activity.sources.covered_accounts import CoverageGrade, covered_accounts
from iam.audit.findings import calculation
from iam.audit.findings.models import AuditFinding, FindingCertainty, FindingRun, FindingStatus
from iam.audit.findings.rules import all_rules
from iam.audit.frameworks.checks.case import AccountRecords, InstallationFacts, ReviewFact
from iam.audit.frameworks.evaluation import FindingRef
from iam.audit.frameworks.terms import ALL_ARNS, ScopedArns, ScopeTerms
from iam.audit.reviews.latest import latest_reviews
from iam.changes.drift.models import Drift, DriftWatch
from iam.changes.models import Approval, Change, ChangeState, Decision
from iam.directory.models import Identity
from iam.mirror.models import (
    Account,
    AccountFact,
    EntityState,
    Kind,
    Section,
    SectionState,
    TagSet,
    valid_at,
)
from iam.mirror.pull.sections import ROOT_ACCESS
from iam.people.offboarding.models import Leaver, OffboardingStage
from iam.people.replacing.models import DeviceReplacement, ReplacementState

SCOPED_KINDS: Final = (Kind.USER, Kind.GROUP, Kind.ROLE, Kind.POLICY)
YEAR: Final = timedelta(days=365)
EVENT_DAYS: Final = timedelta(days=30)
PROVED_WITHIN: Final = timedelta(days=1)
COUNTED_EVENTS: Final = 1000
"""Counting stops here, because the checks only need to know if there are any events."""
FindingColumns = tuple[int | str, str, str, str, str, Any]


def scoped_arns(account: Account, terms: ScopeTerms, *, at: datetime | None) -> ScopedArns:
    """The users, groups, roles and policies of an account that belong to a scope."""
    if not terms.is_narrowed:
        return ALL_ARNS
    states = EntityState.objects.filter(valid_at(at), account=account, kind__in=SCOPED_KINDS)
    tags: dict[int, Mapping[str, str]] = {}
    if terms.tags:
        tagged = TagSet.objects.filter(valid_at(at), account=account)
        tags = dict(tagged.values_list("entity_id", "tags"))
    arns = set()
    for entity, arn, path in states.values_list("entity_id", "arn", "path").iterator():
        if terms.covers(path, tags.get(entity, {})):
            arns.add(arn)
    return ScopedArns(frozenset(arns))


def current_findings(account: Account) -> tuple[list[FindingColumns], frozenset[str]]:
    """The unfixed findings of an account, and the kinds that could not be judged.

    Accepted findings count, because no standard recognizes acceptance.
    """
    run = FindingRun.objects.filter(account=account).first()
    if run is None or run.calculated_at is None:
        return [], frozenset(all_rules())
    rows = AuditFinding.objects.filter(account=account).exclude(status=FindingStatus.FIXED)
    columns = ("pk", "key", "kind", "subject", "certainty", "related")
    findings, unread = [], set(run.unread)
    for *values, unread_since in rows.order_by("place", "pk").values_list(*columns, "unread_since"):
        if unread_since:
            unread.add(values[2])
            values[4] = FindingCertainty.CONDITIONAL
        findings.append(tuple(values))
    return findings, frozenset(unread)


def past_findings(account: Account, at: datetime) -> tuple[list[FindingColumns], frozenset[str]]:
    """Return the same for a past moment, by today's rules."""
    computed = calculation.computed_of(account, at=at)
    kept = AuditFinding.objects.filter(account=account, key__in=computed.findings)
    numbers = dict(kept.values_list("key", "pk"))
    findings: list[FindingColumns] = []
    for finding in computed.findings.values():
        values = finding.values
        findings.append(
            (
                numbers.get(finding.key, finding.key),
                finding.key,
                finding.kind,
                values["subject"],
                values["certainty"],
                values["related"],
            )
        )
    unread = set(computed.unread)
    unread.update(kind for kind, _ in computed.unread_subjects)
    return findings, frozenset(unread)


def refs_in(findings: Collection[FindingColumns], arns: ScopedArns) -> Iterator[FindingRef]:
    """The findings that belong to a scope."""
    for number, key, kind, subject, certainty, related in findings:
        if arns.has_finding(subject, related):
            yield FindingRef(number, key, kind, certainty == FindingCertainty.CONFIRMED)


def reviews_of(entities: Collection[int], *, now: datetime) -> dict[int, ReviewFact]:
    """The last finished review, by a moment, of each reviewed user and role."""
    reviews = {}
    for number, review in latest_reviews(entities, at=now).items():
        reviews[number] = ReviewFact(review.name, review.at, review.acknowledged_by, review.reference)
    return reviews


def records_of(
    account: Account,
    *,
    now: datetime,
    unconnected: tuple[str, ...] = (),
    entities: Collection[int] = (),
    is_past: bool = False,
) -> AccountRecords:
    """What Gatehouse itself knows of an account, its users and roles, by a moment."""
    sections = Section.objects.filter(account=account, observed_at__isnull=False)
    linked = Identity.objects.filter(user_arn__contains=f":{account.account_id}:", linked_at__lte=now)
    approved = Approval.objects.filter(change_set=OuterRef("change_set"), decision=Decision.APPROVE)
    changes = Change.objects.filter(
        account=account, state=ChangeState.APPLIED, created_at__range=(now - YEAR, now)
    )
    open_drifts = None
    if DriftWatch.objects.filter(account=account).exists():
        drifts = Drift.objects.filter(account=account, found_at__lte=now).exclude(decided_at__lte=now)
        open_drifts = drifts.filter(state="open").count()
    events = TrailEvent.objects.filter(account_id=account.account_id, at__range=(now - EVENT_DAYS, now))
    coverage, networks = None, None
    if not is_past:
        numbers = [account.account_id]
        coverage = covered_accounts(numbers, since=now - EVENT_DAYS, now=now).get(account.account_id)
    # Unknown for a past moment, because only an address's last use is stored.
    if coverage is not None:
        networks = _networks(account, now=now)
    return AccountRecords(
        synced_at={section.name: section.observed_at for section in sections if section.observed_at},
        linked=frozenset(linked.values_list("user_arn", flat=True)),
        changes=changes.count(),
        unapproved=changes.filter(~Exists(approved)).count(),
        open_drifts=open_drifts,
        events=events.order_by()[:COUNTED_EVENTS].count(),
        denied_events=events.filter(is_denied=True).order_by()[:COUNTED_EVENTS].count(),
        unconnected=unconnected,
        reviews=reviews_of(entities, now=now),
        root_features=_root_features(account, now=now),
        networks=networks,
        are_networks_complete=coverage == CoverageGrade.COMPLETE,
    )


def _networks(account: Account, *, now: datetime) -> dict[str, frozenset[str]]:
    """The addresses from which each user called in the last 30 days, by unique ID."""
    since = now - EVENT_DAYS
    rows = CallerAddress.objects.filter(
        caller__account_id=account.account_id, caller__kind=USER, last_at__gte=since
    )
    addresses: dict[str, set[str]] = {}
    for unique_id, address in rows.values_list("caller__unique_id", "address"):
        addresses.setdefault(unique_id, set()).add(address)
    return {unique_id: frozenset(own) for unique_id, own in addresses.items()}


def _root_features(account: Account, *, now: datetime) -> tuple[str, ...] | None:
    """The features of central root access enabled by a moment, as reported to the management account or IAM's
    delegated administrator.

    None if unknown.
    """
    facts = AccountFact.objects.filter(
        valid_at(now),
        name=ROOT_ACCESS,
        account__organization_id=account.organization_id,
        account__removed_at__isnull=True,
        account__sections__name=ROOT_ACCESS,
        account__sections__state=SectionState.COMPLETE,
    )
    values = facts.order_by("-observed_at").values_list("value", flat=True)
    known = [value for value in values if value is not None]
    return tuple(known[0]["EnabledFeatures"]) if known and account.organization_id else None


def unconnected_accounts(at: datetime | None) -> tuple[str, ...]:
    """Return the IDs of accounts that are listed in organizations but not connected."""
    connected = set(Account.objects.filter(removed_at__isnull=True).values_list("account_id", flat=True))
    listed = EntityState.objects.filter(valid_at(at), kind=Kind.ORG_ACCOUNT, account__removed_at__isnull=True)
    return tuple(sorted(set(listed.values_list("entity__aws_id", flat=True)) - connected))


def installation_facts(*, now: datetime, is_past: bool) -> InstallationFacts:
    """What Gatehouse knows of itself by a moment; settings have no history."""
    idle = failures = minutes = None
    if not is_past:
        idle, failures, minutes = settings.IDLE_MINUTES, settings.LOCK_FAILURES, settings.LOCK_MINUTES
    leavers = Leaver.objects.filter(began_at__range=(now - YEAR, now), run__is_suspension=False)
    late = leavers.filter(began_at__lt=now - PROVED_WITHIN).exclude(proved_at__lte=now)
    late = late.filter(stage__in=(OffboardingStage.CLOSING, OffboardingStage.OPEN))
    replaced = DeviceReplacement.objects.filter(
        state=ReplacementState.CHECKED, decided_at__range=(now - YEAR, now)
    )
    unverified = [row.person.name for row in replaced.select_related("person") if not row.checked_how]
    return InstallationFacts(
        now=now,
        idle_minutes=idle,
        lock_failures=failures,
        lock_minutes=minutes,
        offboardings=leavers.count(),
        slow_offboardings=tuple(late.order_by("began_at").values_list("name", flat=True)),
        replacements=replaced.count(),
        unverified_replacements=tuple(unverified),
    )
