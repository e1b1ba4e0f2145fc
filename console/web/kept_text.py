"""Keeps a typed text that could not be saved, because somebody else was faster or the form is gone."""

from __future__ import annotations

from typing import Final

from django.contrib import messages

from console.web.access import ViewerRequest

KEPT: Final = "kept"
"""The tag of a message that holds a text; `components/messages.html` shows it in a block to copy from."""
MAX_LENGTH: Final = 4_000


def keep_text(request: ViewerRequest, text: str) -> None:
    """Show a typed text in a block of the page that comes next, so that nothing is lost."""
    if text.strip():
        messages.warning(request, text.strip()[:MAX_LENGTH], extra_tags=KEPT)
