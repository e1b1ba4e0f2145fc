"""No page but the one for exports takes files, however they are sent."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.test import Client
from django.urls import reverse

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


UPLOADS = ("setup:upload", "activity:upload", "offboarding:file", "onboarding:people")
"""Every page that takes files."""


def address_of(name: str) -> str:
    """Its address, of any blueprint where it is for one."""
    return reverse(name, args=[uuid4()] if name == "onboarding:people" else [])


def manager_of_one_account() -> Client:
    """Someone who administers one account of two."""
    factories.account("222222222222")
    operator = factories.operator(None, name="Petra Part")
    factories.assign(operator.person, Role.ADMINISTRATOR, account_id=factories.account().account_id)
    client = Client(enforce_csrf_checks=True)
    client.force_login(operator)
    return client


@pytest.mark.parametrize("name", UPLOADS)
def test_without_the_right_no_byte_is_read_with_or_without_a_token(name: str, written: list[str]) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(factories.operator(Role.MEMBER))
    file = SimpleUploadedFile("file.json", b"{}")
    assert client.post(address_of(name), {"file": file}).status_code == 404
    assert client.get(address_of(name)).status_code == 404
    assert written == []


@pytest.mark.parametrize("name", UPLOADS)
def test_a_file_of_who_may_upload_needs_a_token(name: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(factories.operator(Role.ADMINISTRATOR))
    assert client.post(address_of(name), {"file": SimpleUploadedFile("f", b"{}")}).status_code == 403


def test_who_manages_some_accounts_has_no_page_for_trail_files_and_is_led_to_none(written: list[str]) -> None:
    client = manager_of_one_account()
    file = SimpleUploadedFile("trail.json", b"{}")
    assert client.post(address_of("activity:upload"), {"files": file}).status_code == 404
    assert written == []
    for page in ("/activity/sources/", "/search/?q=upload", "/search/?q=CloudTrail"):
        response = client.get(page, follow=True)
        assert address_of("activity:upload") not in response.content.decode(), page


def test_the_table_has_every_page_that_takes_files() -> None:
    names = set()
    for path in Path("console").rglob("*.py"):
        if "@csrf_protect" in path.read_text(encoding="utf-8"):
            names.add(str(path))
    assert len(names) == len(UPLOADS)
