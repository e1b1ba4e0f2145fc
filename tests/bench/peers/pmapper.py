"""Asks Principal Mapper, in an interpreter that has it: a question file in, what it found as JSON out.

It says yes or no, knows neither RCPs nor endpoint policies, and asks users and roles only. This file runs
without Gatehouse.
"""

from __future__ import annotations

import collections
import collections.abc
import importlib
import json
import sys
import time
from pathlib import Path
from typing import Any

# The newest release imports names from where Python 3.10 no longer has them.
for name in ("Mapping", "MutableMapping"):
    setattr(collections, name, getattr(collections.abc, name))

common = importlib.import_module("principalmapper.common")
authorized = importlib.import_module(
    "principalmapper.querying.query_interface"
).local_check_authorization_full
UNKNOWN = {"rcps", "endpoint"}
"""What it does not take."""
FAILURES = (AttributeError, LookupError, SyntaxError, TypeError, ValueError)
"""What it raises where a policy or a request is not as it expects."""


def _policies(documents: list[Any]) -> list[Any]:
    return [
        common.Policy(f"arn:aws:iam::111122223333:policy/p{place}", f"p{place}", document)
        for place, document in enumerate(documents)
    ]


def _node(principal: dict[str, Any], policies: dict[str, Any]) -> Any:
    arn = principal["arn"]
    boundary = _policies(policies.get("boundary") or [])
    return common.Node(
        arn,
        principal.get("unique_id") or "AIDAUNKNOWN",
        _policies(policies.get("identity") or []),
        None,
        {} if ":role/" in arn else None,
        [] if ":role/" in arn else None,
        0,
        False,
        False,
        boundary[0] if boundary else None,
        False,
        principal.get("tags") or None,
    )


class World:
    """Policies made ready: what it takes beside the principal."""

    def __init__(self, policies: dict[str, Any]) -> None:
        scps = policies.get("scps")
        session = policies.get("session") or []
        self.more = {
            "resource_policy": policies.get("resource"),
            "service_control_policy_groups": None if not scps else [_policies(level) for level in scps],
            "session_policy": session[0] if session else None,
        }

    def ask(self, node: Any, request: dict[str, Any]) -> bool:
        """Whether it may."""
        return bool(
            authorized(
                node,
                request["action"],
                request["resource"],
                request["context"],
                resource_owner=request["resource_account"],
                **self.more,
            )
        )


def measured(given_world: dict[str, Any], requests: list[dict[str, Any]], rounds: int) -> dict[str, Any]:
    """Microseconds a request, and the decisions."""
    worlds = {name: World(policies) for name, policies in given_world["worlds"].items()}
    nodes = {
        (place, name): _node(principal, policies)
        for name, policies in given_world["worlds"].items()
        for place, principal in enumerate(given_world["principals"])
    }
    best, answers = float("inf"), []
    for _ in range(rounds):
        began = time.process_time()
        answers = [
            worlds[request["world"]].ask(nodes[request["principal"], request["world"]], request)
            for request in requests
        ]
        best = min(best, time.process_time() - began)
    return {"rates": {"": len(requests) / best}, "answers": {"": answers}}


def decided(line: dict[str, Any]) -> bool | str:
    """The answer to a case, or why there is none."""
    policies, principal = line["policies"], line["principal"]
    if unknown := sorted(UNKNOWN & policies.keys()):
        return f"takes no {unknown[0]}"
    if not any(f":{kind}/" in principal["arn"] for kind in ("user", "role")):
        return "asks users and roles only"
    if any(len(policies.get(kind) or []) > 1 for kind in ("boundary", "session")):
        return "takes one boundary and one session policy"
    try:
        return World(policies).ask(_node(principal, policies), line)
    except FAILURES as error:
        return f"fails: {type(error).__name__}: {error}"[:160]


def main(path: str) -> dict[str, Any]:
    """All that the question file asks."""
    content = json.loads(Path(path).read_text(encoding="utf-8"))
    times = {
        name: measured(content, requests, content["rounds"]) for name, requests in content["requests"].items()
    }
    return {"runs": times, "cases": [decided(line) for line in content["cases"]]}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1])))
