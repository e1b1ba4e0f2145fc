"""The organization tree where an account shows it, and everywhere to which organization the account belongs."""

from __future__ import annotations

from iam.aws.errors import AwsError, ErrorKind
from iam.aws.reads import organization as organizations
from iam.aws.reads.organization import OrganizationRecord, OrganizationTree
from iam.mirror.models import Account
from iam.mirror.pull.account_facts import load_facts
from iam.mirror.pull.apply import apply_parts
from iam.mirror.pull.authorization import is_of_kind
from iam.mirror.pull.facts import Outcome, Part
from iam.mirror.pull.job import LiveJob, Reading
from iam.mirror.pull.sections import KINDS, ORGANIZATION
from iam.mirror.pull.transform.organization import organization_entities, paths

Organization = OrganizationTree | OrganizationRecord | None


def pull_organization(job: LiveJob) -> None:
    """The tree where this account shows it; elsewhere only to which organization the account belongs."""
    reading = job.read(ORGANIZATION, lambda: _read_organization(job))
    found = reading.value
    with job.applying():
        outcome: Outcome | None = None
        if reading.is_whole:
            tree = found if isinstance(found, OrganizationTree) else None
            outcome = _apply_tree(job, reading, tree)
            record = tree.organization if tree else found
            _apply_membership(job, reading, record if isinstance(record, OrganizationRecord) else None, tree)
        else:
            job.take_hold()
        job.settle(reading, outcome=outcome)


def _read_organization(job: LiveJob) -> Organization:
    """The tree; the mere organization for an account that may not see it; None for an account that is in none.

    AWS shows the tree to the management account and to delegated administrators, and denies it to all other members;
    that denial is the normal answer there and no missing permission.
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


def _apply_tree(job: LiveJob, reading: Reading[Organization], tree: OrganizationTree | None) -> Outcome:
    if tree is None:
        job.take_hold()
        return Outcome()
    found = organization_entities(tree, intern=job.documents.intern)
    limit = job.take_hold()
    job.documents.flush()
    seen = job.seen(ORGANIZATION, at=reading.began_at)
    part = Part(section=ORGANIZATION, seen=seen, found=found, covers=is_of_kind(*KINDS[ORGANIZATION]))
    return apply_parts(job.census, [part], limit=limit).outcomes[ORGANIZATION]


def _apply_membership(
    job: LiveJob,
    reading: Reading[Organization],
    record: OrganizationRecord | None,
    tree: OrganizationTree | None,
) -> None:
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
    load_facts(job.account, {"organization": value}, seen=job.seen(ORGANIZATION, at=reading.began_at))
    organization_id = record.organization_id if record else ""
    if job.account.organization_id != organization_id:
        Account.objects.filter(pk=job.account.pk).update(organization_id=organization_id)
    if tree is not None:
        _note_paths(tree)


def _note_paths(tree: OrganizationTree) -> None:
    """Write where in the organization the accounts of Gatehouse lie, of those of which it is news."""
    found = dict(paths(tree))
    known = Account.objects.filter(account_id__in=found).values_list("pk", "account_id", "organization_path")
    for pk, number, path in known:
        if found[number] != path:
            Account.objects.filter(pk=pk).update(organization_path=found[number])
