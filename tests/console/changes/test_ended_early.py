"""A request that ended before anything was done says that its effect was planned, on its pages and in the
list; one that did something, or may have, doesn't say that nothing was done.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.urls import reverse

from console.changes.presenters import MARKS
from console.offboarding.presenters import steps_shown
from iam.changes.models import RUNNING, Change, ChangeState
from iam.people.onboarding.checklist import StepWords, _of_changes
from tests.iam.changes.site import Site, page_of

pytestmark = pytest.mark.django_db
PLANNED, NOTHING = "Planned:", "This was planned. Nothing was changed in AWS."
ANSWERED: list[dict[str, Any]] = [{"at": "2026-12-01T12:00:00Z"}]
DOUBTFUL: list[dict[str, Any]] = [{"in_doubt": True}]
EARLY = (ChangeState.FAILED, ChangeState.REJECTED, ChangeState.CANCELLED, ChangeState.EXPIRED)


def text_of(page: Any) -> str:
    main = page.content.decode().partition("<main")[2]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", main)).split())


def ended(site: Site, state: ChangeState, marks: list[dict[str, Any]] | None = None) -> Change:
    change = site.asked()
    calls = [call | mark for call, mark in zip(change.calls, marks or [{}], strict=True)]
    Change.objects.filter(pk=change.pk).update(state=state, calls=calls)
    change.refresh_from_db()
    return change


@pytest.mark.parametrize("state", list(ChangeState))
def test_an_effect_that_did_not_come_is_called_planned(site: Site, state: ChangeState) -> None:
    change = ended(site, state)
    page, row = text_of(site.asker.get(page_of(change))), text_of(site.asker.get(reverse("changes:list")))
    is_early = state in EARLY
    assert [NOTHING in page, PLANNED in page, PLANNED in row] == [is_early] * 3
    assert ("What this would have changed" in page) is is_early


@pytest.mark.parametrize("marks", [ANSWERED, DOUBTFUL], ids=["answered", "in doubt"])
def test_a_failed_change_that_reached_aws_is_not_said_to_have_changed_nothing(
    site: Site, marks: list[dict[str, Any]]
) -> None:
    page = text_of(site.asker.get(page_of(ended(site, ChangeState.FAILED, marks))))
    assert (NOTHING in page, PLANNED in page) == (False, True)


@pytest.mark.parametrize("state", list(ChangeState))
def test_a_change_has_one_status_on_the_page_of_its_request_and_of_its_run(state: ChangeState) -> None:
    change = Change(state=state)
    (step,) = steps_shown([change])
    assert step.text == MARKS[state].text
    if state in RUNNING:
        assert _of_changes(StepWords("Create", "Created"), [change]).note == MARKS[state].text
