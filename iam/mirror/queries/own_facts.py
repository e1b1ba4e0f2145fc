"""What AWS says of an account as a whole, and where in its organization it lies, now or at a past moment."""

from __future__ import annotations

from datetime import datetime

from iam.mirror.models import Account, AccountFact, Edge, EdgeKind, EntityState, Kind, valid_at


def own_facts(account: Account, *, at: datetime | None) -> dict[str, AccountFact]:
    """The facts by name (see AccountFact), each with the observations between which it began: one query."""
    return {fact.name: fact for fact in AccountFact.objects.filter(valid_at(at), account=account)}


def unit_path(account: Account, *, at: datetime | None) -> list[str]:
    """The names of the units in which the account lies, the root first; none where no account shows the
    organization.

    Three queries, one where there is none.
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
