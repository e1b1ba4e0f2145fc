"""What the mirror holds of the entities that operations are about, by unique id or by ARN."""

from __future__ import annotations

from iam.changes.once import is_absent, once
from iam.mirror.models import Account, Entity


def living(account: Account, *, kind: str, aws_id: str = "", arn: str = "") -> Entity | None:
    """The one of this unique id or, where none is given, of this ARN; None for what is gone, and for what is still to be made."""
    if not aws_id and (not arn or is_absent(account.pk, arn)):
        return None
    which = {"aws_id": aws_id} if aws_id else {"arn": arn}
    rows = Entity.objects.filter(account=account, kind=kind, gone_at__isnull=True, **which)
    return once(("living", account.pk, kind, aws_id, "" if aws_id else arn), rows.first)
