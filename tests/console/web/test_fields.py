"""Form fields: label, hint and error are tied to the control, and nothing that somebody typed is lost or
becomes markup.
"""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
from django import forms
from django.template import Context, Template


class Tags(HTMLParser):
    """Every tag with its attributes, in order."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def first(self, tag: str) -> dict[str, str | None]:
        return next(attrs for name, attrs in self.seen if name == tag)

    def ids(self) -> set[str | None]:
        return {attrs["id"] for _, attrs in self.seen if "id" in attrs}


def rendered(source: str, **values: Any) -> str:
    return Template(source).render(Context(values))


CONTROLS = [("text", "input"), ("email", "input"), ("textarea", "textarea"), ("select", "select")]


@pytest.mark.parametrize(("kind", "tag"), CONTROLS)
def test_hint_and_error_are_tied_to_the_control(kind: str, tag: str) -> None:
    source = '{% input_field "why" "Reason" value kind=kind hint="Why?" error=error options=options %}'
    page = Tags(rendered(source, value="x", kind=kind, error="Say why.", options=[("x", "X")]))
    control = page.first(tag)
    assert control["id"] == page.first("label")["for"] == "id_why"
    assert control["aria-invalid"] == "true"
    assert set((control["aria-describedby"] or "").split()) <= page.ids()
    assert (control["aria-describedby"] or "").split() == ["id_why-hint", "id_why-error"]


@pytest.mark.parametrize(("kind", "tag"), CONTROLS)
def test_a_field_that_is_right_claims_no_error(kind: str, tag: str) -> None:
    markup = rendered('{% input_field "why" "Reason" kind=kind %}', kind=kind)
    control = Tags(markup).first(tag)
    assert "aria-invalid" not in control
    assert "aria-describedby" not in control
    assert "error" not in markup


def test_attributes_pass_through_and_empty_ones_are_left_out() -> None:
    source = '{% input_field "n" "N" 5 kind="number" required=True disabled=False hx_get="" max=9 cls="lg" %}'
    control = Tags(rendered(source)).first("input")
    assert control == {
        "class": "input lg",
        "id": "id_n",
        "name": "n",
        "type": "number",
        "value": "5",
        "required": None,
        "max": "9",
    }


def test_the_option_that_was_chosen_stays_chosen() -> None:
    source = '{% input_field "d" "Days" 7 kind="select" options=options %}'
    page = Tags(rendered(source, options=[(1, "1 day"), (7, "7 days")]))
    assert [attrs["value"] for tag, attrs in page.seen if "selected" in attrs] == ["7"]


@pytest.mark.parametrize("kind", ["text", "textarea"])
def test_what_was_typed_is_never_markup(kind: str) -> None:
    hostile = '</textarea>"><script>x</script>'
    markup = rendered(
        '{% input_field "a" value value kind=kind error=value hint=value %}', value=hostile, kind=kind
    )
    assert "<script>" not in markup
    assert "&lt;script&gt;" in markup


@pytest.mark.parametrize("typed", ["\nfirst line is empty", "one\ntwo", ""])
def test_a_textarea_gives_back_what_was_typed(typed: str) -> None:
    markup = rendered('{% input_field "a" "A" value kind="textarea" %}', value=typed)
    inner = markup.partition("<textarea")[2].partition(">")[2].partition("</textarea>")[0]
    # HTML drops one line break at the beginning of a textarea.
    assert inner.removeprefix("\n") == typed


class Example(forms.Form):
    email = forms.EmailField(help_text="Where mail goes.")


def test_a_field_of_a_form_is_tied_in_the_same_way() -> None:
    page = Tags(rendered("{% field form.email %}", form=Example({"email": "nope"})))
    control = page.first("input")
    assert control["aria-invalid"] == "true"
    assert control["value"] == "nope"
    assert set((control["aria-describedby"] or "").split()) <= page.ids()
    assert "id_email_error" in page.ids()
