"""Compresses pages only for their own reader.

An attacker who can make a browser request a page repeatedly with chosen text in it, and who sees the lengths
of the responses, can guess a secret on a compressed page (BREACH). So responses are not compressed if another
site sent the request, if they answer a form (passwords and keys are shown after a form), or if the browser
doesn’t say who sent the request. Source: https://www.breachattack.com/ and
https://docs.djangoproject.com/en/stable/ref/middleware/#module-django.middleware.gzip
"""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.utils.cache import patch_vary_headers

ASKED_HERE: Final = frozenset({"same-origin", "none"})
"""Values of `Sec-Fetch-Site` for requests from Gatehouse's own pages and for addresses that the reader typed
or opened from a bookmark.
"""


class CompressedPages(GZipMiddleware):
    """Compresses HTML that its own reader requested. Static files are compressed when they are collected."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Compress the response if no other site can have requested it."""
        if not response.headers.get("Content-Type", "").startswith("text/html"):
            return response
        patch_vary_headers(response, ["Sec-Fetch-Site"])
        if request.method != "GET" or request.headers.get("Sec-Fetch-Site") not in ASKED_HERE:
            return response
        compressed: HttpResponseBase = super().process_response(request, response)
        return compressed
