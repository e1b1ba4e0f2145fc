"""Every action that a change may concern is in one slice, with the documents that bear on it, whoever was
taken apart before.
"""

from __future__ import annotations

import random
from functools import reduce
from operator import or_

import pytest

from iam.policy.index.documents import IndexedDocument, SharedDocuments
from iam.policy.index.holdings import Held
from iam.policy.index.reach import reach_of
from iam.policy.index.slices import ActionSlicer
from iam.policy.index.weights import OpenStatement, combine, joined
from iam.policy.logic import OPEN, YES
from tests.iam.policy.index.organisations import document

STORE = SharedDocuments()
ACTIONS = ("s3:GetObject", "s3:PutObject", "s3:ListBucket", "iam:PassRole", "kms:Decrypt", "sts:AssumeRole")
HOLDERS = 12


def some_docs(dice: random.Random) -> list[IndexedDocument]:
    texts = {document(dice) for _ in range(6)}
    return [STORE.add(text, text) for text in sorted(texts)]


def held(dice: random.Random, docs: list[IndexedDocument]) -> Held:
    return {doc: None for doc in docs if dice.random() < 0.7}


def bearing(slicer: ActionSlicer, bit: int, before: Held, after: Held) -> tuple[bool, set[IndexedDocument]]:
    """Whether an action is allowed in any case, and the documents that decide what becomes of it."""
    kept = {doc for doc in before if doc in after}
    differing = {*before, *after} - kept
    is_allowed = any(slicer.masks(doc).plain & bit for doc in kept)
    is_sure = is_allowed and not any(slicer.masks(doc).allowed & bit for doc in differing)
    bears = {doc for doc in differing if slicer.masks(doc).any & bit}
    bears |= {doc for doc in kept if (slicer.masks(doc).denied if is_sure else slicer.masks(doc).any) & bit}
    return is_sure, bears


@pytest.mark.parametrize("seed", range(60))
def test_each_action_is_in_one_slice_with_what_bears_on_it(seed: int) -> None:
    dice = random.Random(seed)
    slicer, docs = ActionSlicer(STORE.space), some_docs(dice)
    bits = [STORE.space.actions.mask(action) for action in ACTIONS]
    for _ in range(HOLDERS):
        before, after = held(dice, docs), held(dice, docs)
        slices = list(slicer.slices(slicer.numbers_of(before, after), is_everything=False))
        differing = [doc for doc in {**before, **after} if (doc in before) != (doc in after)]
        allowed = reduce(or_, (slicer.masks(doc).allowed for doc in {**before, **after}), 0)
        touched = allowed & reduce(or_, (slicer.masks(doc).any for doc in differing), 0)
        for bit in bits:
            of_action = [each for mask, each in slices if mask & bit]
            assert len(of_action) == bool(touched & bit)
            for each in of_action:
                is_sure, bears = bearing(slicer, bit, before, after)
                assert (each.content[0] == "sure") is is_sure
                assert {doc for doc, _ in each.content[-2]} == bears & set(before)
                assert {doc for doc, _ in each.content[-1]} == bears & set(after)
                assert bears & set(before) <= set(each.before)
        for _, each in slices:
            shown = {doc for doc, _ in (*each.content[-2], *each.content[-1])}
            for bit in bits:
                if each.within & bit and each.content[0] == "sure":
                    assert not any(slicer.masks(doc).allowed & bit for doc in differing)
                    assert all(slicer.masks(doc).denied & bit for doc in shown if doc not in differing)
                elif each.within & bit:
                    assert all(slicer.masks(doc).any & bit for doc in shown)


@pytest.mark.parametrize("seed", range(20))
def test_documents_together_weigh_what_all_of_their_statements_do(seed: int) -> None:
    dice = random.Random(seed)
    groups = []
    for doc in some_docs(dice):
        groups.append([OpenStatement(each, dice.choice((YES, OPEN)), reach_of(each)) for each in doc.clauses])
    every = [piece for group in groups for piece in group]
    together = joined([combine(group, STORE.space) for group in groups])
    assert together == combine(every, STORE.space)
