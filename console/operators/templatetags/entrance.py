"""Template tags of the sign-in pages."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django import template

from console.operators.factors import is_missing
from console.operators.hosts import browser_of, passkeys_work_on

register = template.Library()
_FACTORS = {
    Authenticator.Type.TOTP: "Authenticator app",
    Authenticator.Type.WEBAUTHN: "Passkey",
    Authenticator.Type.RECOVERY_CODES: "Recovery codes",
}
_PASSKEY = Authenticator.Type.WEBAUTHN


@register.simple_tag(takes_context=True)
def passkeys_possible(context: dict[str, Any]) -> bool:
    """Return whether passkeys work at this address."""
    return passkeys_work_on(context["request"].get_host())


@register.simple_tag(takes_context=True)
def passkeys_in_use(context: dict[str, Any]) -> bool:
    """Return whether anyone has a passkey for this address; if not, the sign-in page offers none."""
    return passkeys_possible(context) and Authenticator.objects.filter(type=_PASSKEY).exists()


@register.filter
def factor_types(form: Any) -> set[str]:
    """Return the types of second factors of the form's person."""
    return set(Authenticator.objects.filter(user=form.user).values_list("type", flat=True))


@register.filter
def factor_name(factor: Authenticator) -> str:
    """Return the common name of a type of second factor."""
    return _FACTORS[factor.type]


@register.filter
def browser_name(user_agent: str) -> str:
    """Return the common name of the browser that sends this header."""
    return browser_of(user_agent)


@register.simple_tag(takes_context=True)
def factor_missing(context: dict[str, Any]) -> bool:
    """Return whether the person must enroll a second factor before anything else."""
    request = context["request"]
    return request.viewer is not None and is_missing(request, request.viewer)
