"""The policy that demands MFA, against the table by hand, for every variant and every state of password and
device.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from iam.access.enforcement.policy import PolicyVariant, document, text_of
from iam.policy.evaluate import EvaluationDecision
from iam.policy.index.documents import SharedDocuments
from iam.policy.index.index import PolicyIndex
from iam.policy.index.question import AccessQuestion
from iam.policy.index.rows import AccountRows, PolicyHoldings, PrincipalRow
from iam.policy.lint import MANAGED, LintSeverity, lint
from iam.policy.lint.kinds import LintKind
from tests.iam.access.enforcement.table import (
    ACCOUNT,
    BY_KEY,
    EVERYTHING,
    NAME,
    NEVER,
    NEXT,
    PATHS,
    VARIANTS,
    WITH,
    WITHOUT,
    cases,
    place_of,
)


def judge(variant: PolicyVariant, path: str, *holds: str, text: str = "") -> Any:
    """Asks as a user at the path who holds the policy and some others."""
    documents, digests, held_documents = SharedDocuments(), [], []
    for policy_text in (text or text_of(variant), *holds):
        digest = hashlib.blake2b(policy_text.encode(), digest_size=16).hexdigest()
        held_documents.append(documents.add(digest, policy_text))
        digests.append((digest, digest))
    index = PolicyIndex(documents)
    user = PrincipalRow(1, place_of(variant, path, "own"), "AIDA1", PolicyHoldings(tuple(digests)))
    index.enter_account(AccountRows([user], (), (), (), ACCOUNT, variant.partition))
    member = index.member(ACCOUNT, 1)
    assert member is not None

    def ask(action: str, on: str, session: dict[str, Any]) -> EvaluationDecision:
        assert held_documents
        question = AccessQuestion(action, place_of(variant, path, on), session, strict=True, is_pattern=False)
        return index.decide(member, question)

    return ask


each_variant = pytest.mark.parametrize(
    "variant", VARIANTS, ids=lambda v: f"{v.partition}, {'all' if v.denies_keys else 'sessions only'}"
)


@each_variant
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("state", NEXT, ids=" and ".join)
def test_whoever_holds_nothing_else_takes_the_next_step_without_mfa(
    variant: PolicyVariant, path: str, state: tuple[str, str]
) -> None:
    ask = judge(variant, path)
    for action, on in NEXT[state]:
        assert ask(action, on, WITHOUT) is EvaluationDecision.ALLOWED, (action, on)
        assert ask(action, on, BY_KEY) is EvaluationDecision.ALLOWED, (action, on)


@each_variant
@pytest.mark.parametrize("path", PATHS)
def test_whoever_holds_everything_does_nothing_else_without_mfa(variant: PolicyVariant, path: str) -> None:
    ask = judge(variant, path, EVERYTHING)
    for action, on in NEVER:
        assert ask(action, on, WITHOUT) is EvaluationDecision.EXPLICITLY_DENIED, (action, on)
        assert ask(action, on, WITH) is EvaluationDecision.ALLOWED, (action, on)
        by_key = EvaluationDecision.EXPLICITLY_DENIED if variant.denies_keys else EvaluationDecision.ALLOWED
        assert ask(action, on, BY_KEY) is by_key, (action, on)


@each_variant
def test_the_mfa_policy_gives_nobody_more_than_their_own_password_and_device(variant: PolicyVariant) -> None:
    ask = judge(variant, "/payments/")
    for action, on in NEVER:
        assert ask(action, on, WITH) is EvaluationDecision.IMPLICITLY_DENIED, (action, on)


def test_a_name_that_only_ends_like_ones_own_is_somebody_else() -> None:
    ask = judge(VARIANTS[0], "/", EVERYTHING)
    for name in (f"x{NAME}", f"payments/x{NAME}", f"{NAME}/x"):
        other = f"arn:aws:iam::{ACCOUNT}:user/{name}"
        assert ask("iam:EnableMFADevice", other, WITHOUT) is EvaluationDecision.EXPLICITLY_DENIED, name


def test_the_usual_policy_would_lock_people_out_of_their_first_password() -> None:
    usual = document(VARIANTS[0])
    deny = next(statement for statement in usual["Statement"] if statement["Sid"] == "DenyAllElseWithoutMfa")
    deny["NotAction"] = [action for action in deny["NotAction"] if "Password" not in action]
    ask = judge(VARIANTS[0], "/", text=json.dumps(usual))
    assert ask("iam:ChangePassword", "own", WITHOUT) is EvaluationDecision.EXPLICITLY_DENIED
    assert ask("iam:EnableMFADevice", "own", WITHOUT) is EvaluationDecision.ALLOWED


@each_variant
def test_aws_would_take_it(variant: PolicyVariant) -> None:
    text = text_of(variant)
    errors = [
        finding for finding in lint(text, kind=LintKind.IDENTITY) if finding.severity is LintSeverity.ERROR
    ]
    assert not errors
    assert MANAGED.size(text) < MANAGED.limit


def test_the_cases_for_other_engines_are_the_tables() -> None:
    written = list(cases())
    steps = {pair for each in NEXT.values() for pair in each}
    assert len(written) == len(VARIANTS) * len(PATHS) * (2 * len(steps) + 4 * len(NEVER))
    assert len({case.name for case in written}) == len(written)
