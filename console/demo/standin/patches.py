"""The few places where moto itself is changed: its clock, and a lookup that it repeats at every request."""

from __future__ import annotations

import functools
import json
from typing import Any

import moto.core.responses
import moto.iam.models
import moto.organizations.models

from console.demo.standin import clock, ids


def apply() -> None:
    """Change moto, once per process; a second call does nothing."""
    if moto.iam.models.utcnow is clock.utcnow:
        return
    for module in (moto.iam.models, moto.organizations.models):
        if hasattr(module, "utcnow"):
            module.utcnow = clock.utcnow
    moto.core.responses.method_names_from_class = functools.cache(moto.core.responses.method_names_from_class)
    moto.iam.models.IAMBackend._init_aws_policies = _aws_managed_policies


@functools.cache
def _catalogue() -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(moto.iam.models.aws_managed_policies_data)
    return parsed


def _aws_managed_policies(backend: Any) -> list[Any]:
    """All AWS managed policies for one account: parsed once per process, with ids equal in every account."""
    policies = [
        moto.iam.models.AWSManagedPolicy.from_data(name, backend.account_id, backend.region_name, data)
        for name, data in _catalogue().items()
    ]
    for policy in policies:
        policy.id = ids.stable("ANPA", "000000000000", policy.arn)
    return policies
