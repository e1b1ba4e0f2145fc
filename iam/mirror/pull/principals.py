"""Applies the principals in one transaction: users, groups, roles and policies with their credentials,
devices and last use.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Model

from iam.aws.reads.credential_report import ReadReport
from iam.aws.records import RoleListing, UserListing, VirtualMfaDeviceRecord
from iam.mirror.models import Document, Entity, Kind, Usage
from iam.mirror.pull import bulk, temporal
from iam.mirror.pull.account_facts import load_facts, root_facts
from iam.mirror.pull.apply import ApplyResult, apply_parts
from iam.mirror.pull.authorization import BulkAuthorization, is_virtual_device, parts_of
from iam.mirror.pull.credentials import (
    EvidenceTimes,
    LoadedReport,
    creation_times,
    derive,
    key_uses,
    match_report,
)
from iam.mirror.pull.entity_cache import EntityCache, EntityRow
from iam.mirror.pull.facts import ObservationTimes, PartOutcome, SectionPart
from iam.mirror.pull.job import PullJob, SectionReading
from iam.mirror.pull.sections import (
    AUTHORIZATION,
    CREDENTIAL_REPORT,
    MFA_DEVICES,
    ROLE_LIST,
    USERS,
)
from iam.mirror.pull.states import load_attrs
from iam.mirror.pull.transform.credentials import report_use, virtual_device
from iam.mirror.pull.transform.principals import role_list_attrs
from iam.mirror.pull.usage import PASSWORD, LastUse, instant, load_usage


@dataclass
class PrincipalsReading:
    """What was read about the principals. An uploaded export has only the bulk response, and possibly the
    report.
    """

    authorization: SectionReading[BulkAuthorization]
    report: SectionReading[ReadReport] | None = None
    user_list: SectionReading[tuple[UserListing, ...]] | None = None
    role_list: SectionReading[tuple[RoleListing, ...]] | None = None
    devices: SectionReading[tuple[VirtualMfaDeviceRecord, ...]] | None = None

    @property
    def users(self) -> tuple[UserListing, ...]:
        """The result of ListUsers, if it was read."""
        return (self.user_list.value if self.user_list else None) or ()

    @property
    def roles(self) -> tuple[RoleListing, ...]:
        """The result of ListRoles, if it was read."""
        return (self.role_list.value if self.role_list else None) or ()


def apply_principals(job: PullJob, read: PrincipalsReading) -> None:
    """Apply everything and store the result of each section. Must be called in a transaction."""
    limit = job.take_hold()
    _complete_roles(read)
    parts = [*parts_of(job, read.authorization), *_device_part(job, read)]
    applied = apply_parts(job.census, parts, limit=limit)
    patched = _patch_roles(job, read)
    job.reported = reported = _match_report(job, read)
    changed = _derive_credentials(job, read, applied, reported)
    _load_usage(job, read, reported)
    _settle(job, read, applied, patched=patched, changed=changed)


def refresh_statistics(job: PullJob) -> None:
    """Update the database's statistics of tables that have grown, such as after a first pull. To be called
    after the commit.
    """
    models: list[type[Model]] = [Entity, Document, Usage, *(table.model for table in temporal.OF_ENTITIES)]
    bulk.refresh_statistics(models, added=sum(outcome.added for outcome in job.outcomes.values()))


def _settle(
    job: PullJob, read: PrincipalsReading, applied: ApplyResult, *, patched: set[int], changed: set[int]
) -> None:
    for section in AUTHORIZATION:
        job.settle(read.authorization, outcome=applied.outcomes.get(section), section=section)
    if read.role_list is not None:
        job.settle(read.role_list, outcome=PartOutcome(count=len(read.roles), changed=patched))
    if read.user_list is not None:
        job.settle(read.user_list, outcome=PartOutcome(count=len(read.users)))
    if read.devices is not None:
        job.settle(read.devices, outcome=applied.outcomes.get(MFA_DEVICES))
    if read.report is not None:
        _settle_report(job, read.report, changed)


def _settle_report(job: PullJob, reading: SectionReading[ReadReport], changed: set[int]) -> None:
    report = reading.value
    if report is None:
        job.settle(reading, outcome=None)
        return
    before = job.freshness.observed_at(CREDENTIAL_REPORT)
    if before is None or report.generated_at > before:
        load_facts(
            job.account, root_facts(report), seen=ObservationTimes(at=report.generated_at, after=before)
        )
    outcome = PartOutcome(count=len(report.rows), changed=changed)
    job.settle(reading, outcome=outcome, observed_at=max(report.generated_at, before or report.generated_at))


def _device_part(job: PullJob, read: PrincipalsReading) -> list[SectionPart]:
    if read.devices is None or read.devices.value is None:
        return []
    return [
        SectionPart(
            section=MFA_DEVICES,
            seen=job.observation(MFA_DEVICES, at=read.devices.began_at),
            found=[virtual_device(record) for record in read.devices.value],
            covers=is_virtual_device,
        )
    ]


def _complete_roles(read: PrincipalsReading) -> None:
    """Add the attributes that only ListRoles returns to decoded roles, so that these get one state instead of
    two.
    """
    listed = {listing.aws_id: role_list_attrs(listing) for listing in read.roles}
    for aws_entity in read.authorization.value.found[Kind.ROLE.value] if read.authorization.value else ():
        aws_entity.attrs = {**aws_entity.attrs, **listed.get(aws_entity.aws_id, {})}


def _patch_roles(job: PullJob, read: PrincipalsReading) -> set[int]:
    """Set the same attributes on roles whose bytes in the bulk response are unchanged. Returns the changed
    roles.
    """
    patches = {
        known.id: role_list_attrs(listing)
        for listing in read.roles
        if (known := job.census.current.get((Kind.ROLE.value, listing.aws_id))) is not None
    }
    if read.role_list is None or not patches:
        return set()
    seen = job.observation(ROLE_LIST, at=read.role_list.began_at)
    return load_attrs(job.census, patches, kind=Kind.ROLE.value, seen=seen)


def _match_report(job: PullJob, read: PrincipalsReading) -> LoadedReport | None:
    report, census = read.report.value if read.report else None, job.census
    if report is None:
        return None
    created: dict[int, datetime | None] = {
        known.id: listing.created_at
        for listing in read.users
        if (known := census.current.get((Kind.USER.value, listing.aws_id))) is not None
    }
    return match_report(census, report, created=created or creation_times(census))


def _derive_credentials(
    job: PullJob, read: PrincipalsReading, applied: ApplyResult, reported: LoadedReport | None
) -> set[int]:
    """Derive the rows of all users if AWS has generated a new report, else of users with other news. Returns
    the changed users.
    """
    census = job.census
    devices = read.devices if read.devices is not None and read.devices.is_whole else None
    at = (devices or read.authorization).began_at
    before = job.freshness.observed_at(CREDENTIAL_REPORT)
    is_new = reported is not None and (before is None or reported.at > before)
    listed_at = at if devices else job.freshness.observed_at(MFA_DEVICES)
    reported_at = reported.at if reported else before
    clock = EvidenceTimes(
        seen=job.observation(MFA_DEVICES, at=at),
        born=job.observation(USERS, at=read.authorization.began_at),
        listed_at=listed_at,
        reported_at=reported_at,
        reported_before=before,
        released=frozenset(applied.roster.released),
    )
    users = list(census.of_kind(Kind.USER)) if is_new else _users_to_count(census, applied)
    return derive(census, users, reported=reported, clock=clock) - applied.roster.added


def _users_to_count(census: EntityCache, applied: ApplyResult) -> list[EntityRow]:
    """New users, and users who got or lost a device, or whose device has changed."""
    roster = applied.roster
    ids: set[int | None] = {*roster.added, *roster.released}
    for device_id in roster.added | applied.outcomes.get(MFA_DEVICES, PartOutcome()).changed:
        device = census.by_pk.get(device_id)
        if device is not None:
            ids.add(device.owner_id)
    return [user for user in census.of_kind(Kind.USER) if user.id in ids]


def _load_usage(job: PullJob, read: PrincipalsReading, reported: LoadedReport | None) -> None:
    """Store the last use of users, roles and keys, from the list of users, the report, and the bulk
    response.
    """
    census = job.census
    uses = {pk: report_use(line) for pk, line in reported.lines.items()} if reported else {}
    for listing in read.users:
        user = census.current.get((Kind.USER.value, listing.aws_id))
        if user is None:
            continue
        use = uses.setdefault(user.id, LastUse())
        use.update(listing.password_last_used)
        signed_in = instant(listing.password_last_used)
        if (use.details.get(PASSWORD) or "") <= (signed_in or ""):
            use.details[PASSWORD] = signed_in
    authorization = read.authorization.value
    last_uses = authorization.last_used if authorization else {}
    for aws_id, last_used in last_uses.items():
        role = census.current.get((Kind.ROLE.value, aws_id))
        if role is not None and last_used is not None:
            uses[role.id] = LastUse(at=last_used.at, region=last_used.region or "")
    if reported is not None and reported.at != job.freshness.observed_at(CREDENTIAL_REPORT):
        uses.update(key_uses(census, reported))
    entities = census.of_kind(Kind.USER, Kind.ROLE, Kind.ACCESS_KEY)
    load_usage(census.account.pk, entities=entities, uses=uses, observed_at=read.authorization.began_at)
