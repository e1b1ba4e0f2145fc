"""Form fields in the design system: label, control, hint and error, linked for screen readers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import template
from django.forms import BoundField
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from console.web.templatetags.ui import icon, local_times

register = template.Library()


@register.simple_tag
def field(bound: BoundField, cls: str = "input", label: str = "", **attrs: str) -> SafeString:
    """Render a field of a Django form; underscores in attribute names become hyphens.

    A hidden field renders only its control.
    """
    if bound.is_hidden:
        return bound.as_widget()
    attributes = {name.replace("_", "-"): value for name, value in attrs.items()}
    control = bound.as_widget(
        attrs={"class": cls, "placeholder": bound.field.widget.attrs.get("placeholder", "")} | attributes
    )
    hint = (
        format_html('<span class="hint" id="{}_helptext">{}</span>', bound.auto_id, bound.help_text)
        if bound.help_text
        else ""
    )
    errors = format_html_join(" ", "{}", ((error,) for error in bound.errors))
    return format_html(
        '<div class="field"><label for="{}">{}</label>{}{}{}</div>',
        bound.id_for_label,
        label or bound.label,
        control,
        hint,
        field_error(f"{bound.auto_id}_error", errors),
    )


@register.inclusion_tag("components/field.html")
def input_field(
    name: str,
    label: str,
    value: object = "",
    *,
    error: str = "",
    hint: str = "",
    kind: str = "text",
    id: str = "",
    cls: str = "",
    options: Iterable[tuple[object, str]] = (),
    hide_label: bool = False,
    optional: bool = False,
    exact: bool = False,
    **attrs: Any,
) -> dict[str, Any]:
    """Return the context of a field outside a Django form; `kind` is the input type, `textarea`, or `select`
    with `options` (value, text).

    Other arguments become attributes of the control: an underscore becomes a hyphen, True gives an attribute
    without a value, and None, False and "" omit it. The ID is `id`, or `id_` plus the name; hint and error
    refer to it. `exact` is for values where each character counts: monospace, without autocomplete and spell
    check.
    """
    own_id = id or f"id_{name}"
    described = [f"{own_id}-hint"] if hint else []
    described += [f"{own_id}-error"] if error else []
    if also := attrs.pop("described_by", ""):
        described.append(str(also))
    attributes: dict[str, Any] = {
        "class": " ".join(filter(None, ("input", "mono" if exact else "", cls))),
        "id": own_id,
        "name": name,
        "aria-invalid": "true" if error else None,
        "aria-describedby": " ".join(described) or None,
    }
    if exact:
        attributes |= {"autocomplete": "off", "spellcheck": "false"}
    attributes |= {key.replace("_", "-"): value for key, value in attrs.items()}
    if kind not in ("textarea", "select"):
        attributes |= {"type": kind, "value": value}
    return {
        "id": own_id,
        "label": label,
        "hide_label": hide_label,
        "optional": optional,
        "kind": kind,
        "value": "" if value is None else value,
        "options": [(str(key), text, str(key) == str(value)) for key, text in options],
        "hint": hint,
        "error": error,
        "attributes": flatatt({key: value for key, value in attributes.items() if value not in (None, "")}),
    }


@register.inclusion_tag("components/field.html")
def code_field(name: str, label: str, *, error: str = "", **attrs: Any) -> dict[str, Any]:
    """Return a field for an MFA code; it accepts seven characters, since some apps show the digits in two
    groups.
    """
    usual: dict[str, Any] = {
        "autocomplete": "off",
        "spellcheck": "false",
        "inputmode": "numeric",
        "maxlength": 7,
    }
    usual["data_missing"] = "Enter the 6 digits of the code."
    return input_field(name, label, id=name, cls="otp", error=error, required=True, **(usual | attrs))


@register.simple_tag
def field_error(id: str, error: str) -> SafeString:
    """Render the error of a control that the page draws itself; give that control aria-invalid and this ID in
    aria-describedby.
    """
    if not error:
        return SafeString("")
    sign = icon("circle-alert", "sm")
    return format_html('<span class="error" id="{}">{}{}</span>', id, sign, local_times(error))


@register.simple_tag
def form_errors(form: object) -> SafeString:
    """Render the errors of the whole form as an alert, which takes the focus if no field has an error."""
    errors = form.non_field_errors() if form else []  # type: ignore[attr-defined]
    if not errors:
        return SafeString("")
    text = local_times(format_html_join(" ", "{}", ((error,) for error in errors)))
    return format_html(
        '<div class="banner" data-tone="bad" data-form-error role="alert">{}<div><p>{}</p></div></div>',
        icon("circle-alert"),
        text,
    )
