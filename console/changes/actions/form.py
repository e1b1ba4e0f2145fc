"""The form of an action, built from its questions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import QueryDict

from console.changes.actions.fields import CHOICE, DOCUMENT, FLAG, NAME, ActAnswerField, ActField
from iam.changes.acts import Subject
from iam.changes.acts.name_visibility import check_name, known_policies, sees_all_names
from iam.changes.acts.options import Choices
from iam.changes.errors import FieldError
from iam.guard import Viewer

MAX_TEXT_LENGTH = 10_000_000
MAX_LINES = 5_000


class ActionForm(forms.Form):
    """The answers to an action's questions, limited to names that the viewer can see."""

    def __init__(
        self,
        questions: Sequence[ActField],
        subject: Subject,
        *,
        viewer: Viewer,
        data: QueryDict | None = None,
        initial: dict[str, str] | None = None,
    ) -> None:
        super().__init__(data, initial=initial)
        self.subject = subject
        self.viewer = viewer
        self.questions = questions
        self.fields = {question.name: ActAnswerField(question, subject) for question in questions}

    def clean(self) -> None:
        """Report names that the viewer can’t see as if they didn’t exist."""
        for question in self.questions:
            if question.kind == NAME:
                text = self.text_of(question).strip()
                try:
                    check_name(text, field=question.name, subject=self.subject, viewer=self.viewer)
                except FieldError as error:
                    self.refuse(error)

    def refuse(self, error: FieldError) -> None:
        """Show the error at its field."""
        self.add_error(error.field, error.message)

    def text_of(self, question: ActField) -> str:
        """Return a field's text."""
        source: Any = self.data if self.is_bound else self.initial
        return str(source.get(question.name, ""))[: MAX_TEXT_LENGTH + 1]

    @property
    def rows(self) -> list[QuestionRow]:
        """The questions with their values and errors."""
        return [QuestionRow(self, question) for question in self.questions]


class QuestionRow:
    """A question as shown in the form; `lines` are the line numbers beside a policy."""

    def __init__(self, form: ActionForm, question: ActField) -> None:
        self.field = question
        self.value = form.text_of(question)
        self.error = str(form.errors[question.name][0]) if question.name in form.errors else ""
        self.lines = range(0)
        if question.kind == DOCUMENT:
            self.lines = range(1, min(self.value.count("\n"), MAX_LINES) + 2)
        if question.kind == FLAG and self.value:
            self.value = "1"
        self.choices = tuple(_choices(question, form.subject, viewer=form.viewer))


def _choices(question: ActField, subject: Subject, *, viewer: Viewer) -> Choices:
    """Return the suggestions for a question."""
    if question.choices is None or question.kind not in (CHOICE, NAME):
        return ()
    if question.kind == NAME and not sees_all_names(subject, viewer=viewer):
        return known_policies(subject, viewer=viewer)
    return question.choices(subject)
