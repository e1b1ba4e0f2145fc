"""What may be proposed to, and named by, somebody who does not see an account whole: policies that their own
people and groups hold.

Anything else is answered as if it were not there. Policies of AWS are public: they are named by their ARN.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

from iam.changes.acts import choosing
from iam.changes.acts.base import Act, Subject, account
from iam.changes.acts.fields import NAME, Choices, Field
from iam.guard import Viewer
from iam.mirror.models import Edge, EdgeKind, Entity, Kind, valid_at
from iam.mirror.queries.visibility import visible_entities

TIES = (EdgeKind.ATTACHED, EdgeKind.BOUNDARY)


def choices_for(field: Field, subject: Subject, *, viewer: Viewer) -> Choices:
    """What is proposed for a question."""
    if field.choices is None:
        return ()
    if field.kind != NAME or viewer.scope.sees_account(account(subject).account_id):
        return field.choices(subject)
    holders = visible_entities(viewer).filter(account=account(subject), gone_at__isnull=True)
    ties = Edge.objects.filter(valid_at(None), kind__in=TIES, source__in=holders.values("pk"))
    rows = Entity.objects.filter(pk__in=ties.values("target"), kind=Kind.POLICY, gone_at__isnull=True)
    return [(row.arn, row.name) for row in rows.order_by("name", "id")]


def check_names(act: Act, subject: Subject, data: Mapping[str, str], *, viewer: Viewer) -> None:
    """Raises FieldError, in the words for what is not there, for a name that the viewer may not know."""
    subject_account = account(subject)
    if viewer.scope.sees_account(subject_account.account_id):
        return
    for field in act.fields:
        text = data.get(field.name, "").strip()
        if field.kind != NAME or not text or ":iam::aws:policy/" in text:
            continue
        known = set(chain.from_iterable(choices_for(field, subject, viewer=viewer)))
        if text not in known:
            raise choosing.not_there(subject_account, Kind.POLICY, text, field=field.name)
