"""Finds the recipients of a grant in one account: the users, groups and roles that the terms mean there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from iam.access.grants.phrases import listed
from iam.access.grants.planning.account_context import GrantSite
from iam.access.grants.terms import WhoKind, WhoTerms
from iam.changes.errors import RefusedError
from iam.directory.models import RuleKind, Team
from iam.guard import Viewer, ViewerScope
from iam.mirror.models import Entity, Kind
from iam.mirror.queries.visibility import visible_entities


@dataclass(frozen=True, slots=True)
class GrantReceivers:
    """The recipients in one account.

    `here` are entities of the account. `elsewhere` are ARNs of recipients without one, who would assume a
    role. `absent` are names of recipients who get nothing in this account.
    """

    here: tuple[Entity, ...]
    elsewhere: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()


def receivers_in(site: GrantSite) -> GrantReceivers:
    """The recipients in this account. Raises RefusedError if the viewer may not request access for one of
    them or one is missing.
    """
    who = site.terms.who
    if who.kind is WhoKind.TEAM:
        return GrantReceivers(_reached(site, _team(site, who)))
    own = [arn for arn in who.arns if _account_of(arn) == site.number]
    others = [arn for arn in who.arns if _account_of(arn) != site.number]
    if own:
        current = Entity.objects.filter(account=site.account, arn__in=own, gone_at__isnull=True)
        by_arn = {entity.arn: entity for entity in current.select_related("account")}
        missing = [arn for arn in own if arn not in by_arn]
        if missing:
            raise RefusedError(
                f"{listed([_name(arn) for arn in missing])} no longer exists, as of the last sync."
            )
        # A person with users in several accounts of the grant gets access in each of them.
        absent = tuple(_name(arn) for arn in others if _account_of(arn) not in site.terms.accounts)
        return GrantReceivers(_reached(site, [by_arn[arn] for arn in own]), absent=absent)
    if who.kind is WhoKind.GROUP:
        raise RefusedError(
            "The group is in another account, and a role can’t trust a group. Choose the people instead."
        )
    foreign = [arn for arn in others if arn.split(":")[1] != site.account.partition]
    if foreign:
        raise RefusedError(
            f"{listed([_name(arn) for arn in foreign])} is in another AWS partition, and can’t assume roles "
            "here."
        )
    return GrantReceivers((), elsewhere=tuple(sorted(others)))


def _account_of(arn: str) -> str:
    return arn.split(":")[4]


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]


def _reached(site: GrantSite, entities: Sequence[Entity]) -> tuple[Entity, ...]:
    """The entities, sorted by name.

    Raises RefusedError unless the viewer can request access for each; the message is the same for hidden and
    missing entities.
    """
    scope = site.viewer.scope
    others = [entity.pk for entity in entities if entity.arn not in scope.user_arns]
    if others:
        reach = replace(site.viewer, scope=site.viewer.asks)
        if visible_entities(reach).filter(pk__in=others).count() < len(others):
            raise RefusedError("You can only request access for people and groups in your teams.")
    return tuple(sorted(entities, key=lambda entity: entity.name.lower()))


def _team(site: GrantSite, who: WhoTerms) -> list[Entity]:
    """The users of a team in the account, as of now. Raises RefusedError if there are none."""
    team = Team.objects.filter(slug=who.team).prefetch_related("rules").first()
    if team is None:
        raise RefusedError("This team doesn’t exist.")
    rules = [(rule.kind, rule.account_id, rule.value) for rule in team.rules.all()]
    scope = ViewerScope(
        groups=frozenset((account, value) for kind, account, value in rules if kind == RuleKind.GROUP),
        paths=frozenset((account, value) for kind, account, value in rules if kind == RuleKind.PATH),
    )
    nobody = Viewer(person_id=site.viewer.person_id, name="", email="", scope=scope)
    people = visible_entities(nobody).filter(account=site.account, kind=Kind.USER, gone_at__isnull=True)
    users = list(people.select_related("account"))
    if not users:
        raise RefusedError(f"{team.name} has no users in this account.")
    return users
