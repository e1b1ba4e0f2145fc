"""Cases of `cognito-without-sign-in`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rules.cognito_without_sign_in import CognitoWithoutSignIn
from iam.audit.findings.rules.oidc_without_subject import OidcWithoutSubject
from tests.iam.audit.findings.rules.site import (
    CONDITIONAL,
    FALSE,
    FULL,
    PREFIX,
    TRUE,
    Site,
    answer_of,
    cases_of,
    trusts,
)

COGNITO = "cognito-identity.amazonaws.com"
WEB = "sts:AssumeRoleWithWebIdentity"
POOL = {f"{COGNITO}:aud": "eu-west-1:12345678-1234-1234-1234-123456789012"}
OTHER_POOL = {f"{COGNITO}:aud": "eu-west-1:87654321-1234-1234-1234-123456789012"}
ONE_IDENTITY = {f"{COGNITO}:sub": "eu-west-1:00000000-1234-1234-1234-123456789012"}
GUESTS = {f"{COGNITO}:amr": "unauthenticated"}
SIGNED_IN = {f"{COGNITO}:amr": "authenticated"}
BOTH = {f"{COGNITO}:amr": ["authenticated", "unauthenticated"]}
NETWORK = {"aws:SourceIp": "192.0.2.0/24"}
FOR = "ForAnyValue:StringLike"


def cognito(**condition: Any) -> dict[str, Any]:
    return trusts({"Federated": COGNITO}, action=WEB, **condition)


def role(*statements: Any) -> Callable[[Site], object]:
    return lambda site: site.role("app", *statements)


def administrator(*statements: Any) -> Callable[[Site], object]:
    return lambda site: site.inlined(site.role("app", *statements), "All", FULL)


CASES = {
    "guests of one pool": (role(cognito(StringEquals=POOL, **{FOR: GUESTS})), TRUE),
    "guests of any pool": (role(cognito(**{FOR: GUESTS})), TRUE),
    "guests and others": (role(cognito(StringEquals=POOL, **{FOR: BOTH})), TRUE),
    "guests by a pattern": (role(cognito(StringEquals=POOL, **{FOR: {f"{COGNITO}:amr": "*auth*"}})), TRUE),
    "guests of one pool, others of another": (
        role(
            cognito(StringEquals=OTHER_POOL, **{FOR: SIGNED_IN}),
            cognito(StringEquals=POOL, **{FOR: GUESTS}),
        ),
        TRUE,
    ),
    "no condition, where the pools decide": (role(cognito()), CONDITIONAL),
    "one pool, which decides": (role(cognito(StringEquals=POOL)), CONDITIONAL),
    "guests in one network": (
        role(cognito(StringEquals=POOL, IpAddress=NETWORK, **{FOR: GUESTS})),
        CONDITIONAL,
    ),
    "signed in, of one pool": (role(cognito(StringEquals=POOL, **{FOR: SIGNED_IN})), FALSE),
    "signed in, of any pool": (role(cognito(**{FOR: SIGNED_IN})), FALSE),
    "signed in with one provider": (
        role(cognito(StringEquals=POOL, **{FOR: {f"{COGNITO}:amr": "graph.facebook.com"}})),
        FALSE,
    ),
    "one identity": (role(cognito(StringEquals={**POOL, **ONE_IDENTITY})), FALSE),
    "guests are denied": (
        role(cognito(StringEquals=POOL), trusts("*", action=WEB, effect="Deny", **{FOR: GUESTS})),
        FALSE,
    ),
    "another issuer": (
        role(trusts({"Federated": f"{PREFIX}oidc-provider/gitlab.com"}, action=WEB)),
        FALSE,
    ),
    "an AWS service": (lambda site: site.role(), FALSE),
}
test_cases = cases_of(CognitoWithoutSignIn(), CASES)


@pytest.mark.parametrize(
    ("build", "severity"),
    [
        (role(cognito(StringEquals=POOL, **{FOR: GUESTS})), FindingSeverity.MEDIUM),
        (role(cognito(**{FOR: GUESTS})), FindingSeverity.HIGH),
        (administrator(cognito(StringEquals=POOL, **{FOR: GUESTS})), FindingSeverity.CRITICAL),
    ],
    ids=["one pool", "any pool", "administrator"],
)
def test_the_severity_says_what_guests_can_do(build: Callable[[Site], object], severity: int) -> None:
    _, computed = answer_of(CognitoWithoutSignIn(), build)
    (finding,) = computed.findings.values()
    assert finding.values["severity"] == severity


def test_one_cause_is_one_finding() -> None:
    answer, _ = answer_of(OidcWithoutSubject(), role(cognito()))
    assert answer == FALSE
