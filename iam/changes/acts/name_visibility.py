"""What may be proposed to, and named by, somebody who does not see an account whole: policies that their own
people and groups hold.

Anything else is answered as if it were not there. Policies of AWS are public: they are named by their ARN.
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
    """Whether the viewer may know every name of the account."""
    return viewer.scope.sees_account(account(subject).account_id)


def known_policies(subject: Subject, *, viewer: Viewer) -> Choices:
    """The policies that may be proposed to a viewer who does not see the account whole."""
    holders = visible_entities(viewer).filter(account=account(subject), gone_at__isnull=True)
    edges = Edge.objects.filter(valid_at(None), kind__in=TIES, source__in=holders.values("pk"))
    rows = Entity.objects.filter(pk__in=edges.values("target"), kind=Kind.POLICY, gone_at__isnull=True)
    return [(row.arn, row.name) for row in rows.order_by("name", "id")]


def check_name(text: str, *, field: str, subject: Subject, viewer: Viewer) -> None:
    """Raises FieldError, in the words for what is not there, for a name that the viewer may not know."""
    if not text or ":iam::aws:policy/" in text or sees_all_names(subject, viewer=viewer):
        return
    if text not in set(chain.from_iterable(known_policies(subject, viewer=viewer))):
        raise options.not_there(account(subject), Kind.POLICY, text, field=field)
