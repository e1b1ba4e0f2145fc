"""After a write, the parts of an answer about other accounts are taken over: the answer is the one that an
index gives which was made so.
"""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from iam.access.actions import ActionSelection
from iam.access.answers import CompleteAnswer
from iam.access.who_can import WhoCanQuestion, everyone_who_can
from iam.policy.index.index import PolicyIndex
from iam.policy.index.question import AccessQuestion
from iam.policy.index.rows import RowChanges
from tests.iam.policy.index import organisations as made
from tests.iam.policy.index.organisations import Organisation
from tests.iam.policy.index.test_changes import both
from tests.iam.policy.index.test_image import from_images


def asked_of(question: AccessQuestion, actions: list[str]) -> WhoCanQuestion:
    """The question as somebody asks it."""
    return WhoCanQuestion(
        ActionSelection(tuple(actions), actions[0]),
        question.resource,
        question.context,
        question.strict,
        question.resource_account,
        question.accounts,
    )


def told(index: PolicyIndex, asked: WhoCanQuestion, everyone: CompleteAnswer) -> object:
    """All that an answer tells."""
    ways, reasons = {}, {}
    for way, runs in everyone.by_way.items():
        for run in runs.runs:
            for member in run.members:
                action = everyone.tallied.tally_of(member).first
                ways[member.id] = (way, run.decision, action)
                reasons[member.id] = everyone.why(index, member, asked.question(action))
    page = [(member.arn, decision) for member, decision in everyone.runs.page(size=5)]
    counts = (everyone.roots, everyone.runs.parts.user_count, len(everyone.runs), everyone.runs.parts.sizes)
    return ways, reasons, page, counts


@settings(max_examples=120)
@given(st.integers(0, 2**32), st.booleans())
def test_an_answer_after_a_write_is_that_of_an_index_made_so(seed: int, is_of_image: bool) -> None:
    dice, before, after, changes = both(seed)
    docs = before.held() + after.held()
    index = before.index()
    if is_of_image:
        index, more = from_images(before)
        docs += more + [index.documents.add(digest, text) for digest, text in after.texts.items()]
    asked = asked_of(made.question(dice), made.some(dice, made.ACTIONS, least=1, most=3))
    first = everyone_who_can(index, asked)
    told(index, asked, first)
    number = dice.choice(list(changes))
    index.apply(number, changes[number])
    second = everyone_who_can(index, asked, first)
    rows = [
        is_after if is_after.number == number else is_before
        for is_before, is_after in zip(before.accounts, after.accounts, strict=True)
    ]
    fresh = Organisation(rows, after.texts).index()
    assert told(index, asked, second) == told(fresh, asked, everyone_who_can(fresh, asked))
    assert docs


def of_several_accounts() -> Organisation:
    """An organisation."""
    made_of_seeds = (made.organisation(random.Random(seed)) for seed in range(50))
    return next(organisation for organisation in made_of_seeds if len(organisation.accounts) > 1)


def test_parts_of_accounts_that_did_not_change_are_not_found_again() -> None:
    organisation = of_several_accounts()
    index, docs = organisation.index(), organisation.held()
    asked = WhoCanQuestion(ActionSelection(("sts:GetCallerIdentity",), "sts:GetCallerIdentity"), "*")
    first = everyone_who_can(index, asked)
    changed, *others = first.parts
    index.apply(changed, RowChanges())
    second = everyone_who_can(index, asked, first)
    assert others
    assert all(second.parts[number] is first.parts[number] for number in others)
    assert second.parts[changed] is not first.parts[changed]
    assert docs


def test_nothing_is_taken_over_after_a_change_of_the_account_of_the_resource() -> None:
    organisation = of_several_accounts()
    index, docs = organisation.index(), organisation.held()
    owner = next(iter(index.accounts))
    asked = WhoCanQuestion(
        ActionSelection(("sts:GetCallerIdentity",), "sts:GetCallerIdentity"), "*", owner=owner
    )
    first = everyone_who_can(index, asked)
    index.apply(owner, RowChanges())
    second = everyone_who_can(index, asked, first)
    assert all(second.parts[number] is not part for number, part in first.parts.items())
    assert docs
