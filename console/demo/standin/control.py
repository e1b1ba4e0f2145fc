"""Control requests under /_standin/: health, faults, enforcement, reset."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable
from typing import Any

from moto.iam.models import iam_backends

from console.demo.standin.errors import StandinReply
from console.demo.standin.iam import report
from console.demo.standin.iam.extras import MfaDevice, account_extras
from console.demo.standin.world import IncomingRequest, StandinWorld

PREFIX = "/_standin/"


def serve(world: StandinWorld, incoming: IncomingRequest) -> StandinReply:
    """Answer a control request in JSON. Only clients on the loopback address are allowed."""
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


def _json(status: int, content: dict[str, Any]) -> StandinReply:
    return StandinReply(status, {"Content-Type": "application/json"}, json.dumps(content).encode())


def _health(world: StandinWorld, _: dict[str, Any]) -> dict[str, Any]:
    accounts = {account: len(backends["aws"].users) for account, backends in list(iam_backends.items())}
    return {"ok": True, "hub": world.hub, "users_by_account": accounts, "enforcing": world.enforcing}


def _stats(world: StandinWorld, _: dict[str, Any]) -> dict[str, Any]:
    return world.faults.describe()


def _faults(world: StandinWorld, wanted: dict[str, Any]) -> dict[str, Any]:
    """Handle `{"latency_ms": 20, "rate": 0.1, "kinds": ["500"], "deny": {"<account>": ["iam:ListUsers"]},
    "stop_after": 7}`: set the faults to inject.
    """
    world.faults.configure(wanted)
    return world.faults.describe()


def _clear_faults(world: StandinWorld, _: dict[str, Any]) -> dict[str, Any]:
    world.faults.clear()
    return world.faults.describe()


def _enforce(world: StandinWorld, wanted: dict[str, Any]) -> dict[str, Any]:
    """Handle `{"on": true}`: check signatures and policies from now on."""
    world.enforcing = bool(wanted["on"])
    return {"enforcing": world.enforcing}


def _advance(world: StandinWorld, wanted: dict[str, Any]) -> dict[str, Any]:
    """Handle `{"hours": 4, "account": "<id>"}`: make the credential report older. Without an account, in all
    accounts.
    """
    hours = float(wanted.get("hours", 4))
    chosen = [wanted["account"]] if "account" in wanted else list(iam_backends)
    with world.lock:
        for account in chosen:
            report.advance(iam_backends[account]["aws"], hours=hours)
    return {"accounts": chosen, "hours": hours}


def _token(world: StandinWorld, wanted: dict[str, Any]) -> dict[str, Any]:
    """Handle `{"account": "<id>", "serial": "GAHT12345678", "seed": "<base32>"}`: add an unassigned hardware
    token.
    """
    serial = str(wanted["serial"])
    with world.lock:
        devices = account_extras(iam_backends[wanted["account"]]["aws"]).devices
        devices[serial] = MfaDevice(serial=serial, kind="hardware", seed=str(wanted["seed"]))
    return {"serial": serial}


def _reset(world: StandinWorld, wanted: dict[str, Any]) -> dict[str, Any]:
    """Remove all writes, faults and events, and serve the organization as first seeded.

    Sessions remain, because their roles exist again and workers still use their credentials.
    """
    world.reset()
    return {"ok": True}


ACTIONS: dict[tuple[str, str], Callable[[StandinWorld, dict[str, Any]], dict[str, Any]]] = {
    ("GET", "health"): _health,
    ("GET", "stats"): _stats,
    ("POST", "faults"): _faults,
    ("POST", "faults/clear"): _clear_faults,
    ("POST", "enforce"): _enforce,
    ("POST", "advance-credential-report"): _advance,
    ("POST", "token"): _token,
    ("POST", "reset"): _reset,
}
