"""In which words the page of a run says how far each person is."""

from __future__ import annotations

import pytest

from console.onboarding.presenters import person_rows
from iam.people.onboarding.checklist import (
    FIRST_USE,
    ChecklistItem,
    PersonChecklist,
    StepStatus,
    StepWords,
)
from iam.people.onboarding.models import OnboardedPerson

USER = ChecklistItem(StepWords("Create IAM user zoe", "IAM user zoe created"), StepStatus.DONE)
ACCESS = ChecklistItem(StepWords("Grant access", "Access from 1 template"), StepStatus.TODO)
SIGN_IN = ChecklistItem(FIRST_USE, StepStatus.DONE)


@pytest.mark.parametrize(
    ("items", "changes_done", "own_items", "words"),
    [
        ((USER, ACCESS), 0, (), "Not started"),
        ((USER, ACCESS), 1, (), "In progress"),
        ((USER, ACCESS, SIGN_IN), 0, (SIGN_IN,), "In progress"),
        ((ACCESS,), 0, (), "Not started"),
        ((USER,), 1, (), "All done"),
    ],
    ids=["had a user before", "first change done", "own step done", "nothing done", "everything done"],
)
def test_a_person_is_in_progress_once_something_was_done_for_them(
    items: tuple[ChecklistItem, ...], changes_done: int, own_items: tuple[ChecklistItem, ...], words: str
) -> None:
    checklist = PersonChecklist(
        OnboardedPerson(), items, changes=2, changes_done=changes_done, own_items=own_items
    )
    (row,) = person_rows([checklist])
    assert row.text == words
