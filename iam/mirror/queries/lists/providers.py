"""The list of identity providers, SAML and OpenID Connect: until when each is valid, who it is for, which
roles trust it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat

from iam.keyset import Row
from iam.mirror.models import EntityState, Kind, valid_at
from iam.mirror.queries.lists.core import (
    ALWAYS,
    COMMON,
    Lens,
    Listing,
    Seen,
    Sort,
    States,
    Tab,
    common,
    states,
    tallies,
)
from iam.mirror.queries.lists.policies import moment_of

KINDS = (Kind.SAML_PROVIDER, Kind.OIDC_PROVIDER)
SORTS = {"name": Sort("sort_name", past="yes")}


def rows(lens: Seen, sort: str = "name") -> States:
    """Providers."""
    shown: States = common(states(lens, *KINDS)).values(*COMMON, "kind", "attrs")
    return shown


def _of_kind(kind: str) -> Tab:
    def counts(lens: Lens) -> QuerySet[Any, Any]:
        return states(lens, kind)

    return Tab(lambda lens: Q(kind=kind), counts)


TABS = {
    "all": Tab(lambda lens: ALWAYS, lambda lens: states(lens, *KINDS)),
    "saml": _of_kind(Kind.SAML_PROVIDER),
    "oidc": _of_kind(Kind.OIDC_PROVIDER),
}


def complete(lens: Lens, page_rows: list[Row]) -> None:
    """Adds validity, audiences and the number of roles whose trust policy names the provider's ARN: one
    query.
    """
    tallies(lens, page_rows, _trusting)
    shown = lens.at or lens.now
    for row in page_rows:
        attrs = row["attrs"]
        until = moment_of(attrs.get("ValidUntil") or "")
        row["valid_until"] = until
        row["is_expired"] = until is not None and until <= shown
        row["ends_soon"] = until is not None and shown < until <= shown + timedelta(days=30)
        row["audiences"] = attrs.get("ClientIDList") or []


def _trusting(at: datetime | None) -> dict[str, QuerySet[Any, Any]]:
    trusting = EntityState.objects.filter(
        valid_at(at),
        account=OuterRef("account"),
        kind=Kind.ROLE,
        category__in=["saml", "oidc", "any"],
        document__text__contains=Concat(Value('"'), OuterRef("arn"), Value('"')),
    )
    return {"roles": trusting}


PROVIDERS = Listing(
    name="providers",
    kinds=KINDS,
    rows=rows,
    sorts=SORTS,
    tabs=TABS,
    filters={},
    complete=complete,
    sections=("providers", "roles"),
)
