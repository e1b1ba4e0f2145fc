"""What is judged by facts instead of findings; a framework names checks by these names."""

from __future__ import annotations

from typing import Final

CHECKS: Final[dict[str, None]] = dict.fromkeys(
    [
        "accounts-synced",
        "application-review",
        "central-root",
        "central-users",
        "changes-approved",
        "cloudshell-not-attached",
        "data-store-readers",
        "device-replacements-verified",
        "drift-decided",
        "events-recorded",
        "first-passwords",
        "gatehouse-idle",
        "gatehouse-lockout",
        "gatehouse-secrets",
        "human-review",
        "kms-administrators",
        "machine-passwords",
        "management-workloads",
        "mfa-enforced",
        "offboardings-proved",
        "organization-guardrails",
        "password-age-90",
        "password-length-12",
        "password-length-14",
        "password-reuse-24",
        "password-reuse-4",
        "third-party-roles",
        "trail-changers",
        "trail-readers",
        "users-linked",
    ]
)
