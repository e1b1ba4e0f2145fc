"""Joins the modules in `static/js` into one script, so that a first visit loads one file instead of fifteen.

The joined file is a module too, so other scripts can’t see its names.
"""

from __future__ import annotations

import re
from typing import Final

from django.conf import settings

NAME: Final = "js/gatehouse.js"
"""The address of the joined script below `STATIC_URL`."""
MODULES: Final = (
    "dom",
    "preferences",
    "toasts",
    "dialogs",
    "menus",
    "tabs",
    "selection",
    "shortcuts",
    "focus",
    "fields",
    "drafts",
    "addresses",
    "clipboard",
    "editors",
    "suggestions",
)
"""Each module comes after the modules it imports from."""
_NOT_SERVED: Final = re.compile(r"^(?:import [^;]*;\n|export | */\*.*?\*/\n)", re.MULTILINE | re.DOTALL)
"""Matches imports and exports, which a joined file doesn’t need, and comments on lines of their own."""


def joined() -> str:
    """Return the text of all modules without their imports and exports."""
    folder = settings.BASE_DIR / "static" / "js"
    texts = ((folder / f"{module}.js").read_text(encoding="utf-8") for module in MODULES)
    return _NOT_SERVED.sub("", "\n".join(texts))
