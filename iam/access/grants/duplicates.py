"""Finds an existing grant that gives the same access to the same people as a new request."""

from __future__ import annotations

from typing import Final

from django.db.models import Q

from iam.access.grants.models import GIVING, Grant, GrantState
from iam.access.grants.own_grants import held_by
from iam.access.grants.queries import visible_grants
from iam.access.grants.terms import GrantContent, GrantTerms, WhatKind
from iam.guard import Viewer

COUNTING: Final = (GrantState.PREPARING, GrantState.WAITING, GrantState.APPLYING, *GIVING)
"""The states in which a grant is requested or gives access."""
MAX_COMPARED: Final = 200


def earlier_grant(terms: GrantTerms, *, viewer: Viewer) -> Grant | None:
    """The newest waiting or active grant that covers these terms, among those that the viewer requested or
    receives.

    A grant for more people or more accounts covers them too. None if there is none. One query.
    """
    own = Q(requested_by=viewer.person_id) | held_by(viewer)
    alike = visible_grants(viewer).filter(
        own,
        state__in=COUNTING,
        who_kind=terms.who.kind,
        what_kind=terms.what.kind,
        template=terms.what.template,
    )
    for grant in alike.order_by("-created_at", "-id")[:MAX_COMPARED]:
        if _covers(grant.agreed, terms):
            return grant
    return None


def _covers(terms: GrantTerms, wanted: GrantTerms) -> bool:
    if not set(wanted.accounts) <= set(terms.accounts) or not _is_same(terms.what, wanted.what):
        return False
    if wanted.who.arns:
        return set(wanted.who.arns) <= set(terms.who.arns)
    return terms.who.body == wanted.who.body


def _is_same(what: GrantContent, wanted: GrantContent) -> bool:
    """Compare two contents. Templates of different versions are equal, because the newer version replaces the
    older one.
    """
    if wanted.kind is WhatKind.TEMPLATE:
        return dict(what.parameters) == dict(wanted.parameters)
    return what.body == wanted.body
