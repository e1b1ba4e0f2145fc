"""Finds operations that remove a deny, by removing a policy or changing its text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from iam.changes.documents import DENIES
from iam.changes.operations import (
    DETACH_POLICY,
    REMOVE_FROM_GROUP,
    DeleteInlinePolicy,
    PutInlinePolicy,
)
from iam.changes.operations.base import Operation
from iam.changes.operations.inline_policy import is_denied_all
from iam.changes.operations.policy_version import DefaultText, default_text
from iam.mirror.models import InlinePolicy, valid_at
from iam.policy.statements import statements_of

_TAKING: Final = (DETACH_POLICY.slug, DeleteInlinePolicy.spec.slug, REMOVE_FROM_GROUP.slug)


def removes_deny(operation: Operation, *, beside: Sequence[Operation] = ()) -> bool:
    """True if the operation denies someone less than before, as far as policy texts show.

    A deny that also holds in another way is not lost, and neither is one of a principal that another
    operation of the set (`beside`) denies everything.
    """
    if operation.slug in _TAKING and is_denied_all(operation, beside):
        return False
    if operation.slug in _TAKING:
        return any(DENIES in policy.flags for policy in operation.effect().loses)
    if isinstance(operation, PutInlinePolicy):
        return bool(_denies(_inline_text(operation)) - _denies(operation.text))
    if isinstance(operation, DefaultText):
        policy = operation.subject()
        return policy is not None and bool(_denies(default_text(policy)) - _denies(operation.text))
    return False


def _inline_text(operation: PutInlinePolicy) -> str:
    """The current text of the inline policy; "" if it doesn't exist."""
    holder = operation.subject()
    if holder is None:
        return ""
    rows = InlinePolicy.objects.filter(valid_at(None), owner=holder, name=operation.inputs.policy_name)
    return rows.values_list("document__text", flat=True).first() or ""


def _denies(text: str) -> set[str]:
    """The Deny statements in normal form, without their names."""
    return {
        json.dumps({key: value for key, value in statement.items() if key != "Sid"}, sort_keys=True)
        for statement in statements_of(text)
        if statement.get("Effect") == "Deny"
    }
