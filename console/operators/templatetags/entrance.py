"""What the sign-in pages must know of the place under which they are reached."""

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
    """Whether a passkey can be used at this address."""
    return passkeys_work_on(context["request"].get_host())


@register.simple_tag(takes_context=True)
def passkeys_in_use(context: dict[str, Any]) -> bool:
    """Whether somebody has a passkey that can be used at this address: where nobody has, the sign-in page
    offers none.
    """
    return passkeys_possible(context) and Authenticator.objects.filter(type=_PASSKEY).exists()


@register.filter
def factor_types(form: Any) -> set[str]:
    """The types of second factor of the person whom this form is about."""
    return set(Authenticator.objects.filter(user=form.user).values_list("type", flat=True))


@register.filter
def factor_name(factor: Authenticator) -> str:
    """What people call a type of second factor."""
    return _FACTORS[factor.type]


@register.filter
def browser_name(user_agent: str) -> str:
    """What a person calls the browser that sends this header."""
    return browser_of(user_agent)


@register.simple_tag(takes_context=True)
def factor_missing(context: dict[str, Any]) -> bool:
    """Whether the person on the page must enrol a second factor before anything else."""
    request = context["request"]
    return request.viewer is not None and is_missing(request, request.viewer)
