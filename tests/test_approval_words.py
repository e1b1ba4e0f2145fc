"""No text says that someone else has to approve where one's own approval counts: who has to is said in one
place, `iam.directory.approval_words`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import pytest

from iam.directory import approval_words
from tests.house_rules import ROOT
from tests.wording import DEFAULT, files_of, texts_of

SOMEONE: Final = r"some(?:one|body) else|another (?:approver|administrator|person)|(?:a|no) second person"
OTHER_THAN: Final = r"(?:approver|administrator) other than"
ACT: Final = r"approv|decid|review|confirm|acknowledg|verif|agree|check"
ELSE: Final = re.compile(rf"\b(?:{SOMEONE}|{OTHER_THAN})\b", re.IGNORECASE)
OWN: Final = re.compile(r"\b(?:your|their|my) own requests?\b", re.IGNORECASE)
QUICKER: Final = re.compile(r"someone else has (?:just |already )?(?:decided|reviewed)", re.IGNORECASE)
HERE: Final = "iam/directory/approval_words.py"
KNOWN: Final = {
    # What is so in both modes.
    "console/changes/rule_form.py": (1, "break-glass is for one's own requests"),
    "console/notify/links.py": (1, "where they are"),
    "console/reviews/presenters.py": (1, "no one decides about their own access in a review"),
    "iam/audit/frameworks/checks/installation.py": (3, "a lost device takes two people"),
    "iam/changes/approval/reminders.py": (1, "how to get someone who can review"),
    "iam/people/enrolment/texts.py": (2, "a lost device takes two people"),
    "iam/people/offboarding/suspension_decisions.py": (2, "no one decides about their own suspension"),
    "iam/people/replacing/services.py": (2, "a lost device takes two people"),
    "templates/mfa/lost.html": (1, "a lost device takes two people"),
    "templates/mfa/replacements.html": (1, "a lost device takes two people"),
    "templates/mfa/send.html": (1, "a lost device takes two people"),
    "templates/operators/_second_person.html": (1, "shown where no one's own decision counts"),
    # What happened, and what the mode is.
    "console/access/grants/undo_events.py": (1, "what happened"),
    "console/audit/sentences.py": (1, "what happened"),
    "console/changes/presenters.py": (1, "what happened"),
    "templates/changes/_decision.html": (1, "whose request it is"),
    "templates/operators/notices.html": (2, "what the mode is"),
    "templates/operators/set_up.html": (1, "what the mode is"),
    # What only those read who need a second person.
    "console/changes/rules.py": (1, "a single operator's rules are in force at once"),
    "console/dashboard/first_steps.py": (2, "a sentence for each mode"),
    "console/operators/pages/people.py": (1, "a single operator gives roles at once"),
    "console/operators/pages/teams.py": (2, "a single operator isn't led to this page"),
    "iam/audit/approval_requests/kinds.py": (1, "`why_not_approve` asks for the mode"),
    "iam/changes/approval/possible_approvers.py": (2, "`requester_is_able` asks for the mode"),
    "iam/changes/approval/proposals.py": (2, "a single operator's rules are in force at once"),
    "iam/changes/services/break_glass_use.py": (1, "asks for the mode"),
    "iam/changes/services/decisions.py": (3, "asks for the mode; a single operator has one stage"),
    "iam/directory/appointments.py": (5, "a single operator gives roles at once"),
    "iam/directory/services.py": (2, "asks `why_alone`"),
    "templates/changes/_inbox_glass.html": (1, "asks for the mode"),
    "templates/changes/rule.html": (1, "asks for the mode"),
    "templates/changes/rules.html": (1, "asks for the mode"),
    "templates/changes/rules_draft.html": (1, "asks for the mode"),
    "templates/operators/_detail_roles.html": (1, "asks for the mode"),
}
"""How many such sentences a file has, and why they are true. All others take `approval_words`."""


def says_someone_else(text: str) -> Iterator[str]:
    """The sentences on who has to approve that name someone else, or one's own requests."""
    for sentence in re.split(r"(?<=[.!?])\s+", re.sub(r"\s+", " ", text)):
        names_another = ELSE.search(sentence) and re.search(ACT, sentence, re.IGNORECASE)
        if (OWN.search(sentence) or names_another) and not QUICKER.search(sentence):
            yield sentence.strip()


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("Requested. Another approver or administrator has to approve it.", True),
        ("It waits. Someone else decides.", True),
        ("A second person must approve it.", True),
        ("An approver or administrator other than you confirms it.", True),
        ("You can’t approve your own request.", True),
        ("No one approves their own request.", True),
        ("Someone else has already decided this.", False),
        ("Assign to someone else", False),
        ("An approver or administrator has to approve it.", False),
    ],
)
def test_a_text_that_goes_round_the_words_is_found(text: str, is_one: bool) -> None:
    assert bool(list(says_someone_else(text))) is is_one


def test_who_has_to_approve_is_said_in_one_place() -> None:
    counts = {}
    sentences = []
    for file in files_of(DEFAULT):
        place = str(file.relative_to(ROOT))
        if place == HERE or place.startswith("console/demo/"):
            continue
        source = re.sub(r"\s+", " ", file.read_text(encoding="utf-8"))
        if not ELSE.search(source) and not OWN.search(source):
            continue
        hits = [sentence for _, text in texts_of(file) for sentence in says_someone_else(text)]
        if hits:
            counts[place] = len(hits)
            sentences.extend(f"{place}: {hit}" for hit in hits if KNOWN.get(place, (0,))[0] != len(hits))
    assert counts == {place: number for place, (number, _) in KNOWN.items()}, "\n".join(sentences)


@pytest.mark.parametrize("is_single", [False, True])
def test_the_words_say_someone_else_only_where_ones_own_approval_does_not_count(
    is_single: bool, settings: object
) -> None:
    settings.SINGLE_OPERATOR = is_single  # type: ignore[attr-defined]
    said = (
        approval_words.someone_else(),
        approval_words.another_approver(),
        approval_words.waits_for_approval("Acceptance requested"),
        approval_words.not_yours_to_decide(),
    )
    another = {False: ("Someone else", "Another approver"), True: ("Someone", "An approver")}[is_single]
    assert said == (
        another[0],
        f"{another[1]} or administrator",
        f"Acceptance requested. {another[1]} or administrator has to approve it.",
        f"{another[1]} or administrator of all its accounts has to decide about it.",
    )
    assert approval_words.own_request_words().startswith("Approvers can" if is_single else "You can’t")
