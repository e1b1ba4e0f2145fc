"""Parses signed AWS requests: service, Region, access key, action and parameters."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

from botocore.session import Session

SCOPE = re.compile(r"Credential=([^/,]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")
UNSIGNED = {"AssumeRoleWithWebIdentity": "sts", "AssumeRoleWithSAML": "sts"}
REST = frozenset({"rolesanywhere", "eks"})
"""Services whose requests identify the action by method and path."""
READS = ("Get", "List", "Describe", "Generate", "Simulate", "Lookup", "Decode", "Validate", "Search")


@dataclass(frozen=True)
class AwsRequest:
    """A parsed request to AWS. `target` is set only for the JSON services."""

    service: str
    region: str
    access_key_id: str
    action: str
    target: str
    parameters: dict[str, Any]

    @property
    def is_write(self) -> bool:
        """True if the call changes the account or issues credentials."""
        return bool(self.action) and not is_read(self.action)


def is_read(action: str) -> bool:
    """Return True if a call only reads, judged by its name."""
    return action.startswith(READS)


def read(
    headers: dict[str, str], body: bytes, *, query: str = "", method: str = "POST", path: str = "/"
) -> AwsRequest:
    """Parse a request. `headers` have lower-case names. An unsigned request has an empty access key ID."""
    scope = SCOPE.search(headers.get("authorization", ""))
    key, region, service = scope.groups() if scope else ("", "us-east-1", "")
    target = headers.get("x-amz-target", "")
    if target:
        parameters: dict[str, Any] = _json(body)
        action = target.rpartition(".")[2]
    elif service in REST:
        parameters = _json(body)
        action = _rest_action(service, method, path)
    else:
        parameters = dict(parse_qsl(body.decode("utf-8", "replace") or query, keep_blank_values=True))
        action = str(parameters.pop("Action", ""))
        parameters.pop("Version", None)
    return AwsRequest(service or UNSIGNED.get(action, ""), region, key, action, target, parameters)


def _rest_action(service: str, method: str, path: str) -> str:
    """Return the action of a REST request; "" if there is none."""
    for wanted_method, pattern, action in _rest_actions(service):
        if method == wanted_method and pattern.fullmatch(path):
            return action
    return ""


@cache
def _rest_actions(service: str) -> tuple[tuple[str, re.Pattern[str], str], ...]:
    """Return the method, path pattern and name of each action."""
    model = Session().get_service_model(service)
    actions = []
    for name in model.operation_names:
        http = model.operation_model(name).http
        path = re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(http["requestUri"].partition("?")[0]))
        actions.append((str(http["method"]), re.compile(path), name))
    return tuple(actions)


def _json(body: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(body or b"{}")
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
