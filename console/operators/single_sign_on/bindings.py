"""Links identities of providers to people: bound at the first single sign-on, listed and removed by
administrators.
"""

from __future__ import annotations

from typing import Any, Final

from allauth.socialaccount.models import SocialAccount
from django.db import IntegrityError, transaction
from django.http import HttpRequest

from console.operators import sessions
from console.operators.models import Operator
from console.operators.single_sign_on.failures import SignInFailedError
from iam.directory.rules import DirectoryRuleError, assert_administers, assert_somebody_else
from iam.journal.services import Actor, record

# Bindings from before providers were recorded; their issuer is unknown.
UNKNOWN_PROVIDERS: Final = ("company", "company-saml", "openid_connect", "saml")


def admit(request: HttpRequest, sociallogin: Any) -> None:
    """Admit the person to whom the identity is bound; bind it to the person with that verified address if
    they have none of this provider.

    Raises SignInFailedError.
    """
    if sociallogin.is_existing:
        _check_active(sociallogin.user)
        return
    try:
        _bind(request, sociallogin)
    except IntegrityError:
        # The identity was bound to someone else at the same time.
        raise SignInFailedError("other_identity") from None


def _bind(request: HttpRequest, sociallogin: Any) -> None:
    account = sociallogin.account
    with transaction.atomic():
        operator = _operator(sociallogin)
        _check_active(operator)
        same = SocialAccount.objects.filter(user=operator, provider=account.provider, uid=account.uid).first()
        if same is not None:
            # In two tabs: the other one bound it while this one waited for the operator's row.
            sociallogin.account, sociallogin.user = same, operator
            return
        providers = (account.provider, *UNKNOWN_PROVIDERS)
        if SocialAccount.objects.filter(user=operator, provider__in=providers).exists():
            # The address was reassigned: a new subject must not inherit the rights of the old one.
            raise SignInFailedError("other_identity", operator=operator)
        sociallogin.connect(request, operator)
        record(
            kind="sign_in.linked",
            actor=operator.person,
            subject=operator.email,
            data={"provider": account.provider},
        )


def _operator(sociallogin: Any) -> Operator:
    """Return the operator with the verified address, with its row locked, so that two first sign-ins bind one
    identity.
    """
    verified = [address.email for address in sociallogin.email_addresses if address.verified]
    if not verified:
        raise SignInFailedError("unverified_address")
    for address in verified:
        for operator in Operator.objects.select_for_update(of=("self",)).filter(
            person__email__iexact=address
        ):
            if operator.person and _is_same(operator.person.email, address):
                return operator
    raise SignInFailedError("unknown")


def _is_same(ours: str, theirs: str) -> bool:
    """Return whether two addresses differ only in the case of ASCII letters; databases also treat other
    letters as i and k.
    """
    return ours == theirs or (ours.isascii() and theirs.isascii() and ours.lower() == theirs.lower())


def _check_active(operator: Operator) -> None:
    if not (operator.is_active and operator.person and operator.person.is_active):
        raise SignInFailedError("inactive", operator=operator)


def bindings_of(operator: Operator) -> list[SocialAccount]:
    """Return the operator's bound identities, oldest first; `is_unknown` if the provider was not recorded."""
    bindings = list(SocialAccount.objects.filter(user=operator).order_by("date_joined", "pk"))
    for binding in bindings:
        binding.is_unknown = binding.provider in UNKNOWN_PROVIDERS
        binding.address = str(binding.extra_data.get("email") or "")
    return bindings


@transaction.atomic
def remove_binding(operator: Operator, number: int, *, actor: Actor) -> None:
    """Remove another person's identity and sign them out everywhere; their next single sign-on binds again.
    Raises DirectoryRuleError.
    """
    assert_administers(actor)
    person = operator.person
    if person is None:
        raise DirectoryRuleError("This sign-in isn’t linked to a person.")
    assert_somebody_else(actor, person)
    binding = SocialAccount.objects.select_for_update().filter(user=operator, pk=number).first()
    if binding is None:
        raise DirectoryRuleError("This company sign-in was already removed.")
    record(
        kind="sign_in.unlinked",
        actor=actor,
        subject=operator.email,
        data={"provider": binding.provider, "identity": binding.uid},
    )
    binding.delete()
    sessions.sign_out_everywhere(person)
