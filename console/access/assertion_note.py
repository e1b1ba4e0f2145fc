"""Says on the page “Who can” which principals an assertion allows, and which ones the answer has."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse

from console.access.forms.who_can import WhoCanForm
from console.findings.assertion_text import allowed_words
from iam.access.who_can import WhoCanPage
from iam.audit.assertions.terms import AssertionTerms
from iam.phrases import counted


@dataclass(frozen=True, slots=True)
class AssertionNote:
    """What the assertion asks and how many break it; `everyone_url` is the answer with those who are
    allowed.
    """

    name: str
    url: str
    summary: str
    allowed: str
    everyone_url: str
    tone: str
    icon: str


def assertion_note(form: WhoCanForm, answer: WhoCanPage) -> AssertionNote | None:
    """Return the note; None if the question doesn’t come from an assertion."""
    assertion = form.assertion
    if assertion is None:
        return None
    terms = AssertionTerms.from_json(assertion.terms)
    total, shown = answer.everyone.total, answer.matching_count
    is_filtered = form.is_filtered or form.narrowed.way
    summary = _summary_of_filtered(shown) if is_filtered else _summary(total, shown)
    scope = f" in {counted(len(terms.accounts), 'account')}" if terms.accounts else ""
    conditional = "" if terms.counts_conditional else " Conditional access doesn’t count."
    tone, icon = ("warn", "triangle-alert") if shown else ("note", "info")
    return AssertionNote(
        name=assertion.name,
        url=reverse("findings:assertion", args=[assertion.pk]),
        summary=summary,
        allowed=f"Allowed{scope}: {allowed_words(terms)}.{conditional}",
        everyone_url=f"{reverse('access:who-can')}{form.query.with_values(assertion='')}",
        tone=tone,
        icon=icon,
    )


def _summary_of_filtered(shown: int) -> str:
    if not shown:
        return "No one who breaks it matches the filter."
    breaks, matches = ("breaks", "matches") if shown == 1 else ("break", "match")
    who = counted(shown, "IAM user or role", "IAM users and roles")
    return f"{who} that {breaks} it {matches} the filter."


def _summary(total: int, shown: int) -> str:
    if not shown:
        return "No one who can do this breaks it."
    verb = "breaks" if shown == 1 else "break"
    who = f"{counted(shown, 'IAM user or role', 'IAM users and roles')} {verb} it."
    others = total - shown
    if not others:
        return f"{who} No one else can do this."
    is_or_are = "is" if others == 1 else "are"
    return f"{who} {others:,} more can do this and {is_or_are} left out: allowed, or not checked."
