"""The fast lane reads the whole account with a few bulk calls."""

from __future__ import annotations

from iam.aws.reads import lists
from iam.aws.reads.credential_report import read_credential_report
from iam.mirror.pull.authorization import read_authorization
from iam.mirror.pull.job import LiveJob
from iam.mirror.pull.principals import PrincipalsReading, apply_principals, refresh_statistics
from iam.mirror.pull.sections import CREDENTIAL_REPORT, MFA_DEVICES, ROLE_LIST, USER_LIST


def pull_principals(job: LiveJob) -> None:
    """Read users, groups, roles and policies with everything that belongs to them, then apply them
    together.
    """
    aws = job.aws
    read = PrincipalsReading(
        user_list=job.read(USER_LIST, lambda: lists.list_users(aws)),
        role_list=job.read(ROLE_LIST, lambda: lists.list_roles(aws)),
        devices=job.read(MFA_DEVICES, lambda: lists.list_virtual_mfa_devices(aws)),
        authorization=read_authorization(job),
        report=job.read(CREDENTIAL_REPORT, lambda: read_credential_report(aws)),
    )
    job.progress.enter("Comparing")
    with job.applying():
        apply_principals(job, read)
    refresh_statistics(job)
