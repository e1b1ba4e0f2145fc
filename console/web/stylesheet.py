"""Joins the parts in `static/css` into one stylesheet, so that a first visit loads one file instead of
thirty.
"""

from __future__ import annotations

import re
from typing import Final

from django.conf import settings

NAME: Final = "css/gatehouse.css"
"""The address of the joined stylesheet below `STATIC_URL`."""
COMPONENTS: Final = (
    "buttons",
    "marks",
    "surfaces",
    "tables",
    "filters",
    "forms",
    "meters",
    "wizard",
    "diff",
    "timeline",
    "explain",
    "runs",
    "overlays",
    "history",
    "pages",
    "auth",
    "choose",
    "builder",
    "policy",
    "past",
    "account",
    "solo",
)
"""Components in order; later ones can override earlier ones."""
PARTS: Final = (
    "tokens.css",
    "base.css",
    "layout.css",
    *(f"components/{name}.css" for name in COMPONENTS),
    "utilities.css",
)
_FROM_A_COMPONENT: Final = re.compile(r"url\((\"?)\.\./\.\./")


def joined() -> str:
    """Return the text of all parts; addresses of other files become relative to `css/`."""
    folder = settings.BASE_DIR / "static" / "css"
    texts = ((folder / part).read_text(encoding="utf-8") for part in PARTS)
    return "\n".join(_FROM_A_COMPONENT.sub(r"url(\1../", text) for text in texts)
