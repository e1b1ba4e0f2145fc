"""One script: the modules in `static/js` are joined in their order, so that a first visit waits for one file
and not for fifteen. The joined file is a module itself: nothing of it is visible to other scripts.
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
"""A module stands after those that it imports from."""
PAGE_MODULES: Final = ("reviews",)
"""Modules that the templates of some pages load besides, as they are."""
_NOT_SERVED: Final = re.compile(r"^(?:import [^;]*;\n|export | */\*.*?\*/\n)", re.MULTILINE | re.DOTALL)
"""What only one file per module needs, and comments on lines of their own."""


def joined() -> str:
    """The text of all modules, without what ties them together."""
    folder = settings.BASE_DIR / "static" / "js"
    texts = ((folder / f"{module}.js").read_text(encoding="utf-8") for module in MODULES)
    return _NOT_SERVED.sub("", "\n".join(texts))
