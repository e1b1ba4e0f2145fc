"""Finds the place of each account in its organization at a moment, from the trees synced in management
accounts.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any, Final

from iam.mirror.models import AccountFact, Edge, EdgeKind, EntityState, Kind, valid_at
from iam.policy.index.rows import ALONE, Level, OrganizationStanding, PolicyRow

PLACES: Final = (Kind.ORG_ROOT.value, Kind.ORG_UNIT.value, Kind.ORG_ACCOUNT.value)
POLICIES: Final = (Kind.SCP.value, Kind.RCP.value)
KINDS: Final = frozenset({*PLACES, *POLICIES})
TYPES: Final = {Kind.SCP.value: "SERVICE_CONTROL_POLICY", Kind.RCP.value: "RESOURCE_CONTROL_POLICY"}


@dataclass(slots=True)
class _Tree:
    """One organization as synced in one account, by the primary keys of the entities."""

    parents: dict[int, int] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    accounts: dict[str, int] = field(default_factory=dict)
    enabled: dict[int, frozenset[str]] = field(default_factory=dict)
    policies: dict[int, tuple[str, PolicyRow]] = field(default_factory=dict)
    attached: dict[int, list[tuple[str, PolicyRow]]] = field(default_factory=lambda: defaultdict(list))

    def way_to(self, place: int) -> list[int]:
        """The path from the root through the units to the account. It may be incomplete if the tree was
        synced during a move.
        """
        way = [place]
        while (parent := self.parents.get(way[0])) is not None and parent not in way:
            way.insert(0, parent)
        return way

    def levels(self, way: list[int], kind: str) -> tuple[Level, ...]:
        """The policies of a type at each step of a path; none if the root hasn't enabled that type."""
        if TYPES[kind] not in self.enabled.get(way[0], frozenset()):
            return ()
        return tuple(
            tuple(sorted((row for sort, row in self.attached[step] if sort == kind), key=lambda row: row.id))
            for step in way
        )


class OrganizationStandings:
    """The standings of accounts at a moment. Uses three queries, or two if no organization is synced."""

    def __init__(self, at: datetime | None) -> None:
        self._at = at
        self._facts = {
            number: value or {}
            for number, value in AccountFact.objects.filter(valid_at(at), name="organization").values_list(
                "account__account_id", "value"
            )
        }
        trees = _trees(at)
        self._trees: dict[str, tuple[str, _Tree]] = {}
        for number, tree in trees.items():
            fact = self._facts.get(number, {})
            organization, manager = str(fact.get("Id", "")), str(fact.get("ManagementAccountId", ""))
            # The management account sees everything. A delegated administrator may see only the policies.
            if organization and (organization not in self._trees or number == manager):
                self._trees[organization] = (manager, tree)
        self._same: dict[Any, Any] = {}

    def is_outdated(self, number: str) -> bool:
        """True if the account's organization has changed since. One query."""
        facts = AccountFact.objects.filter(
            valid_at(self._at), name="organization", account__account_id=number
        ).values_list("value", flat=True)
        return (facts.first() or {}) != self._facts.get(number, {})

    @property
    def digests(self) -> set[str]:
        """The documents of all control policies."""
        policies = chain.from_iterable(tree.policies.values() for _, tree in self._trees.values())
        return {row.digest for _, row in policies if row.digest}

    def position_of(self, number: str) -> OrganizationStanding:
        """The place of an account in its organization. Also works for accounts that were never synced, if a
        tree contains them.
        """
        organization = str(self._facts.get(number, {}).get("Id", ""))
        if not organization:
            organization = next(
                (key for key, (_, tree) in self._trees.items() if number in tree.accounts), ""
            )
        if not organization:
            return ALONE
        manager, tree = self._trees.get(organization, ("", None))
        if tree is None or number not in tree.accounts:
            is_management = number == self._facts.get(number, {}).get("ManagementAccountId")
            return OrganizationStanding(organization, is_management=is_management, is_known=is_management)
        way = tree.way_to(tree.accounts[number])
        # A tree without its root was synced during a change, so the policies above the account are unknown.
        is_whole = way[0] in tree.enabled and all(step in tree.names for step in way)
        path = "/".join([organization, *(tree.names.get(step, "") for step in way[:-1]), ""])
        paths = (path,) if is_whole else ()
        scps, rcps = (tree.levels(way, kind) for kind in POLICIES)
        # In AWS, every place has a policy of each enabled type, so an empty level hasn't been synced.
        return OrganizationStanding(
            organization,
            paths,
            is_management=number == manager,
            scps=self._once(tuple(filter(None, scps))),
            rcps=self._once(tuple(filter(None, rcps))),
            is_known=is_whole and all(scps) and all(rcps),
        )

    def _once(self, levels: tuple[Level, ...]) -> tuple[Level, ...]:
        shared_levels: tuple[Level, ...] = self._same.setdefault(levels, levels)
        return shared_levels


def _trees(at: datetime | None) -> dict[str, _Tree]:
    trees: dict[str, _Tree] = defaultdict(_Tree)
    columns = ("account__account_id", "entity_id", "kind", "entity__aws_id", "name", "document_id", "attrs")
    for number, pk, kind, aws_id, name, document, attrs in EntityState.objects.filter(
        valid_at(at), kind__in=KINDS
    ).values_list(*columns):
        tree = trees[number]
        if kind in POLICIES:
            tree.policies[pk] = (kind, PolicyRow(pk, name, document))
            continue
        tree.names[pk] = aws_id
        if kind == Kind.ORG_ACCOUNT:
            tree.accounts[aws_id] = pk
        elif kind == Kind.ORG_ROOT:
            tree.enabled[pk] = frozenset(attrs.get("PolicyTypes", ()))
    if trees:
        _tie(trees, at)
    return dict(trees)


def _tie(trees: dict[str, _Tree], at: datetime | None) -> None:
    edges = Edge.objects.filter(valid_at(at), kind__in=(EdgeKind.PARENT, EdgeKind.TARGET))
    for number, kind, source, target in edges.values_list(
        "account__account_id", "kind", "source_id", "target_id"
    ):
        tree = trees.get(number)
        if tree is None:
            continue
        if kind == EdgeKind.PARENT:
            tree.parents[source] = target
        elif source in tree.policies:
            tree.attached[target].append(tree.policies[source])
