"""Finds drift by comparing what was written to the mirror with Gatehouse's changes. Idempotent."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from iam.batches import batches
from iam.changes.drift.effect import effects_of, weight_of
from iam.changes.drift.mirror_history import EDGE, KINDS, STATE, TAGS, VERSION, ObservedSteps, happened_since
from iam.changes.drift.models import Drift, DriftState, DriftWatch
from iam.changes.drift.settings import ACCOUNT, SettingChange, settings_since
from iam.changes.models import Change, ChangeState
from iam.changes.operations import restore
from iam.changes.operations.account_setting import AccountSetting
from iam.mirror.models import Account, Cause, EdgeKind, Entity, UserCredentials
from iam.mirror.models.accounts import CHANGED_PULL, UPLOAD, AccountSource, Pull, PullState

CHUNK = 500
REPORT_AGE = timedelta(hours=12)
"""A credential report describes a state up to four hours old and is stored when it is read, so its rows are
matched by their dates alone.
"""
MAX_PULL = timedelta(days=1)
_DOING = (ChangeState.APPLYING, ChangeState.CONFIRMING, ChangeState.APPLIED, ChangeState.UNKNOWN)


def find_everywhere() -> int:
    """Check every account with writes since its last check. Returns the number of new drifts. One query if
    there are none.
    """
    # Rows from a credential report have no revision, so any sync that found something triggers a check.
    news = Pull.objects.filter(
        CHANGED_PULL,
        account=OuterRef("pk"),
        began_at__gt=datetime.now(tz=UTC) - MAX_PULL,
        ended_at__gt=OuterRef("drift_watch__looked_at"),
    )
    begun = Q(drift_watch__isnull=True) | Q(revision__gt=F("drift_watch__revision")) | Exists(news)
    accounts = Account.objects.filter(begun, removed_at__isnull=True).exclude(source=AccountSource.EXPORT)
    return sum(find(account) for account in accounts.order_by("pk"))


def find(account: Account) -> int:
    """Check what was written about an account since the last check. Returns the number of new drifts."""
    watch = _watch(account)
    if watch is None:
        return 0
    began = datetime.now(tz=UTC)
    # Read before the entities: rows written meanwhile have a higher revision and are checked next time.
    revision = Account.objects.values_list("revision", flat=True).get(pk=account.pk)
    made = _keep_settings(account, settings_since(account, since=watch.since))
    for chunk in _written_things(watch, account=account):
        made += _keep(account, happened_since(chunk, since=watch.since))
    DriftWatch.objects.filter(pk=watch.pk, revision__lte=revision).update(revision=revision, looked_at=began)
    return made


def _watch(account: Account) -> DriftWatch | None:
    """The progress of drift detection in an account, created after its first complete sync; None before."""
    watch = DriftWatch.objects.filter(pk=account.pk).first()
    if watch is not None:
        return watch
    read = Pull.objects.filter(account=account, state__in=[PullState.COMPLETE, PullState.PARTIAL])
    first = read.exclude(trigger=UPLOAD).filter(ended_at__isnull=False).order_by("ended_at").first()
    if first is None or first.ended_at is None:
        return None
    # Differences between the first sync and an earlier upload are not drift.
    made, _ = DriftWatch.objects.get_or_create(account=account, defaults={"since": first.ended_at})
    return made


def _written_things(watch: DriftWatch, *, account: Account) -> Iterator[Sequence[int]]:
    """The primary keys of the entities that were written, in batches."""
    rows = Entity.objects.filter(account=account, revision__gt=watch.revision)
    owners = {owner or pk for pk, owner in rows.values_list("pk", "owner_id").iterator(chunk_size=5000)}
    credentials = UserCredentials.objects.filter(
        account=account, after__isnull=False, cause_kind=Cause.UNKNOWN
    ).filter(valid_from__gt=(watch.looked_at or watch.since) - REPORT_AGE)
    owners.update(credentials.values_list("user_id", flat=True))
    return batches(sorted(owners), CHUNK)


def _keep(account: Account, events: Collection[ObservedSteps]) -> int:
    reported = [event for event in events if event.entity.kind in KINDS and event.events()]
    known = set(
        Drift.objects.filter(entity__in={event.entity.pk for event in reported}).values_list(
            "entity_id", "seen_at"
        )
    )
    fresh = [event for event in reported if (event.entity.pk, event.when) not in known]
    rows = [_row(account, event) for event in fresh]
    open_ones = {(row.entity_id, row.seen_at) for row in rows if row.state == DriftState.OPEN}
    effects = effects_of(event for event in fresh if (event.entity.pk, event.when) in open_ones)
    _weigh_again(
        event for event in reported if (event.entity.pk, event.when) in known and event.has_late_steps
    )
    for row in rows:
        row.impact = effects.get((row.entity_id or 0, row.seen_at), {})
        row.weight = weight_of(row.impact)
    Drift.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def _weigh_again(events: Iterable[ObservedSteps]) -> None:
    """Recompute the risk of open drifts when related data, such as a key, was read after they were found."""
    for event in events:
        drift = Drift.objects.filter(entity=event.entity, seen_at=event.when, state=DriftState.OPEN).first()
        if drift is not None:
            drift.impact = effects_of([event]).get((event.entity.pk, event.when), {})
            drift.weight = weight_of(drift.impact)
            drift.save(update_fields=["impact", "weight"])


def _keep_settings(account: Account, settings_changed: Collection[SettingChange]) -> int:
    known = set(Drift.objects.filter(account=account, kind=ACCOUNT).values_list("fact", "seen_at"))
    fresh = [setting for setting in settings_changed if (setting.fact, setting.when) not in known]
    rows = [_setting_row(account, setting) for setting in fresh]
    Drift.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def _setting_row(account: Account, changed: SettingChange) -> Drift:
    row = Drift(account=account, fact=changed.fact, kind=ACCOUNT, seen_at=changed.when, after=changed.after)
    of_account = Change.objects.filter(account=account, subject_kind=ACCOUNT)
    return _explained(row, _sent(of_account, when=changed.when, after=changed.after, fact=changed.fact))


def _row(account: Account, happened: ObservedSteps) -> Drift:
    row = Drift(
        account=account,
        entity=happened.entity,
        kind=happened.entity.kind,
        seen_at=happened.when,
        after=happened.after,
    )
    return _explained(row, _explanation(happened))


def _explained(row: Drift, change: Change | None) -> Drift:
    if change is not None:
        row.state, row.change_set_id = DriftState.EXPLAINED, change.change_set_id
        row.decided_at = datetime.now(tz=UTC)
    return row


def _explanation(happened: ObservedSteps) -> Change | None:
    """The change whose effect a sync saw before the change itself was confirmed.

    It must be the only thing that happened, with the intended result.
    """
    entity = happened.entity
    if _is_made(happened):
        # What a change creates has no row in the mirror before it is confirmed.
        of_it = Change.objects.filter(account=entity.account_id, subject_arn=entity.arn)
    elif len(happened.events()) <= 1 or set(happened.steps) == {VERSION}:
        of_it = Change.objects.filter(entity=entity)
    else:
        return None
    return _sent(of_it, when=happened.when, after=happened.after)


def _is_made(happened: ObservedSteps) -> bool:
    """True if the entity was created with only what the creating call sets: path, trust policy, text, tags
    and boundary.
    """
    if not any(step.old is None for step in happened.steps.get(STATE, ())):
        return False
    for step in happened.steps.get(EDGE, ()):
        if step.new is None or step.new.kind != EdgeKind.BOUNDARY:
            return False
    created_with = (STATE, TAGS, VERSION, EDGE)
    own_steps = {name: steps for name, steps in happened.steps.items() if name in created_with}
    own_events = ObservedSteps(happened.entity, happened.when, own_steps).events()
    return len(own_events) == len(happened.events())


def _sent(
    changes: QuerySet[Change], *, when: datetime, after: datetime | None, fact: str = ""
) -> Change | None:
    """The last of these changes sent between the two times, if the current state is what it intended.

    `fact` is the account setting that it must concern.
    """
    sent = changes.filter(sent_at__lte=when, state__in=_DOING).select_related("account")
    if after is not None:
        sent = sent.filter(sent_at__gt=after)
    for change in sent.order_by("-sent_at")[:5]:
        operation = restore(change.operation, account=change.account, params=change.params)
        shown = operation.state_in_mirror()
        is_it = not fact or (isinstance(operation, AccountSetting) and operation.fact == fact)
        if is_it and shown is not None and operation.satisfied(shown):
            return change
    return None
