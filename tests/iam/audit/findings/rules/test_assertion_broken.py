"""Cases of `assertion-broken`."""

from __future__ import annotations

from iam.audit.assertions.terms import AllowedKind, AllowedPrincipal, AssertionTerms
from iam.audit.findings.facts import AssertionFact
from iam.audit.findings.rules.assertion_broken import AssertionBroken
from tests.iam.audit.findings.rules.site import (
    CONDITIONAL,
    FALSE,
    INSIDE,
    MFA,
    NUMBER,
    TRUE,
    UNREAD,
    Site,
    allow,
    answer_of,
    cases_of,
)


def asserted(
    site: Site,
    *statements: dict[str, object],
    action: str = "iam:CreateUser",
    resource: str = "*",
    role: str = "deploy",
    accounts: tuple[str, ...] = (),
) -> None:
    """A role holds statements, and only BreakGlass can do an action."""
    allowed = (AllowedPrincipal(AllowedKind.ROLE, "BreakGlass"),)
    terms = AssertionTerms((action,), (resource,), allowed, accounts)
    site.assertions = (AssertionFact("1", "Users", terms),)
    site.policy("Some", *statements, to=(site.role(role),))


CREATES = allow("iam:CreateUser")
CASES = {
    "someone else can": (lambda site: asserted(site, CREATES), TRUE),
    "someone else can with MFA": (lambda site: asserted(site, {**CREATES, "Condition": MFA}), CONDITIONAL),
    "the allowed role can": (lambda site: asserted(site, CREATES, role="BreakGlass"), FALSE),
    "a deny": (lambda site: asserted(site, CREATES, {**CREATES, "Effect": "Deny"}), FALSE),
    "another action": (lambda site: asserted(site, allow("iam:ListUsers")), FALSE),
    "another account": (lambda site: asserted(site, CREATES, accounts=(INSIDE,)), FALSE),
    "this account": (lambda site: asserted(site, CREATES, accounts=(NUMBER,)), TRUE),
    "a bucket, whose policy wasn't synced": (
        lambda site: asserted(site, CREATES, action="s3:GetObject", resource="arn:aws:s3:::vault/*"),
        UNREAD,
    ),
    "roles not synced": (lambda site: (asserted(site, CREATES), site.unsynced.add("roles")), UNREAD),
    "no assertion": (lambda site: site.policy("Some", CREATES, to=(site.role("deploy"),)), FALSE),
}
test_cases = cases_of(AssertionBroken(), CASES)


def test_the_finding_names_who_breaks_it_and_by_which_statement() -> None:
    answer, computed = answer_of(AssertionBroken(), lambda site: asserted(site, CREATES))
    assert answer == TRUE
    (finding,) = computed.findings.values()
    assert finding.values["name"] == "Users"
    assert finding.values["subject"] == NUMBER
    (line,) = finding.values["evidence"]["broken_by"]
    assert line["arn"] == finding.values["related"][0]
    assert (line["action"], line["policy"], line["statement"]) == ("iam:CreateUser", "Some", "statement 1")
