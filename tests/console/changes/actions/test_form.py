"""The form of an action names what is wrong at each field, and keeps what was typed."""

from __future__ import annotations

from typing import Any, Final, cast

from django.http import QueryDict

from console.changes.actions.fields import DOCUMENT, FLAG, NUMBER, TAGS, ActField
from console.changes.actions.form import ActionForm
from iam.guard import Viewer

QUESTIONS: Final = (
    ActField("name", "Name"),
    ActField("hours", "Hours", NUMBER, low=1, high=12),
    ActField("tags", "Tags", TAGS),
    ActField("expires", "Expires", FLAG),
    ActField("document", "Policy", DOCUMENT),
)
NOBODY: Final = cast(Viewer, None)


def form_of(query: str) -> ActionForm:
    subject: Any = None
    return ActionForm(QUESTIONS, subject, viewer=NOBODY, data=QueryDict(query))


def test_every_wrong_answer_is_named_at_its_field() -> None:
    form = form_of("name=&hours=99&tags=team&document=[]")
    assert not form.is_valid()
    assert {row.field.name: row.error for row in form.rows} == {
        "name": "Name: this field is required.",
        "hours": "Hours: “99” isn’t a whole number from 1 to 12.",
        "tags": "Tags: line 1 isn’t “key = value”: team",
        "expires": "",
        "document": "Policy: a policy must be a JSON object in braces.",
    }


def test_what_was_typed_stays() -> None:
    form = form_of("name=+ledger+&hours=99&tags=team%0D%0Aenv&expires=on&document={")
    assert {row.field.name: row.value for row in form.rows} == {
        "name": " ledger ",
        "hours": "99",
        "tags": "team\r\nenv",
        "expires": "1",
        "document": "{",
    }
    assert list(form.rows[-1].lines) == [1]


def test_answers_mean_values() -> None:
    form = form_of("name=+ledger+&hours=1+2&tags=team+%3D+pay%0D%0Aenv%3D&document={}")
    assert form.is_valid()
    assert form.cleaned_data == {
        "name": "ledger",
        "hours": 12,
        "tags": {"team": "pay", "env": ""},
        "expires": False,
        "document": "{}",
    }
