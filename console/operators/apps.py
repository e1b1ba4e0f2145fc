"""The Django application of console.operators."""

from django.apps import AppConfig


class OperatorsConfig(AppConfig):
    """Registers console.operators, and has sign-ins recorded."""

    name = "console.operators"
    label = "operators"

    def ready(self) -> None:
        from console.operators import receivers

        receivers.connect()
