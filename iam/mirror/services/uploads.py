"""Load an uploaded export into the mirror."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from iam.mirror.models import Account, Pull

if TYPE_CHECKING:
    from iam.aws.export import AuthorizationExport
    from iam.aws.reads.credential_report import ReadReport


def load_export(
    account: Account,
    export: AuthorizationExport,
    *,
    observed_at: datetime,
    credential_report: ReadReport | None = None,
    accept_loss: bool = False,
) -> Pull:
    """Load an export as one observation at `observed_at`; the pull row that tells what it did. See
    `pull.upload`.
    """
    # Imported late: the web process has no use for botocore, which comes along.
    from iam.mirror.pull import upload

    return upload.load_export(
        account, export, observed_at=observed_at, credential_report=credential_report, accept_loss=accept_loss
    )
