"""System checks of `manage.py check --deploy` for the installation folder."""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register

ONLY_FOR_DEVELOPMENT: Final = (".git", "console/demo", "tests")


@register(Tags.security, deploy=True)
def only_what_production_needs(**_: Any) -> list[CheckMessage]:
    """Warn if Git history, simulated AWS or tests are installed, because they help an attacker."""
    if settings.EMBEDDED:
        return []
    there = [name for name in ONLY_FOR_DEVELOPMENT if (settings.BASE_DIR / name).exists()]
    if not there:
        return []
    names = ", ".join(there)
    return [
        Warning(
            f"Production doesn’t need {names}.",
            hint="Install from an archive without them: see “Install” in docs/operate.md.",
            id="gatehouse.W001",
        )
    ]
