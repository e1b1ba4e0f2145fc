"""Reading a signed AWS request: service, region, access key, action and parameters."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

SCOPE = re.compile(r"Credential=([^/,]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")
UNSIGNED = {"AssumeRoleWithWebIdentity": "sts", "AssumeRoleWithSAML": "sts"}
READS = ("Get", "List", "Describe", "Generate", "Simulate", "Lookup", "Decode", "Validate", "Search")


@dataclass(frozen=True)
class AwsRequest:
    """What one HTTP request asks of AWS; `target` is set for the JSON services only."""

    service: str
    region: str
    access_key_id: str
    action: str
    target: str
    parameters: dict[str, Any]

    @property
    def is_write(self) -> bool:
        """Whether the call changes the account, or gives out credentials."""
        return bool(self.action) and not is_read(self.action)


def is_read(action: str) -> bool:
    """Whether a call only looks, by its name."""
    return action.startswith(READS)


def read(headers: dict[str, str], body: bytes, *, query: str = "") -> AwsRequest:
    """Take a request apart. `headers` have lower-case names; an unsigned request has an empty key."""
    scope = SCOPE.search(headers.get("authorization", ""))
    key, region, service = scope.groups() if scope else ("", "us-east-1", "")
    target = headers.get("x-amz-target", "")
    if target:
        parameters: dict[str, Any] = _json(body)
        action = target.rpartition(".")[2]
    else:
        parameters = dict(parse_qsl(body.decode("utf-8", "replace") or query, keep_blank_values=True))
        action = str(parameters.pop("Action", ""))
        parameters.pop("Version", None)
    return AwsRequest(service or UNSIGNED.get(action, ""), region, key, action, target, parameters)


def _json(body: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(body or b"{}")
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
