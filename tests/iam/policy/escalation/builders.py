"""Small organisations, principal by principal, and the questions that tests put to them."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from iam.policy.escalation.graph import EscalationGraph, GraphNode
from iam.policy.escalation.paths import EscalationPath, PathExplorer
from iam.policy.escalation.states import NO_FACTS, OutsideFacts
from iam.policy.index.index import PolicyIndex
from iam.policy.index.rows import (
    ALONE,
    AccountRows,
    GroupRow,
    OrganizationStanding,
    PolicyHoldings,
    PolicyRow,
    PrincipalRow,
)
from tests.iam.policy.index.organisations import Organisation

ONE, TWO = "111111111111", "222222222222"
SURE, CONDITIONAL, NONE = "sure", "conditional", "none"


def say(effect: str, actions: Any, resources: Any = "*", **more: Any) -> dict[str, Any]:
    """A statement."""
    return {"Effect": effect, "Action": actions, "Resource": resources, **more}


def allow(actions: Any, resources: Any = "*", **conditions: Any) -> dict[str, Any]:
    """An Allow statement; further arguments are its conditions by operator."""
    return say("Allow", actions, resources, **({"Condition": conditions} if conditions else {}))


def deny(actions: Any, resources: Any = "*", **conditions: Any) -> dict[str, Any]:
    """A Deny statement."""
    return say("Deny", actions, resources, **({"Condition": conditions} if conditions else {}))


EVERYTHING = allow("*")


def text(*statements: dict[str, Any]) -> str:
    """A document."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trust(principal: Any, **conditions: Any) -> dict[str, Any]:
    """A statement of a trust policy; a service's is taken by any action that takes roles."""
    more = {"Condition": conditions} if conditions else {}
    return {
        "Effect": "Allow",
        "Principal": principal,
        "Action": ["sts:AssumeRole", "sts:AssumeRoleWithWebIdentity"],
        **more,
    }


class World:
    """Accounts that are put together piece by piece; whatever comes last is asked."""

    def __init__(self) -> None:
        self.organisation = Organisation()
        self._next = 1
        self._rows: dict[str, AccountRows] = {}
        self._index: PolicyIndex | None = None
        self.facts: OutsideFacts = NO_FACTS
        self.arns: dict[str, tuple[str, int]] = {}

    def account(self, number: str = ONE) -> AccountRows:
        """The rows of an account, which is made when it is first named."""
        if number not in self._rows:
            self._rows[number] = AccountRows([], [], [], (), number, "aws", ALONE)
            self.organisation.accounts.append(self._rows[number])
        return self._rows[number]

    def number(self) -> int:
        """A number that nothing else has."""
        self._next += 1
        return self._next

    def digest(self, *statements: dict[str, Any]) -> str:
        """Keep a document."""
        return self.organisation.digest(text(*statements))

    def policy(self, name: str, *statements: dict[str, Any], account: str = ONE, owner: str = "") -> int:
        """A managed policy; its number."""
        number = self.number()
        arn = f"arn:aws:iam::{owner or account}:policy/{name}"
        self.account(account).policies.append(PolicyRow(number, arn, self.digest(*statements)))  # type: ignore[attr-defined]
        return number

    def group(
        self, name: str, *statements: dict[str, Any], attached: tuple[int, ...] = (), account: str = ONE
    ) -> int:
        """A group; its number."""
        number = self.number()
        inline = (("own", self.digest(*statements)),) if statements else ()
        self.account(account).groups.append(GroupRow(number, name, PolicyHoldings(inline, attached)))  # type: ignore[attr-defined]
        return number

    def user(self, name: str, *statements: dict[str, Any], account: str = ONE, **more: Any) -> str:
        """A user; its ARN."""
        return self._principal(f"arn:aws:iam::{account}:user/{name}", statements, account, None, more)

    def role(
        self, name: str, *statements: dict[str, Any], trusts: Any = None, account: str = ONE, **more: Any
    ) -> str:
        """A role, which nobody may take if nothing is said of its trust; its ARN."""
        statement = (
            trusts if isinstance(trusts, dict) and "Effect" in trusts else trust(trusts or {"AWS": []})
        )
        digest = self.digest(statement)
        return self._principal(f"arn:aws:iam::{account}:role/{name}", statements, account, digest, more)

    def _principal(
        self, arn: str, statements: Any, account: str, trusted: str | None, more: dict[str, Any]
    ) -> str:
        inline = (("own", self.digest(*statements)),) if statements else ()
        grants = PolicyHoldings(
            inline, more.pop("attached", ()), more.pop("groups", ()), more.pop("boundary", None)
        )
        row = PrincipalRow(self.number(), arn, "", grants, more.pop("tags", {}), trusted)
        assert not more
        self.account(account).principals.append(row)  # type: ignore[attr-defined]
        self.arns[arn.rpartition("/")[2]] = (account, row.id)
        return arn

    def stand(self, *scps: dict[str, Any], account: str = ONE, **more: Any) -> None:
        """Put an account under a root that allows everything and a level with these statements."""
        full = PolicyRow(self.number(), "FullAWSAccess", self.digest(EVERYTHING))
        own = PolicyRow(self.number(), "Guardrail", self.digest(EVERYTHING, *scps))
        self.account(account).standing = OrganizationStanding(
            "o-one", ("o-one/r-1/",), scps=((full,), (own,)), **more
        )

    @property
    def index(self) -> PolicyIndex:
        """The index of everything so far."""
        if self._index is None:
            self._held = self.organisation.held()
            self._index = self.organisation.index()
        return self._index

    def changed(self) -> World:
        """The same, to be asked anew after rows were exchanged."""
        self._index = None
        self.__dict__.pop("_graph", None)
        return self

    @property
    def graph(self) -> EscalationGraph:
        """The graph of everything so far."""
        graph: EscalationGraph | None = self.__dict__.get("_graph")
        if graph is None:
            graph = self.__dict__["_graph"] = EscalationGraph(self.index, facts=self.facts)
        return graph

    def at(self, name: str) -> GraphNode:
        """Where a principal is."""
        at = self.graph.find(*self.arns[name])
        assert at is not None
        return at

    def becomes_administrator(self, name: str) -> str:
        """Whether somebody is or reaches an administrator: `sure`, `conditional` or `none`."""
        reach, at = self.graph.to_administrator(), self.at(name)
        return SURE if at in reach.sure else CONDITIONAL if at in reach.any else NONE

    def path(self, name: str, to: str = "") -> EscalationPath | None:
        """The path of somebody to administrator, or to somebody else."""
        graph = self.graph
        reach = graph.to([self.at(to)]) if to else graph.to_administrator()
        return PathExplorer(graph, self.index).path(self.at(name), reach)

    def steps(self, name: str, to: str = "") -> list[list[str]] | None:
        """The names of the methods of each step; None where there is no path."""
        path = self.path(name, to)
        if path is None:
            return None
        return [[act.alternative.method.name for act in step.acts] for step in path.steps]

    def methods(self, name: str) -> dict[str, str]:
        """All methods that somebody can use on anything, whether or not they lead to much."""
        at = self.at(name)
        bit = 1 << at.node
        methods: dict[str, str] = {}
        account_graph = self.graph.account_graphs[at.account]
        crossing = [c for each in self.graph.crossings.values() for c in each if c.account == at.account]
        ways = [way for each in account_graph.inward.values() for way in each]
        for parts, bits in [(w.parts, w.bits) for w in ways] + [(c.parts, c.bits) for c in crossing]:
            for alternative in (alternative for part in parts for alternative in part if bits.any & bit):
                if alternative.bits.sure & bits.sure & bit:
                    methods[alternative.method.name] = SURE
                elif alternative.bits.any & bit:
                    methods.setdefault(alternative.method.name, CONDITIONAL)
        return methods


def digest_of(document: str) -> str:
    """As organisations name documents."""
    return hashlib.blake2b(document.encode(), digest_size=16).hexdigest()
