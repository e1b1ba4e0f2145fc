"""Finds administrators: principals that can change any principal's permissions in the account, as far as the
organization's policies allow that.

A principal with these few actions on every user, role, group and policy can give itself all others.
"""

from __future__ import annotations

from typing import Final

from iam.policy.escalation.names import NOBODY as NO_NAME
from iam.policy.escalation.permission_checks import (
    EVERYBODY,
    HOME,
    NOBODY,
    CheckSource,
    PermissionAsker,
    PrincipalBits,
)
from iam.policy.escalation.states import ADMINISTRATOR_ACCESS

DECISIVE: Final = (
    ("iam:CreatePolicyVersion", "policy"),
    ("iam:PutRolePolicy", "role"),
    ("iam:AttachRolePolicy", "role"),
    ("iam:UpdateAssumeRolePolicy", "role"),
    ("iam:CreateRole", "role"),
    ("iam:PutUserPolicy", "user"),
    ("iam:AttachUserPolicy", "user"),
    ("iam:CreateAccessKey", "user"),
    ("iam:CreateUser", "user"),
    ("iam:PutGroupPolicy", "group"),
    ("iam:AttachGroupPolicy", "group"),
    ("iam:AddUserToGroup", "group"),
)
EVERY_KEY: Final = {
    "aws:RequestedRegion": HOME,
    "iam:PolicyARN": ADMINISTRATOR_ACCESS,
    "iam:PermissionsBoundary": None,
}


class AdministratorFinder:
    """Finds the administrators of one account. `ceiling` is the bit of a principal with `*` on `*` and no
    boundary. An administrator doesn't need the actions that the organization's policies deny even to it.
    """

    def __init__(self, asker: PermissionAsker, *, partition: str, account: str, ceiling: int) -> None:
        self._asker = asker
        self._prefix = f"arn:{partition}:iam::{account}:"
        self._ceiling = ceiling
        self._decisive = [(action, f"{self._prefix}{kind}/{NO_NAME}", True) for action, kind in DECISIVE]
        self._wanted: list[tuple[str, str, bool]] = []
        """(action, resource, whether the ceiling itself is sure)."""

    @property
    def has_any(self) -> bool:
        """True if the organization's policies allow any decisive action."""
        return bool(self._wanted)

    def measure(self) -> None:
        """Find out which decisive actions a principal with all permissions has. Call it once, while the
        ceiling is among the sources.
        """
        for action, resource, _ in self._decisive:
            able = self._asker.ask(action, resource, EVERY_KEY)
            if able.any & self._ceiling:
                self._wanted.append((action, resource, bool(able.sure & self._ceiling)))

    def bits(self, *, freed: int = 0) -> PrincipalBits:
        """Return the administrators among the principals checked. Those `freed` from SCPs need all decisive
        actions.
        """
        bits = _meeting(self._asker, self._wanted)
        return (
            bits.limited_to(~freed) | _meeting(self._asker, self._decisive).limited_to(freed)
            if freed
            else bits
        )

    def administrators_in(self, source: CheckSource) -> PrincipalBits:
        """Return the administrators of another source, which no SCP limits."""
        asker = PermissionAsker()
        asker.use([source])
        return _meeting(asker, self._decisive)


def _meeting(asker: PermissionAsker, wanted: list[tuple[str, str, bool]]) -> PrincipalBits:
    if not wanted:
        return NOBODY
    principals = EVERYBODY
    for action, resource, is_sure in wanted:
        bits = asker.ask(action, resource, EVERY_KEY)
        principals &= bits if is_sure else PrincipalBits(bits.any, bits.any)
    return principals
