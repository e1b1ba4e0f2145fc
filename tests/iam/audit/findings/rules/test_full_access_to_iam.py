"""Cases of `full-access-to-iam`."""

from __future__ import annotations

from typing import Any

from iam.audit.findings.rules.full_access_to_iam import FullAccessToIam
from iam.policy.escalation.administrators import DECISIVE
from tests.iam.audit.findings.rules.site import (
    CONDITIONAL,
    FALSE,
    FULL,
    MFA,
    PREFIX,
    TRUE,
    Site,
    allow,
    cases_of,
)


def guarded(site: Site) -> None:
    site.policy("P", allow("iam:*"), to=(site.user(),))
    site.scp(FULL, {"Effect": "Deny", "Action": "iam:*", "Resource": "*"})


def bounded(site: Site) -> None:
    user = site.user()
    site.policy("P", allow("iam:*"), to=(user,))
    site.bounds[user] = site.policy("Boundary", allow("s3:*"))


def all_but(resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "iam:*", "NotResource": resource}


def administrator_by_another(site: Site) -> None:
    user = site.user()
    site.policy("All", FULL, to=(user,))
    site.policy("P", allow("iam:*", f"{PREFIX}mfa/*"), to=(user,))


NAMES = [name for name, _ in DECISIVE]


def by_letters(*letters: str) -> list[str]:
    return [f"iam:{letter}*" for letter in letters]


def by_types(site: Site) -> None:
    statements = [
        allow(["iam:*User*", "iam:CreateAccessKey"], "arn:aws:iam::*:user/*"),
        allow(["iam:*Role*"], f"{PREFIX}role/*"),
        allow(["iam:*Group*"], f"{PREFIX}group/*"),
        allow(["iam:CreatePolicyVersion"], f"{PREFIX}policy/*"),
    ]
    site.policy("P", *statements, to=(site.user(),))


CASES = {
    "attached": (lambda site: site.policy("P", allow("iam:*"), to=(site.user(),)), TRUE),
    "inline": (lambda site: site.inlined(site.user(), "P", allow(["s3:Get*", "iam:*"])), TRUE),
    "by a shorter pattern": (lambda site: site.policy("P", allow("ia*"), to=(site.user(),)), TRUE),
    "of AWS": (lambda site: site.policy("IAMFullAccess", allow("iam:*"), to=(site.user(),), aws=True), TRUE),
    "by a group": (
        lambda site: site.policy("P", allow("iam:*"), to=(site.group("team", site.user()),)),
        TRUE,
    ),
    "on its own account": (
        lambda site: site.policy("P", allow("iam:*", f"{PREFIX}*"), to=(site.user(),)),
        TRUE,
    ),
    "on all but one user": (
        lambda site: site.inlined(site.user(), "P", all_but(f"{PREFIX}user/root")),
        TRUE,
    ),
    "by letters": (
        lambda site: site.inlined(site.user(), "P", allow(by_letters(*"ACDGLPSTU"))),
        TRUE,
    ),
    "by letters, of a group": (
        lambda site: site.inlined(site.group("team", site.user()), "P", allow(by_letters(*"ACDGLPSTU"))),
        TRUE,
    ),
    "by letters, with MFA": (
        lambda site: site.inlined(site.user(), "P", allow(by_letters(*"ACDGLPSTU"), Condition=MFA)),
        CONDITIONAL,
    ),
    "by names": (
        lambda site: site.policy("P", allow([name for name, _ in DECISIVE]), to=(site.user(),)),
        TRUE,
    ),
    "by types of resources": (by_types, TRUE),
    "by letters without those that attach": (
        lambda site: site.inlined(site.user(), "P", allow(by_letters(*"CDGLSTU"))),
        FALSE,
    ),
    "by letters, on one path": (
        lambda site: site.inlined(
            site.user(), "P", allow(by_letters(*"ACDGLPSTU"), f"{PREFIX}user/contractors/*")
        ),
        FALSE,
    ),
    "on MFA devices": (
        lambda site: site.policy("P", allow("iam:*", f"{PREFIX}mfa/*"), to=(site.user(),)),
        FALSE,
    ),
    "on MFA devices, of an administrator": (administrator_by_another, FALSE),
    "with MFA": (
        lambda site: site.policy("P", allow("iam:*", Condition=MFA), to=(site.user(),)),
        CONDITIONAL,
    ),
    "everything": (lambda site: site.policy("P", FULL, to=(site.user(),)), FALSE),
    "reads only": (lambda site: site.policy("P", allow(["iam:Get*", "iam:List*"]), to=(site.user(),)), FALSE),
    "unattached": (lambda site: site.policy("P", allow("iam:*")), FALSE),
    "a group without users": (lambda site: site.policy("P", allow("iam:*"), to=(site.group(),)), FALSE),
    "denied": (
        lambda site: site.policy(
            "P", allow("iam:*"), {"Effect": "Deny", "Action": "iam:*", "Resource": "*"}, to=(site.user(),)
        ),
        FALSE,
    ),
    "an SCP denies it": (guarded, FALSE),
    "a boundary leaves S3": (bounded, FALSE),
}
test_cases = cases_of(FullAccessToIam(), CASES)
