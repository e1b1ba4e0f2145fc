"""The list of SAML and OpenID Connect identity providers: validity, audiences, and the roles that
trust each.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat

from iam.keyset import Row
from iam.mirror.models import EntityState, Kind, valid_at
from iam.mirror.queries.lists.context import ListContext, ListViewpoint, States
from iam.mirror.queries.lists.core import ListDefinition, ListSort, ListTab
from iam.mirror.queries.lists.policies import moment_of
from iam.mirror.queries.lists.rows import ALWAYS, COMMON, common, states, tallies

KINDS = (Kind.SAML_PROVIDER, Kind.OIDC_PROVIDER)
SORTS = {"name": ListSort("sort_name", past="yes")}


def rows(context: ListViewpoint, sort: str = "name") -> States:
    """Providers."""
    shown: States = common(states(context, *KINDS)).values(*COMMON, "kind", "attrs")
    return shown


def _of_kind(kind: str) -> ListTab:
    def counts(context: ListContext) -> QuerySet[Any, Any]:
        return states(context, kind)

    return ListTab(lambda context: Q(kind=kind), counts)


TABS = {
    "all": ListTab(lambda context: ALWAYS, lambda context: states(context, *KINDS)),
    "saml": _of_kind(Kind.SAML_PROVIDER),
    "oidc": _of_kind(Kind.OIDC_PROVIDER),
}


def complete(context: ListContext, page_rows: list[Row]) -> None:
    """Add validity, audiences and the number of roles whose trust policy names the provider's ARN, with one
    query.
    """
    tallies(context, page_rows, _trusting)
    shown = context.at or context.now
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


PROVIDERS = ListDefinition(
    name="providers",
    kinds=KINDS,
    rows=rows,
    sorts=SORTS,
    tabs=TABS,
    filters={},
    complete=complete,
    sections=("providers", "roles"),
)
