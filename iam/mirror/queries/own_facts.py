"""Facts about an account as a whole, and its place in the organization, now or at a past time."""

from __future__ import annotations

from datetime import datetime

from iam.mirror.models import Account, AccountFact, Edge, EdgeKind, EntityState, Kind, valid_at


def own_facts(account: Account, *, at: datetime | None) -> dict[str, AccountFact]:
    """Return the facts by name (see AccountFact), each with the observations between which it began, with one
    query.
    """
    return {fact.name: fact for fact in AccountFact.objects.filter(valid_at(at), account=account)}


def unit_path(account: Account, *, at: datetime | None) -> list[str]:
    """Return the names of the units that contain the account, the root first, or none if no account shows the
    organization.

    Three queries, or one if there is none.
    """
    ties = Edge.objects.filter(valid_at(at), kind=EdgeKind.PARENT)
    lies_in = ties.filter(source__kind=Kind.ORG_ACCOUNT, source__aws_id=account.account_id)
    lies_in = lies_in.filter(account__removed_at__isnull=True)
    link = lies_in.values_list("account_id", "target_id").order_by("pk").first()
    if link is None:
        return []
    owner, place = link
    above = dict(ties.filter(account=owner, source__kind=Kind.ORG_UNIT).values_list("source_id", "target_id"))
    states = EntityState.objects.filter(valid_at(at), account=owner, kind__in=(Kind.ORG_ROOT, Kind.ORG_UNIT))
    names = dict(states.values_list("entity_id", "name"))
    path: list[str] = []
    while place in names and len(path) <= len(names):
        path.insert(0, names[place])
        place = above.get(place, 0)
    return path
