"""The sentence beside the state of a requirement: plain and true for one account, two and many."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

import iam.audit.frameworks
from iam.audit.frameworks.evaluation import OUTSIDE, FindingRef, RequirementPart
from iam.audit.frameworks.reasons import OF_SEVERAL, OWN, UNJUDGED, combined_reason
from iam.audit.frameworks.terms import AutomaticVerdict as V

MFA, ROOT, KEY = "password-without-mfa", "root-without-mfa", "access-key-older-than-90-days"
POLICY: Final = "The password policy remembers no passwords; 4 are needed."
SYNCED: Final = "The account is synced."
CENTRAL: Final = "The organization doesn’t manage the root credentials of its member accounts centrally."


def part(verdict: V, reason: str, **kinds: int) -> RequirementPart:
    """What an account adds, with so many findings of some kinds."""
    findings = []
    for kind, number in kinds.items():
        for place in range(number):
            findings.append(FindingRef(place, f"{kind}-{place}", kind.replace("_", "-")))
    return RequirementPart(verdict, (reason,), tuple(findings))


def several(*parts: RequirementPart, own: RequirementPart | None = None) -> Mapping[str, RequirementPart]:
    """Parts of as many accounts, and of Gatehouse."""
    numbered = {f"{number:012d}": each for number, each in enumerate(parts, start=1)}
    return {OWN: own, **numbered} if own else numbered


def unjudged(number: int) -> list[RequirementPart]:
    """So many accounts that were not judged."""
    return times(number, V.UNKNOWN, UNJUDGED)


def times(number: int, verdict: V, reason: str) -> list[RequirementPart]:
    """The same part of so many accounts."""
    return [part(verdict, reason)] * number


GOOD: Final = part(V.PASSED, "No IAM user has a console password.")
NO_MFA: Final = part(V.FAILED, "Console password without MFA: 2 findings.", password_without_mfa=2)
NO_ROOT_MFA: Final = part(V.FAILED, "Root user without MFA: 1 finding.", root_without_mfa=1)
BOTH: Final = part(V.FAILED, "Root user without MFA: 1 finding.", root_without_mfa=1, password_without_mfa=4)
CASES: Final = {
    "no account": (V.PASSED, several(), ""),
    "one unjudged": (V.UNKNOWN, several(*unjudged(1)), UNJUDGED),
    "two unjudged": (
        V.UNKNOWN,
        several(*unjudged(2)),
        "Both accounts were not judged yet.",
    ),
    "all unjudged": (
        V.UNKNOWN,
        several(*unjudged(5)),
        "All 5 accounts were not judged yet.",
    ),
    "one of two unjudged": (
        V.UNKNOWN,
        several(GOOD, *unjudged(1)),
        "1 of 2 accounts was not judged yet.",
    ),
    "some unjudged": (
        V.UNKNOWN,
        several(GOOD, *unjudged(3), part(V.UNKNOWN, "Not synced: users.")),
        "3 of 5 accounts were not judged yet. 1 more account can’t be judged either.",
    ),
    "many": (
        V.PASSED,
        several(*times(1200, V.PASSED, SYNCED)),
        "All 1,200 accounts are synced.",
    ),
    "inside a sentence": (
        V.PERSON,
        several(*times(2, V.PERSON, OUTSIDE)),
        "No user, group, role or policy of both accounts belongs to the scope.",
    ),
    "one account": (V.FAILED, several(part(V.FAILED, POLICY)), POLICY),
    "one of two": (V.FAILED, several(GOOD, part(V.FAILED, POLICY)), f"In 1 of 2 accounts: {POLICY}"),
    "two of two": (V.FAILED, several(*times(2, V.FAILED, POLICY)), f"In both accounts: {POLICY}"),
    "two of three": (V.FAILED, several(GOOD, *times(2, V.FAILED, POLICY)), f"In 2 of 3 accounts: {POLICY}"),
    "other numbers elsewhere": (
        V.FAILED,
        several(
            part(V.FAILED, "No policy denies access without MFA to 3 of 73 IAM users with a password."),
            part(V.FAILED, "No policy denies access without MFA to 8 of 9 IAM users with a password."),
            part(V.FAILED, "No policy denies access without MFA to 1 of 2 IAM users with a password."),
            GOOD,
        ),
        "In 1 of 4 accounts: No policy denies access without MFA to 3 of 73 IAM users with a password. "
        "2 more accounts fail as well.",
    ),
    "most often": (
        V.PASSED,
        several(
            part(V.PASSED, "9 of them denied."),
            *times(2, V.PASSED, "None of them denied."),
        ),
        "In 2 of 3 accounts: None of them denied. 1 more account passes as well.",
    ),
    "all the same": (
        V.PASSED,
        several(GOOD, GOOD, GOOD),
        f"In all 3 accounts: {GOOD.reasons[0]}",
    ),
    "people": (
        V.PERSON,
        several(part(V.PERSON, "6 users can read it."), part(V.PERSON, "2 users can read it."), GOOD),
        "In 1 of 3 accounts: 6 users can read it. 1 more account needs a person as well.",
    ),
    "the organization": (V.FAILED, several(*times(5, V.FAILED, CENTRAL)), CENTRAL),
    "an organization": (
        V.FAILED,
        several(GOOD, *times(2, V.FAILED, CENTRAL)),
        f"In 2 of 3 accounts: {CENTRAL}",
    ),
    "findings of one account": (V.FAILED, several(NO_MFA), "Console password without MFA: 2 findings."),
    "findings of two kinds of one account": (
        V.FAILED,
        several(BOTH),
        "Console password without MFA: 4 findings. 1 finding of another kind.",
    ),
    "findings of many kinds of one account": (
        V.FAILED,
        several(part(V.FAILED, "x", password_without_mfa=3, root_without_mfa=1, unused_policy=2)),
        "Console password without MFA: 3 findings. 3 findings of other kinds.",
    ),
    "findings of one of two": (
        V.FAILED,
        several(GOOD, NO_ROOT_MFA),
        "Root user without MFA: 1 finding in 1 of 2 accounts.",
    ),
    "findings of all": (
        V.FAILED,
        several(NO_MFA, NO_MFA),
        "Console password without MFA: 4 findings in both accounts.",
    ),
    "another kind elsewhere": (
        V.FAILED,
        several(NO_ROOT_MFA, NO_MFA, GOOD),
        "Console password without MFA: 2 findings in 1 of 3 accounts. 1 more account fails as well.",
    ),
    "two kinds in one": (
        V.FAILED,
        several(BOTH, NO_MFA, GOOD),
        "Console password without MFA: 6 findings in 2 of 3 accounts. 1 finding of another kind.",
    ),
    "findings, and a check elsewhere": (
        V.FAILED,
        several(NO_ROOT_MFA, *times(2, V.FAILED, POLICY)),
        "Root user without MFA: 1 finding in 1 of 3 accounts. 2 more accounts fail as well.",
    ),
    "Gatehouse itself": (
        V.PASSED,
        several(GOOD, GOOD, own=part(V.PASSED, "Gatehouse locks sign-in.")),
        "Gatehouse locks sign-in.",
    ),
    "Gatehouse and accounts": (
        V.FAILED,
        several(GOOD, NO_ROOT_MFA, own=part(V.FAILED, "3 offboardings are late.")),
        "3 offboardings are late. Root user without MFA: 1 finding in 1 of 2 accounts.",
    ),
    "accounts, not Gatehouse": (
        V.FAILED,
        several(GOOD, NO_ROOT_MFA, own=part(V.PASSED, "Gatehouse locks sign-in.")),
        "Root user without MFA: 1 finding in 1 of 2 accounts.",
    ),
}


@pytest.mark.parametrize(("verdict", "parts", "says"), CASES.values(), ids=CASES)
def test_what_is_said_of_accounts_together(
    verdict: V, parts: Mapping[str, RequirementPart], says: str
) -> None:
    assert combined_reason(parts, verdict) == says


@pytest.mark.parametrize("reason", OF_SEVERAL)
@pytest.mark.parametrize("number", [1, 2, 3])
def test_what_is_said_of_the_account_is_said_of_several(reason: str, number: int) -> None:
    said = combined_reason(several(GOOD, *times(number, V.UNKNOWN, reason)), V.UNKNOWN)
    assert f"{number} of {number + 1} accounts" in said
    assert not set("{|}") & set(said)
    assert not said[0].islower()


def test_each_reason_about_the_account_is_known() -> None:
    """A check that says “the account” of one says it in other words of several."""
    root = Path(iam.audit.frameworks.__file__).parent
    reasons = {UNJUDGED, OUTSIDE}
    for file in (root / "checks").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            is_answer = isinstance(node, ast.Call) and ast.unparse(node.func) in ANSWERS
            for value in ast.walk(node) if is_answer else ():
                text = value.value if isinstance(value, ast.Constant) else None
                if isinstance(text, str) and ("the account " in text.lower() or "the account." in text):
                    reasons.add(text)
    assert reasons == set(OF_SEVERAL)


def test_no_reason_ends_with_a_number_after_a_colon() -> None:
    """“In 2 of 5 accounts: Not reviewed: 3 of 73 users” has one colon too many."""
    root = Path(iam.audit.frameworks.__file__).parent / "checks"
    beginnings = []
    for file in root.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr) and file.name != "installation.py":
                texts = [part.value for part in node.values if isinstance(part, ast.Constant)]
                beginnings.extend(text for text in map(str, texts) if text.endswith(": "))
    assert set(beginnings) == {"Not synced: "}


ANSWERS: Final = ("passed", "failed", "unknown", "for_person")
