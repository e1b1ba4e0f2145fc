"""Converts everyone who is or can become administrator into rows; only paths affected by writes are explained
again. For workers.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from iam.access.certainty import UnreadSources, certainty_of
from iam.access.escalation import CERTAIN
from iam.access.escalation_calculation import search
from iam.access.escalation_calculation.code_version import code_version
from iam.access.escalation_calculation.groups import Opener, grouped, options_of
from iam.access.escalation_calculation.kept_paths import path_of
from iam.access.escalation_calculation.models import (
    EscalationCalculation,
    EscalationFinding,
    EscalationOpening,
)
from iam.access.escalation_calculation.path_records import statement_to, to_json
from iam.access.escalation_graph import ExplainedGraph
from iam.access.opening_keys import OWN_KEY, key_of
from iam.access.persons import searched
from iam.mirror.queries.accounts import gatehouse_role_arns
from iam.policy.escalation.account_graphs import facts_of
from iam.policy.escalation.graph import GraphNode
from iam.policy.escalation.states import OutsideFacts
from iam.policy.request import PrincipalKind

MEANS: Final = 5
"""The number of stored paths per group and account."""


def digest_of(of: object) -> str:
    """A short digest."""
    return hashlib.blake2b(repr(of).encode(), digest_size=16).hexdigest()


def _canonical(facts: OutsideFacts) -> tuple[object, ...]:
    """The facts in canonical order."""
    return (
        sorted(facts.group_arns.items()),
        sorted((number, sorted(roles)) for number, roles in facts.profiled.items()),
        sorted(facts.running.items()),
        sorted(facts.passwords.items()),
        None if facts.versions is None else sorted(facts.versions.items()),
    )


@dataclass(slots=True)
class _StoredPath:
    """The explained path of a principal, and the sets of statements that close it."""

    stamp: str
    options: frozenset[Opener]


_told: dict[str, dict[GraphNode, _StoredPath]] = {}
"""By moment, so that unaffected paths are not explained again."""


def forget() -> None:
    """Clear the caches of this process."""
    _told.clear()


@dataclass(slots=True)
class AccountFindings:
    """Everyone who is or can become administrator, as rows. Stored paths with an equal stamp are reused."""

    known: ExplainedGraph
    revisions: Mapping[str, int]
    calculation: EscalationCalculation
    unsynced: Collection[str] = ()
    """The accounts whose users or roles had never been synced when it began."""
    is_whole: bool = False
    """True to explain all paths again, whatever is stored."""
    rows: dict[int, EscalationFinding] = field(default_factory=dict)
    openings: dict[str, EscalationOpening] = field(default_factory=dict)
    asked: dict[str, list[int]] = field(default_factory=dict)
    unread: dict[str, list[str]] = field(default_factory=dict)
    anew: int = 0
    _options: dict[GraphNode, frozenset[Opener]] = field(default_factory=dict)
    _kept: dict[int, str] = field(default_factory=dict)
    _stamps: dict[str, str] = field(default_factory=dict)

    def fill_rows(self) -> None:
        """Fill the rows."""
        index, graph = self.known.index, self.known.graph
        self._kept = dict(
            EscalationFinding.objects.filter(calculation=self.calculation).values_list("principal", "stamp")
        )
        passed = index.documents.passed() if index.moment is None else 0
        for number in graph.account_graphs:
            shard = index.accounts[number]
            facts = _canonical(facts_of(graph.facts, shard))
            state = (code_version(), self.revisions.get(number), passed, shard.standing, facts)
            self._stamps[number] = digest_of(state)
        self.asked = {number: [0, 0] for number in self.revisions if number not in self.unsynced}
        unread = UnreadSources(index, at=self.known.at)
        self.unread = {number: list(clauses) for number, clauses in unread.accounts.items()}
        reach = graph.to_administrator()
        before = _told.get(self.calculation.moment, {})
        after: dict[GraphNode, _StoredPath] = {}
        for at in graph.everybody:
            member = graph.node(at).member
            assert member is not None
            is_role = member.kind is PrincipalKind.ROLE
            self.asked.setdefault(at.account, [0, 0])[is_role] += 1
            hops = reach.best(at)
            if hops is None:
                continue
            stamp = self._stamp(at, hops)
            steps, is_sure = hops[at][0], at in reach.sure
            clauses = unread.about_members(search.on_the_way(self.known, hops, at))
            unread_on_way = clauses if steps else ()
            certainty = certainty_of(is_sure=is_sure, unread=unread_on_way)
            row = EscalationFinding(
                calculation=self.calculation,
                account=at.account,
                principal=member.id,
                arn=member.arn,
                aws_id=member.unique_id,
                is_role=is_role,
                is_conditional=not is_sure,
                steps=steps,
                certainty=CERTAIN[certainty],
                unread=list(clauses),
                search=searched(member),
                path=None,
                stamp=stamp,
            )
            known = before.get(at)
            if self.is_whole or known is None or known.stamp != stamp or self._kept.get(member.id) != stamp:
                path = self.known.explorer.path(at, reach)
                assert path is not None
                self.anew += 1
                row.path = to_json(path_of(path))
                known = _StoredPath(stamp, options_of(path.steps))
            after[at] = known
            self.rows[member.id] = row
            if steps:
                self._options[at] = known.options
        _told[self.calculation.moment] = after
        self._group()

    def _stamp(self, at: GraphNode, hops: Mapping[GraphNode, tuple[int, Any]]) -> str:
        """The state of the accounts on the path, and the path itself."""
        way: list[object] = []
        accounts = set[str]()
        here: GraphNode | None = at
        while here is not None:
            hop = hops[here][1]
            node = self.known.graph.node(here)
            way.append((here.account, None if node.member is None else node.member.arn, node.state))
            accounts.add(here.account)
            here = None if hop is None else hop.to
        return digest_of((way, [self._stamps[number] for number in sorted(accounts)]))

    def _group(self) -> None:
        own = gatehouse_role_arns()
        mine = {at for at in self._options if self._row_of(at).arn in own}
        groups = grouped({at: options for at, options in self._options.items() if at not in mine})
        for opener, starts in groups.items():
            self._open(key_of(opener), opener, starts)
        if mine:
            self._open(OWN_KEY, frozenset(), mine)

    def _row_of(self, at: GraphNode) -> EscalationFinding:
        member = self.known.graph.node(at).member
        assert member is not None
        return self.rows[member.id]

    def _open(self, key: str, opener: Opener, starts: Iterable[GraphNode]) -> None:
        statements = [
            statement_to(statement)
            for statement in sorted(opener, key=lambda s: (s.holder, s.policy, s.number))
        ]
        tally: dict[str, dict[str, int]] = {}
        rows = sorted(
            (self._row_of(at) for at in starts),
            key=lambda r: (r.certainty, r.is_role, r.steps, r.account, r.arn),
        )
        for row in rows:
            row.opener = key
            means = json.dumps(self._path_signature(row))
            of_account = tally.setdefault(row.account, {})
            of_account[means] = of_account.get(means, 0) + 1
        means_of = {
            number: [
                [many, json.loads(text)]
                for text, many in sorted(counts.items(), key=lambda each: -each[1])[:MEANS]
            ]
            for number, counts in tally.items()
        }
        self.openings[key] = EscalationOpening(
            calculation=self.calculation, key=key, statements=statements, means=means_of
        )

    def _path_signature(self, row: EscalationFinding) -> list[list[list[str]]]:
        """The acts of the path, without its principals."""
        at = self.known.graph.find(row.account, row.principal)
        assert at is not None
        hops = self.known.graph.to_administrator().best(at)
        assert hops is not None
        steps: list[list[list[str]]] = []
        hop = hops[at][1]
        while hop is not None:
            parts = () if hop.way is None else hop.way.parts
            bit = 1 << at.node
            chosen = [
                min(
                    (alternative for alternative in part if alternative.bits.any & bit),
                    key=lambda alternative: not alternative.bits.sure & bit,
                )
                for part in parts
            ]
            steps.append(
                [
                    [alternative.method.title, alternative.subject.name, alternative.subject.arn]
                    for alternative in chosen
                ]
            )
            at = hop.to
            hop = hops[at][1]
        return steps
