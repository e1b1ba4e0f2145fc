"""Patches of moto: its clock, a lookup that it repeats with every request, and the records of key use."""

from __future__ import annotations

import functools
import json
from typing import Any

import moto.core.responses
import moto.iam.models
import moto.organizations.models

from console.demo.standin import clock, ids


def apply() -> None:
    """Patch moto once per process. Further calls do nothing."""
    if moto.iam.models.utcnow is clock.utcnow:
        return
    for module in (moto.iam.models, moto.organizations.models):
        if hasattr(module, "utcnow"):
            module.utcnow = clock.utcnow
    moto.core.responses.method_names_from_class = functools.cache(moto.core.responses.method_names_from_class)
    moto.iam.models.mark_account_as_visited = _leave_to_the_world
    moto.iam.models.IAMBackend._init_aws_policies = _aws_managed_policies


def _leave_to_the_world(*args: Any, **kwargs: Any) -> None:
    """Stop moto from recording key use with every request. The world records it as rarely as AWS."""


@functools.cache
def _catalogue() -> list[Any]:
    """Return all AWS managed policies as moto objects, with the same IDs in every account and process."""
    data: dict[str, Any] = json.loads(moto.iam.models.aws_managed_policies_data)
    make = moto.iam.models.AWSManagedPolicy.from_data
    policies = [make(name, "000000000000", "aws", entry) for name, entry in data.items()]
    for policy in policies:
        policy.id = ids.stable("ANPA", "000000000000", policy.arn)
        policy.versions[0].create_date = policy.update_date
    return policies


def _aws_managed_policies(backend: Any) -> list[Any]:
    """Return the same objects for every account, because no account-specific data is stored on them."""
    return list(_catalogue())
