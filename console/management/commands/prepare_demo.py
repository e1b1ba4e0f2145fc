"""`manage.py prepare_demo`: migrate the database of the embedded default, and create its people and
accounts.
"""

from typing import Any

from django.conf import settings
from django.core.management import CommandError, call_command
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """Only runs in the embedded default, because it prints passwords."""

    help = "Prepare the embedded default: database, people, accounts."

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate, then create what is missing."""
        if not settings.EMBEDDED:
            raise CommandError(
                "GATEHOUSE_MODE is production. The sample operators have known passwords, so they can’t be "
                "created."
            )
        call_command("migrate", verbosity=0, interactive=False)
        from console.demo.prepare import prepare

        prepare()
