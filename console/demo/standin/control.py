"""The stand-in's own questions and switches under /_standin/: health, faults, enforcement, reset."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable
from typing import Any

from console.demo.standin.errors import Reply
from console.demo.standin.world import Incoming, World

PREFIX = "/_standin/"


def serve(world: World, incoming: Incoming) -> Reply:
    """Answer one control request in JSON; only the machine itself may ask."""
    if not ipaddress.ip_address(incoming.source_ip).is_loopback:
        return _json(403, {"error": "the control endpoints answer the loopback address only"})
    action = ACTIONS.get((incoming.method, incoming.path.removeprefix(PREFIX)))
    if action is None:
        return _json(
            404, {"error": "unknown control endpoint", "known": sorted(f"{m} {p}" for m, p in ACTIONS)}
        )
    try:
        wanted = json.loads(incoming.body or b"{}")
        return _json(200, action(world, wanted))
    except (ValueError, TypeError, KeyError) as error:
        return _json(400, {"error": str(error)})


def _json(status: int, content: dict[str, Any]) -> Reply:
    return Reply(status, {"Content-Type": "application/json"}, json.dumps(content).encode())


def _health(world: World, _: dict[str, Any]) -> dict[str, Any]:
    return {"ok": True, "hub": world.hub}


def _faults(world: World, wanted: dict[str, Any]) -> dict[str, Any]:
    world.faults.configure(wanted)
    return world.faults.describe()


def _clear_faults(world: World, _: dict[str, Any]) -> dict[str, Any]:
    world.faults.clear()
    return world.faults.describe()


def _stats(world: World, _: dict[str, Any]) -> dict[str, Any]:
    return world.faults.describe()


ACTIONS: dict[tuple[str, str], Callable[[World, dict[str, Any]], dict[str, Any]]] = {
    ("GET", "health"): _health,
    ("GET", "stats"): _stats,
    ("POST", "faults"): _faults,
    ("POST", "faults/clear"): _clear_faults,
}
