"""Accepts file uploads only on the pages that need them, so that a stranger can’t fill the disk through the
sign-in page.
"""

from __future__ import annotations

from typing import Any, Final, NoReturn

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest, HttpResponse

ENVELOPE: Final = 64 * 1024
"""Bytes that a form adds around its files."""


def is_too_large(request: HttpRequest, *, limit: int) -> bool:
    """Return whether the announced size of a POST exceeds the limit, before its body is read."""
    text = request.META.get("CONTENT_LENGTH") or "0"
    announced = int(text) if text.isdecimal() else 0
    return request.method == "POST" and announced > limit + ENVELOPE


def closing(response: HttpResponse) -> HttpResponse:
    """Close the connection after this response, because the request's body was not read."""
    response["Connection"] = "close"
    return response


class NoFiles(FileUploadHandler):
    """Upload handler that skips every file, and refuses a body larger than any form."""

    def handle_raw_input(
        self, input_data: Any, meta: Any, content_length: int, boundary: Any, encoding: Any = None
    ) -> None:
        """Raise RequestDataTooBig if the announced size is too large for a form."""
        if content_length > (settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0):
            raise RequestDataTooBig("No form of this size is expected here.")

    def new_file(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Skip the file."""
        raise SkipFile

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Required by Django; never called, because each file is skipped."""

    def file_complete(self, file_size: int) -> None:
        """Required by Django; never called, because each file is skipped."""
