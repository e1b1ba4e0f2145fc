"""The engine alone: distinct requests, simple and heavy, decided one by one; policies compiled, no decision
kept.

`python -m tests.bench.peers` has other engines decide the same requests.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from typing import Any

from iam.policy.evaluate import EvaluationDecision, RequestPolicies, decide
from iam.policy.lines import question
from iam.policy.request import Principal, Request
from tests.bench.evaluate_requests import Data, heavy, principals, simple, worlds
from tests.bench.floor import figure

SIMPLE, HEAVY, ROUNDS = 60_000, 20_000, 5
LIMITS = {"simple": 1e6 / 150_000, "heavy": 1e6 / 10_000}
"""Microseconds a request."""
PEERS = {"simple": ("iam-simulate core", 65_000), "heavy": ("PMapper, without the RCP", 4_500)}
"""The most that a peer was seen to decide a second, of whatever requests; of these very ones see
`tests.bench.peers`.
"""


class Engine:
    """The principals, and the policies of each world, made ready."""

    def __init__(self) -> None:
        self.principals = [_principal(principal) for principal in principals()]
        self.worlds = {name: _policies(world) for name, world in worlds().items()}

    def decide(self, requests: list[Data]) -> list[EvaluationDecision]:
        """Each request made from its texts, and decided as AWS decides a real one."""
        people, policies = self.principals, self.worlds
        return [
            decide(
                Request(
                    request["action"],
                    request["resource"],
                    people[request["principal"]],
                    context=request["context"],
                    strict=True,
                ),
                policies[request["world"]],
            )
            for request in requests
        ]


def _principal(source: Data) -> Principal:
    return Principal(source["arn"], source["account"], source["tags"], unique_id=source["unique_id"])


def _policies(world: Data) -> RequestPolicies:
    line = {"action": "s3:GetObject", "resource": "*", "principal": principals()[0], "policies": world}
    return question(json.loads(json.dumps(line)), strict=True)[1]


def run() -> list[dict[str, Any]]:
    """Microseconds a request, making the request included."""
    engine = Engine()
    return [
        *_figures(engine, "simple", list(simple(SIMPLE))),
        *_figures(engine, "heavy", list(heavy(HEAVY))),
    ]


def _figures(engine: Engine, name: str, requests: list[Data]) -> list[dict[str, Any]]:
    check_distinct(requests)
    seconds, decisions = fastest(engine, requests, rounds=ROUNDS)
    check_mixed(decisions)
    rate = len(requests) / seconds
    peer, theirs = PEERS[name]
    title = f"engine: {name} requests, {rate:,.0f} a second, CPU"
    return [
        figure(title, 1e6 / rate, "us", limit=round(LIMITS[name], 3)),
        figure(f"engine: {name} requests, beside {peer} ({theirs:,} a second)", rate / theirs, "times"),
    ]


def fastest(engine: Engine, requests: list[Data], *, rounds: int) -> tuple[float, list[EvaluationDecision]]:
    """The CPU seconds of the best round, and the decisions."""
    best, decisions = float("inf"), []
    for _ in range(rounds):
        began = time.process_time()
        decisions = engine.decide(requests)
        best = min(best, time.process_time() - began)
    return best, decisions


def check_distinct(requests: list[Data]) -> None:
    """No request is the same as another, whatever their numbers."""
    texts = {json.dumps(request | {"id": 0}, sort_keys=True) for request in requests}
    assert len(texts) == len(requests)


def check_mixed(decisions: list[EvaluationDecision]) -> None:
    """A tenth of the requests at least goes each way, and nothing is left open."""
    counts = Counter(decisions)
    assert not counts[EvaluationDecision.CONDITIONAL]
    for decision in (
        EvaluationDecision.ALLOWED,
        EvaluationDecision.EXPLICITLY_DENIED,
        EvaluationDecision.IMPLICITLY_DENIED,
    ):
        assert counts[decision] * 10 >= len(decisions), counts


if __name__ == "__main__":
    for row in run():
        print(f"{row['name']:<80} {row['value']:>10} {row['unit']}")
