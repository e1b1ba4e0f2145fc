"""Limits the names that people who don't see a whole account can use: policies that their own people and
groups hold.

Other names are treated as missing. AWS managed policies are public and can be named by ARN.
"""

from __future__ import annotations

from itertools import chain

from iam.changes.acts import options
from iam.changes.acts.base import Subject, account
from iam.changes.acts.options import Choices
from iam.guard import Viewer
from iam.mirror.models import Edge, EdgeKind, Entity, Kind, valid_at
from iam.mirror.queries.visibility import visible_entities

TIES = (EdgeKind.ATTACHED, EdgeKind.BOUNDARY)


def sees_all_names(subject: Subject, *, viewer: Viewer) -> bool:
    """True if the viewer may know every name in the account."""
    return viewer.scope.sees_account(account(subject).account_id)


def known_policies(subject: Subject, *, viewer: Viewer) -> Choices:
    """The policies to suggest to a viewer who doesn't see the whole account."""
    holders = visible_entities(viewer).filter(account=account(subject), gone_at__isnull=True)
    edges = Edge.objects.filter(valid_at(None), kind__in=TIES, source__in=holders.values("pk"))
    rows = Entity.objects.filter(pk__in=edges.values("target"), kind=Kind.POLICY, gone_at__isnull=True)
    return [(row.arn, row.name) for row in rows.order_by("name", "id")]


def check_name(text: str, *, field: str, subject: Subject, viewer: Viewer) -> None:
    """Raises FieldError, worded as for a missing name, if the viewer may not know the name."""
    if not text or ":iam::aws:policy/" in text or sees_all_names(subject, viewer=viewer):
        return
    if text not in set(chain.from_iterable(known_policies(subject, viewer=viewer))):
        raise options.not_there(account(subject), Kind.POLICY, text, field=field)
