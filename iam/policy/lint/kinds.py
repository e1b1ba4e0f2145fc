"""The kinds of policies, with their allowed elements and size quotas.

Sources: "IAM and AWS STS quotas"; "Quotas and service limits for AWS Organizations".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

SPACE: Final = re.compile(r"\s+", re.ASCII)


class LintKind(StrEnum):
    """Kinds of policies. A boundary and a session policy only limit; TRUST is a role's trust policy."""

    IDENTITY = "identity"
    BOUNDARY = "boundary"
    SESSION = "session"
    TRUST = "trust"
    RESOURCE = "resource"
    SCP = "scp"
    RCP = "rcp"
    ENDPOINT = "endpoint"


NAMES_PRINCIPALS: Final = frozenset({LintKind.TRUST, LintKind.RESOURCE, LintKind.RCP, LintKind.ENDPOINT})
NEEDS_RESOURCE: Final = frozenset(
    {
        LintKind.IDENTITY,
        LintKind.BOUNDARY,
        LintKind.SESSION,
        LintKind.SCP,
        LintKind.RCP,
        LintKind.ENDPOINT,
    }
)
GRANTS: Final = frozenset({LintKind.IDENTITY, LintKind.RESOURCE, LintKind.TRUST})
"""Kinds whose Allow grants permissions. In the others it only avoids a restriction."""


@dataclass(frozen=True, slots=True)
class CharacterQuota:
    """A limit in characters. `used` is what other policies use of it, because all inline policies of a user
    share one quota.

    IAM doesn't count white space; Organizations does.
    """

    name: str
    limit: int
    used: int = 0
    counts_space: bool = False

    def size(self, text: str) -> int:
        """Return the number of characters that count."""
        return len(text) if self.counts_space else len(SPACE.sub("", text))


MANAGED: Final = CharacterQuota("a managed policy", 6144)
USER_INLINE: Final = CharacterQuota("all inline policies of a user together", 2048)
ROLE_INLINE: Final = CharacterQuota("all inline policies of a role together", 10_240)
GROUP_INLINE: Final = CharacterQuota("all inline policies of a group together", 5120)
SESSION: Final = CharacterQuota("a session policy", 2048)
TRUST: Final = CharacterQuota("a trust policy", 2048)
SCP: Final = CharacterQuota("a service control policy", 5120, counts_space=True)
RCP: Final = CharacterQuota("a resource control policy", 5120, counts_space=True)

QUOTAS: Final[dict[LintKind, CharacterQuota]] = {
    LintKind.IDENTITY: MANAGED,
    LintKind.BOUNDARY: MANAGED,
    LintKind.SESSION: SESSION,
    LintKind.TRUST: TRUST,
    LintKind.SCP: SCP,
    LintKind.RCP: RCP,
}
"""The quota of a kind, if AWS has one for all its policies."""

QUOTA_CODES: Final[dict[LintKind, str]] = {
    LintKind.TRUST: "POLICY_SIZE_EXCEEDS_ROLE_TRUST_POLICY_QUOTA",
    LintKind.SCP: "POLICY_SIZE_EXCEEDS_SCP_QUOTA",
    LintKind.RCP: "POLICY_SIZE_EXCEEDS_RCP_QUOTA",
    LintKind.RESOURCE: "POLICY_SIZE_EXCEEDS_RESOURCE_POLICY_QUOTA",
    LintKind.ENDPOINT: "POLICY_SIZE_EXCEEDS_RESOURCE_POLICY_QUOTA",
}
