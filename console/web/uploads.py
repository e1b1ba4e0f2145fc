"""Files are taken on the pages that ask for one, and nowhere else: a stranger must not fill the disk through
the sign-in page.
"""

from __future__ import annotations

from typing import Any, Final, NoReturn

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest, HttpResponse

ENVELOPE: Final = 64 * 1024
"""What a form adds around its files."""


def is_too_large(request: HttpRequest, *, limit: int) -> bool:
    """Whether a body is announced as larger than its files may be, before a byte of it is read."""
    text = request.META.get("CONTENT_LENGTH") or "0"
    announced = int(text) if text.isdecimal() else 0
    return request.method == "POST" and announced > limit + ENVELOPE


def closing(response: HttpResponse) -> HttpResponse:
    """The answer to a body that was not read, so that nothing can follow it on its connection."""
    response["Connection"] = "close"
    return response


class NoFiles(FileUploadHandler):
    """Passes over every file of a form; a body larger than any form of ours is not read at all."""

    def handle_raw_input(
        self, input_data: Any, meta: Any, content_length: int, boundary: Any, encoding: Any = None
    ) -> None:
        """Refuse by the announced size."""
        if content_length > (settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0):
            raise RequestDataTooBig("No form of this size is expected here.")

    def new_file(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Leave the file out."""
        raise SkipFile

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Never called: the file was left out."""

    def file_complete(self, file_size: int) -> None:
        """Never called: the file was left out."""
