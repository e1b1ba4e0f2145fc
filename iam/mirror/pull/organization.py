"""The organization tree, if the account can see it; and for every account, the organization that it belongs
to.
"""

from __future__ import annotations

from django.db.models import Q

from iam.aws.errors import AwsError, ErrorKind
from iam.aws.reads import organization as organizations
from iam.aws.reads.organization import OrganizationRecord, OrganizationTree
from iam.mirror.models import Account
from iam.mirror.pull.account_facts import load_facts
from iam.mirror.pull.apply import apply_parts
from iam.mirror.pull.authorization import is_of_kind
from iam.mirror.pull.facts import FoundEntity, PartOutcome, SectionPart
from iam.mirror.pull.job import LiveJob, SectionReading
from iam.mirror.pull.sections import KINDS, ORGANIZATION, ROOT_ACCESS
from iam.mirror.pull.sweep import LossLimit
from iam.mirror.pull.transform.organization import organization_entities, paths

Organization = OrganizationTree | OrganizationRecord | None


def pull_organization(job: LiveJob) -> None:
    """Read and apply the tree and the central root access features if the account can see them; in other
    accounts, only the organization that the account belongs to.
    """
    is_ordinary = _pull_tree(job)
    _pull_root_access(job, is_ordinary=is_ordinary)


def _pull_tree(job: LiveJob) -> bool:
    """Return True if the account is known to be an ordinary member or in no organization."""
    reading = job.read(ORGANIZATION, lambda: _read_organization(job))
    tree = reading.value if isinstance(reading.value, OrganizationTree) else None
    entities = organization_entities(tree, intern=job.documents.intern) if tree else None
    # Before the account is locked, to avoid a deadlock with another pull that waits for the same documents.
    job.documents.flush()
    with job.applying():
        limit = job.take_hold()
        outcome: PartOutcome | None = None
        if reading.is_whole:
            outcome = _apply_tree(job, reading, entities, limit)
            _apply_membership(job, reading)
        job.settle(reading, outcome=outcome)
    if tree is not None:
        _note_paths(tree)
    return reading.is_whole and tree is None


def _pull_root_access(job: LiveJob, *, is_ordinary: bool) -> None:
    """Read the enabled features of central root access. Ordinary members can't see them, which is
    no failure.
    """

    def get() -> tuple[str, ...] | None:
        return None if is_ordinary else organizations.root_access_features(job.aws)

    reading = job.read(ROOT_ACCESS, get)
    with job.applying():
        job.take_hold()
        outcome: PartOutcome | None = None
        if reading.is_whole:
            value = None
            if reading.value is not None:
                value = {"EnabledFeatures": list(reading.value)}
            seen = job.observation(ROOT_ACCESS, at=reading.began_at)
            changed = load_facts(job.account, {ROOT_ACCESS: value}, seen=seen)
            outcome = PartOutcome(count=len(reading.value or ()))
            if changed:
                # 0 stands for the account itself, which is no entity.
                outcome.changed.add(0)
        job.settle(reading, outcome=outcome)


def _read_organization(job: LiveJob) -> Organization:
    """The tree; only the organization if the account can't see the tree; None if it is in no organization.

    AWS shows the tree to the management account and to delegated administrators, and denies it to all other
    members. That denial is normal there, not a missing permission.
    """
    try:
        record = organizations.organization(job.aws)
    except AwsError as error:
        if organizations.is_outside_of_organization(error):
            return None
        raise
    try:
        return organizations.read_organization(job.aws, described=record)
    except AwsError as error:
        is_member = record.management_account_id != job.account.account_id
        if error.kind is ErrorKind.DENIED and is_member:
            return record
        raise


def _apply_tree(
    job: LiveJob, reading: SectionReading[Organization], entities: list[FoundEntity] | None, limit: LossLimit
) -> PartOutcome:
    if entities is None:
        return PartOutcome()
    seen = job.observation(ORGANIZATION, at=reading.began_at)
    part = SectionPart(
        section=ORGANIZATION, seen=seen, found=entities, covers=is_of_kind(*KINDS[ORGANIZATION])
    )
    return apply_parts(job.census, [part], limit=limit).outcomes[ORGANIZATION]


def _apply_membership(job: LiveJob, reading: SectionReading[Organization]) -> None:
    organization = reading.value
    record = organization.organization if isinstance(organization, OrganizationTree) else organization
    value = (
        {
            "Id": record.organization_id,
            "Arn": record.arn,
            "ManagementAccountId": record.management_account_id,
            "FeatureSet": record.feature_set,
        }
        if record
        else None
    )
    load_facts(job.account, {"organization": value}, seen=job.observation(ORGANIZATION, at=reading.began_at))
    organization_id = record.organization_id if record else ""
    if job.account.organization_id != organization_id:
        Account.objects.filter(pk=job.account.pk).update(organization_id=organization_id)


def _note_paths(tree: OrganizationTree) -> None:
    """Store the organization paths of the accounts in Gatehouse, where they have changed.

    Each account is updated separately and while no account is locked: two pulls of one organization could
    deadlock otherwise.
    """
    path_by_id = dict(paths(tree))
    ours = Q(organization_id__in=("", tree.organization.organization_id), account_id__in=path_by_id)
    for pk, number, path in Account.objects.filter(ours).values_list("pk", "account_id", "organization_path"):
        if path_by_id[number] != path:
            Account.objects.filter(pk=pk).update(organization_path=path_by_id[number])
