"""The Django application of console.web."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Registers console.web."""

    name = "console.web"
    label = "web"

    def ready(self) -> None:
        from console.web import checks

        assert checks.ONLY_FOR_DEVELOPMENT  # Its import registers the check.
