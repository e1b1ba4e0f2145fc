"""The sample organisation: what was planted in it is found, and what only looks like it is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from console.demo.standin.startup import start
from iam.policy.escalation.graph import EscalationGraph, GraphNode
from iam.policy.escalation.path_builder import PathBuilder
from iam.policy.escalation.paths import PathExplorer
from iam.policy.escalation.states import AS_IT_IS, OutsideFacts
from iam.policy.index.rows import RowChanges
from iam.policy.index.scenario import row_of
from tests.console.demo.planted import HARMLESS, PLANTED, Problem
from tests.iam.policy.escalation.northline import Northline

METHODS = {
    "deployers": "pass-role-lambda-invoke",
    "data-platform": "iam-create-policy-version",
    "qa": "iam-attach-user-policy",
    "ml-research": "pass-role-batch",
}
"""What each planted group can do, named after its planted actions."""
BOUNDED = {"qa"}
"""Groups all of whose members have a boundary that does not let them."""
ESCALATIONS = [problem for problem in PLANTED if problem.kind == "privilege-escalation"]


@pytest.fixture(scope="module")
def northline() -> Iterator[Northline]:
    standin = start()
    yield Northline(standin)
    standin.stop()


@pytest.fixture(scope="module")
def graph(northline: Northline) -> EscalationGraph:
    return EscalationGraph(northline.index, facts=northline.facts)


def members(northline: Northline, problem: Problem) -> list[str]:
    served = northline.served[problem.account]
    group = served.by_arn[problem.arn]["GroupName"]
    return [user["Arn"] for user in served.details["UserDetailList"] if group in user.get("GroupList", ())]


def methods(graph: EscalationGraph, at: GraphNode) -> set[str]:
    ways = [way for each in graph.account_graphs[at.account].inward.values() for way in each]
    used = [way for way in ways if way.bits.any >> at.node & 1]
    return {
        alternative.method.name
        for way in used
        for part in way.parts
        for alternative in part
        if alternative.bits.any >> at.node & 1
    }


def name_of(problem: Problem) -> str:
    return problem.arn.rpartition("/")[2]


@pytest.mark.parametrize("problem", ESCALATIONS, ids=name_of)
def test_a_planted_escalation_is_found(
    northline: Northline, graph: EscalationGraph, problem: Problem
) -> None:
    people = members(northline, problem)
    assert people
    for arn in people:
        member = northline.index.find(arn)
        assert member is not None
        at = graph.at(member)
        assert at is not None
        if at in graph.to_administrator().sure and graph.to_administrator().sure[at][0] == 0:
            continue
        assert (METHODS[name_of(problem)] in methods(graph, at)) is (name_of(problem) not in BOUNDED), arn


def test_deployers_and_data_platform_reach_administrators(
    northline: Northline, graph: EscalationGraph
) -> None:
    reach = graph.to_administrator()
    for problem in (problem for problem in ESCALATIONS if name_of(problem) in ("deployers", "data-platform")):
        for arn in members(northline, problem):
            member = northline.index.find(arn)
            assert member is not None
            assert graph.at(member) in reach.any, arn


def test_without_the_boundary_members_of_qa_attach_policies_to_themselves(northline: Northline) -> None:
    (problem,) = (problem for problem in ESCALATIONS if name_of(problem) == "qa")
    member = northline.index.find(members(northline, problem)[0])
    assert member is not None
    row, bare = row_of(member), row_of(member)
    bare.grants = replace(row.grants, boundary=None)
    northline.index.apply(member.account, RowChanges(principals=[bare]))
    graph = EscalationGraph(northline.index, facts=northline.facts, accounts=[member.account])
    at = graph.find(member.account, member.id)
    assert at is not None
    path = PathExplorer(graph, northline.index).path(at, graph.to_administrator())
    northline.index.apply(member.account, RowChanges(principals=[row]))
    assert path is not None
    assert [act.alternative.method.name for act in path.steps[0].acts] == ["iam-attach-user-policy"]


def test_what_only_looks_like_escalation_is_none(northline: Northline, graph: EscalationGraph) -> None:
    (problem,) = (problem for problem in HARMLESS if problem.kind == "privilege-escalation")
    member = northline.index.find(problem.arn)
    assert member is not None
    assert graph.at(member) not in graph.to_administrator().any


def test_planted_administrators_are_administrators(northline: Northline, graph: EscalationGraph) -> None:
    reach = graph.to_administrator()
    for problem in (problem for problem in PLANTED if problem.kind == "administrator-role"):
        member = northline.index.find(problem.arn)
        assert member is not None
        at = graph.at(member)
        assert at is not None
        assert reach.sure[at] == (0, None)


def test_administrators_that_are_found_alone_are_those_of_the_graph(
    northline: Northline, graph: EscalationGraph
) -> None:
    for number, account_graph in graph.account_graphs.items():
        administrators = PathBuilder(
            northline.index, northline.index.accounts[number], OutsideFacts()
        ).administrators()
        bits = account_graph.administrators
        wanted = {
            node.member.id: bool(bits.sure >> place & 1)
            for place, node in enumerate(account_graph.nodes)
            if node.member is not None and node.state == AS_IT_IS and bits.any >> place & 1
        }
        assert administrators == wanted
    assert any(graph.account_graphs[number].administrators.sure for number in graph.account_graphs)
