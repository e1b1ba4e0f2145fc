"""One form field as the design draws it: label, control, hint, error, tied together for screen readers."""

from __future__ import annotations

from django import template
from django.forms import BoundField
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from console.web.templatetags.ui import icon

register = template.Library()


@register.simple_tag
def field(bound: BoundField, cls: str = "input", label: str = "", **attrs: str) -> SafeString:
    """The field; underscores in attribute names stand for hyphens. Hidden fields are only the control."""
    if bound.is_hidden:
        return bound.as_widget()
    given = {name.replace("_", "-"): value for name, value in attrs.items()}
    control = bound.as_widget(
        attrs={"class": cls, "placeholder": bound.field.widget.attrs.get("placeholder", "")} | given
    )
    hint = (
        format_html('<span class="hint" id="{}_helptext">{}</span>', bound.auto_id, bound.help_text)
        if bound.help_text
        else ""
    )
    errors = format_html_join("", "{}", ((error,) for error in bound.errors))
    error = (
        format_html(
            '<span class="error" id="{}_error">{}{}</span>', bound.auto_id, icon("circle-alert", "sm"), errors
        )
        if bound.errors
        else ""
    )
    return format_html(
        '<div class="field"><label for="{}">{}</label>{}{}{}</div>',
        bound.id_for_label,
        label or bound.label,
        control,
        hint,
        error,
    )


@register.simple_tag
def form_errors(form: object) -> SafeString:
    """What is wrong with the form as a whole, announced at once."""
    errors = form.non_field_errors() if form else []  # type: ignore[attr-defined]
    if not errors:
        return SafeString("")
    text = format_html_join(" ", "{}", ((error,) for error in errors))
    return format_html(
        '<div class="banner" data-tone="bad" role="alert">{}<div><p>{}</p></div></div>',
        icon("circle-alert"),
        text,
    )
