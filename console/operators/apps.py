"""The Django application of console.operators."""

from django.apps import AppConfig


class OperatorsConfig(AppConfig):
    """Registers console.operators, and records sign-ins in the journal."""

    name = "console.operators"
    label = "operators"

    def ready(self) -> None:
        from allauth.socialaccount.providers import registry

        from console.operators import receivers
        from console.operators.single_sign_on.openid_connect import CompanyOpenIdProvider
        from console.operators.single_sign_on.saml import CompanySamlProvider

        receivers.connect()
        # Replaces allauth's own providers, which accept more than ours.
        registry.load()
        registry.register(CompanyOpenIdProvider)
        registry.register(CompanySamlProvider)
