"""Pages are compressed for their own reader only.

Who can make a browser ask for a page again and again, with words of their choice in it, and sees how long the
answers are, can guess a secret of that page when it is compressed (BREACH). So nothing is compressed that
another site asked for, nothing that answers a form (passwords and keys are shown after one), and nothing
where the browser doesn't say who asked. Source: https://www.breachattack.com/ and
https://docs.djangoproject.com/en/stable/ref/middleware/#module-django.middleware.gzip
"""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.utils.cache import patch_vary_headers

ASKED_HERE: Final = frozenset({"same-origin", "none"})
"""`Sec-Fetch-Site` of what a page of Gatehouse asks for, and of an address that its reader types or opens
from a bookmark.
"""


class CompressedPages(GZipMiddleware):
    """HTML that its own reader asked for is sent compressed. Files are compressed when they are collected."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """The response, compressed where nobody else can have asked for it."""
        if not response.headers.get("Content-Type", "").startswith("text/html"):
            return response
        patch_vary_headers(response, ["Sec-Fetch-Site"])
        if request.method != "GET" or request.headers.get("Sec-Fetch-Site") not in ASKED_HERE:
            return response
        compressed: HttpResponseBase = super().process_response(request, response)
        return compressed
