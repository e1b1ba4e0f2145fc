"""The rest of the fast lane: one list per section, read and applied one after the other after the
principals.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection

from django.conf import settings
from django.utils import timezone

from iam.aws.partitions import global_region
from iam.aws.reads import delegation, instances, lists, pod_identities, roles_anywhere, trails
from iam.aws.session import Aws
from iam.mirror.models import Account, Kind
from iam.mirror.pull.account_facts import load_facts, read_settings
from iam.mirror.pull.apply import apply_parts
from iam.mirror.pull.authorization import is_of_kind
from iam.mirror.pull.entity_cache import EntityRow
from iam.mirror.pull.facts import FoundEntity, PartOutcome, SectionPart
from iam.mirror.pull.job import LiveJob, SectionReading
from iam.mirror.pull.organization import pull_organization
from iam.mirror.pull.sections import (
    ACCOUNT,
    DELEGATION_REQUESTS,
    INSTANCE_PROFILES,
    INSTANCES,
    KINDS,
    OUTBOUND_FEDERATION,
    POD_IDENTITIES,
    PROVIDERS,
    ROLES_ANYWHERE,
    SERVER_CERTIFICATES,
    SERVICE_CREDENTIALS,
    TRAILS,
)
from iam.mirror.pull.transform import inventory as transform
from iam.mirror.pull.transform.credentials import service_credential
from iam.mirror.pull.usage import LastUse, load_usage

ALL_REGIONS = "all"


def pull_settings(job: LiveJob) -> None:
    """Read and apply the account's settings. Their counts tell how many calls will follow."""
    reading = job.read(ACCOUNT, lambda: read_settings(job.aws))
    settings = reading.value
    with job.applying():
        job.take_hold()
        outcome = None
        if settings is not None:
            changed = load_facts(
                job.account, settings.facts(), seen=job.observation(ACCOUNT, at=reading.began_at)
            )
            outcome = PartOutcome(count=len(settings.facts()))
            if changed:
                # 0 stands for the account itself, which is no entity.
                outcome.changed.add(0)
            if job.account.alias != settings.alias:
                Account.objects.filter(pk=job.account.pk).update(alias=settings.alias)
        job.settle(reading, outcome=outcome)
    if settings is not None:
        job.progress.expected = expected_calls(settings.summary)


def expected_calls(summary: dict[str, int]) -> int:
    """The number of calls of the fast lane, estimated from the counts of GetAccountSummary."""
    counts = defaultdict(int, summary)
    entities = counts["Users"] + counts["Roles"] + counts["Groups"] + counts["Policies"]
    paged = (counts["Users"], counts["Roles"], counts["MFADevices"], entities, counts["InstanceProfiles"])
    pages = sum(count // 1000 + 1 for count in paged)
    return pages + counts["Providers"] + 19


def pull_inventory(job: LiveJob) -> None:
    """Read and apply all other sections of the fast lane."""
    aws = job.aws
    _pull(
        job,
        SERVICE_CREDENTIALS,
        lambda: [service_credential(r) for r in lists.list_service_specific_credentials(aws)],
    )
    _pull(
        job,
        INSTANCE_PROFILES,
        lambda: [transform.instance_profile(r) for r in lists.list_instance_profiles(aws)],
    )
    _pull(job, PROVIDERS, lambda: _providers(job))
    _pull(
        job,
        SERVER_CERTIFICATES,
        lambda: [transform.server_certificate(r) for r in lists.list_server_certificates(aws)],
    )
    pull_organization(job)
    pull_outbound_federation(job)
    pull_delegation_requests(job)
    pull_instances(job)
    pull_trails(job)
    pull_roles_anywhere(job)
    pull_pod_identities(job)


def _providers(job: LiveJob) -> list[FoundEntity]:
    saml, oidc = lists.list_saml_providers(job.aws), lists.list_oidc_providers(job.aws)
    providers = [transform.saml_provider(record, intern=job.documents.intern) for record in saml]
    job.documents.flush()
    return [*providers, *(transform.oidc_provider(record) for record in oidc)]


def _pull(
    job: LiveJob,
    section: str,
    get: Callable[[], list[FoundEntity]],
    *,
    covers: Callable[[EntityRow], bool] | None = None,
) -> None:
    reading = job.read(section, get)
    with job.applying():
        outcome = _apply(job, reading, covers=covers or is_of_kind(*KINDS[section]))
        job.settle(reading, outcome=outcome)


def _apply(
    job: LiveJob, reading: SectionReading[list[FoundEntity]], *, covers: Callable[[EntityRow], bool]
) -> PartOutcome | None:
    limit = job.take_hold()
    if reading.value is None:
        return None
    seen = job.observation(reading.section, at=reading.began_at)
    part = SectionPart(section=reading.section, seen=seen, found=reading.value, covers=covers)
    return apply_parts(job.census, [part], limit=limit).outcomes[reading.section]


def pull_outbound_federation(job: LiveJob) -> None:
    """Read and apply whether principals can get tokens that AWS signs for external services."""
    reading = job.read(OUTBOUND_FEDERATION, lambda: delegation.outbound_federation(job.aws))
    federation = reading.value
    with job.applying():
        job.take_hold()
        outcome = None
        if federation is not None:
            value = {"JwtVendingEnabled": federation.is_enabled, "IssuerIdentifier": federation.issuer}
            seen = job.observation(OUTBOUND_FEDERATION, at=reading.began_at)
            changed = load_facts(job.account, {OUTBOUND_FEDERATION: value}, seen=seen)
            outcome = PartOutcome(count=int(federation.is_enabled))
            if changed:
                # 0 stands for the account itself, which is no entity.
                outcome.changed.add(0)
        job.settle(reading, outcome=outcome)


def pull_delegation_requests(job: LiveJob) -> None:
    """Read and apply the delegation requests of the account."""

    def get() -> list[FoundEntity]:
        prefix = f"arn:{job.account.partition}:iam::{job.account.account_id}:"
        requests = [
            transform.delegation_request(record, prefix=prefix, intern=job.documents.intern)
            for record in delegation.delegation_requests(job.aws)
        ]
        job.documents.flush()
        return requests

    _pull(job, DELEGATION_REQUESTS, get)


def pull_instances(job: LiveJob) -> None:
    """Read and apply the EC2 instances of the configured regions; those of other regions stay unchanged."""
    regions: set[str] = set()

    def get() -> list[FoundEntity]:
        regions.update(_regions(job.aws))
        records = instances.list_instances(job.aws, regions=sorted(regions))
        account = job.account
        return [
            transform.instance(record, account_id=account.account_id, partition=account.partition)
            for record in records
        ]

    _pull(job, INSTANCES, get, covers=_in_regions(regions, INSTANCES))


def pull_roles_anywhere(job: LiveJob) -> None:
    """Read and apply Roles Anywhere profiles and trust anchors of the configured regions; others stay
    unchanged.
    """
    regions: set[str] = set()

    def get() -> list[FoundEntity]:
        regions.update(_regions(job.aws))
        chosen = sorted(regions)
        profiles = roles_anywhere.list_profiles(job.aws, regions=chosen)
        anchors = roles_anywhere.list_trust_anchors(job.aws, regions=chosen)
        entities = [transform.anywhere_profile(record, intern=job.documents.intern) for record in profiles]
        job.documents.flush()
        return [*entities, *(transform.trust_anchor(record) for record in anchors)]

    _pull(job, ROLES_ANYWHERE, get, covers=_in_regions(regions, ROLES_ANYWHERE))


def pull_pod_identities(job: LiveJob) -> None:
    """Read and apply pod identity associations of the configured regions; others stay unchanged."""
    regions: set[str] = set()

    def get() -> list[FoundEntity]:
        regions.update(_regions(job.aws))
        records = pod_identities.list_pod_identity_associations(job.aws, regions=sorted(regions))
        entities = [transform.pod_identity(record, intern=job.documents.intern) for record in records]
        job.documents.flush()
        return entities

    _pull(job, POD_IDENTITIES, get, covers=_in_regions(regions, POD_IDENTITIES))


def _in_regions(regions: Collection[str], section: str) -> Callable[[EntityRow], bool]:
    """Return a test for entities of the section's kinds in these regions. The regions can be added later."""

    def covers(known: EntityRow) -> bool:
        return known.kind in KINDS[section] and known.arn.split(":")[3] in regions

    return covers


def pull_trails(job: LiveJob) -> None:
    """Read and apply the trails visible in the configured regions, and when each last delivered."""
    delivered: dict[str, LastUse] = {}

    def get() -> list[FoundEntity]:
        records = trails.list_trails(job.aws, regions=_regions(job.aws))
        delivered.update((record.arn, LastUse(record.delivered_at)) for record in records)
        return [transform.trail(record) for record in records]

    began_at = timezone.now()
    _pull(job, TRAILS, get)
    known = list(job.census.of_kind(Kind.TRAIL))
    uses = {row.id: delivered[row.aws_id] for row in known if row.aws_id in delivered}
    with job.applying():
        job.take_hold()
        load_usage(job.account.pk, entities=known, uses=uses, observed_at=began_at)


def _regions(aws: Aws) -> tuple[str, ...]:
    wanted: list[str] = settings.INSTANCE_REGIONS
    if wanted == [ALL_REGIONS]:
        return instances.enabled_regions(aws)
    return tuple(wanted) or (aws.access.region or global_region(aws.access.partition),)
