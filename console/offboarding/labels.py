"""Describes an offboarding, a suspension or a restore in plain words: one line per type of change, with its
number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from iam.changes.operations import Operation
from iam.people.offboarding.open_access import DENY, DENY_ALL

NO_WAY_BACK: Final = "This can’t be restored."
_WORDS: Final[dict[str, tuple[str, str, str]]] = {
    "login_profile.delete": ("Deletes the console password", "Deletes {n} console passwords", NO_WAY_BACK),
    "access_key.deactivate": ("Deactivates 1 access key", "Deactivates {n} access keys", ""),
    "service_credential.deactivate": (
        "Deactivates 1 service-specific credential",
        "Deactivates {n} service-specific credentials",
        "",
    ),
    "ssh_key.deactivate": ("Deactivates 1 SSH key", "Deactivates {n} SSH keys", ""),
    "signing_certificate.deactivate": (
        "Deactivates 1 signing certificate",
        "Deactivates {n} signing certificates",
        "",
    ),
    "mfa_device.deactivate": ("Removes 1 MFA device", "Removes {n} MFA devices", NO_WAY_BACK),
    "mfa_device.delete": ("Removes 1 MFA device", "Removes {n} MFA devices", NO_WAY_BACK),
    "group_membership.remove": ("Removes them from 1 group", "Removes them from {n} groups", ""),
    "role_sessions.revoke": ("Ends their sessions in 1 role", "Ends their sessions in {n} roles", ""),
    "trust_policy.replace": ("Removes them from 1 trust policy", "Removes them from {n} trust policies", ""),
}
"""(singular, plural, note) by slug of the operation."""


@dataclass(frozen=True, slots=True)
class PlainStep:
    """A line; `is_deny` marks the first one, which blocks everything."""

    text: str
    note: str = ""
    is_deny: bool = False


def plain_steps(operations: Sequence[Operation]) -> list[PlainStep]:
    """Return what the operations of a user do, the deny first."""
    steps: list[PlainStep] = []
    if any(map(_is_deny, operations)):
        note = "First of all. From then on AWS refuses everything that they try."
        steps.append(PlainStep("Denies them everything", note, is_deny=True))
    counts = Counter(_sort(operation) for operation in operations if not _is_deny(operation))
    for slug, count in counts.items():
        if slug not in _WORDS:
            continue
        single, several, note = _WORDS[slug]
        sentence = single if count == 1 else several.format(n=count)
        steps.append(PlainStep(sentence, note))
    steps += [
        PlainStep(operation.title, operation.irreversible) for operation in _other_operations(operations)
    ]
    return steps


def _sort(operation: Operation) -> str:
    return "mfa_device.deactivate" if operation.slug == "mfa_device.delete" else operation.slug


def _other_operations(operations: Iterable[Operation]) -> Iterable[Operation]:
    return (operation for operation in operations if operation.slug not in _WORDS and not _is_deny(operation))


def _is_deny(operation: Operation) -> bool:
    params = operation.params
    return params.get("policy_name") == DENY or str(params.get("policy_arn", "")).endswith(DENY_ALL)
