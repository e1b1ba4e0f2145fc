"""No page but the one for exports takes files, however they are sent."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.test import Client

from iam.directory.models import Role
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of files that were written to the disk."""
    names: list[str] = []
    new_file = TemporaryFileUploadHandler.new_file

    def noted(self: Any, field_name: str, file_name: str, *args: Any, **kwargs: Any) -> None:
        names.append(file_name)
        new_file(self, field_name, file_name, *args, **kwargs)

    monkeypatch.setattr(TemporaryFileUploadHandler, "new_file", noted)
    return names


def test_a_file_in_the_sign_in_form_is_passed_over(written: list[str]) -> None:
    file = SimpleUploadedFile("bomb.bin", b"x" * 100_000)
    response = Client(enforce_csrf_checks=True).post("/sign-in/", {"login": "x", "password": "y", "f": file})
    assert response.status_code == 403
    response = Client().post("/sign-in/", {"login": "x", "password": "y", "f": file})
    assert response.status_code == 200
    assert not response.wsgi_request.FILES
    assert written == []


def test_a_body_beyond_any_form_is_not_read(written: list[str]) -> None:
    body = BytesIO(b"--b\r\nContent-Disposition: form-data; name=f; filename=f\r\n\r\nx")
    client = Client(raise_request_exception=False)
    response = client.generic(
        "POST",
        "/sign-in/",
        body.read(),
        content_type="multipart/form-data; boundary=b",
        CONTENT_LENGTH=str(6 * 1024 * 1024),
    )
    assert response.status_code == 400
    assert written == []


def test_a_member_cannot_fill_the_disk_by_the_page_of_exports(client: Client, written: list[str]) -> None:
    client.force_login(factories.operator(Role.MEMBER))
    file = SimpleUploadedFile("export.json", b"{}")
    assert client.post("/accounts/upload/", {"export": file}).status_code == 404
    assert written == []
