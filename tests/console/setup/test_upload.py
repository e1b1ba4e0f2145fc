"""Uploading from the page: the ordinary way, files that are too large, and what the page says of the rest."""

from __future__ import annotations

import errno
import io
import json
import os
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.test import Client, RequestFactory
from django.urls import reverse

from console.setup import upload as view
from iam.mirror.accounts import uploads
from iam.mirror.accounts.run_jobs import run_job
from iam.mirror.models import Account, Section, SetupJob
from tests import factories
from tests.console.setup.conftest import HTMX, text_of
from tests.iam.mirror.accounts import exports

UPLOAD = "/accounts/upload/"


def file(content: bytes, name: str = "iam.json") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type="application/json")


def sent(client: Client, content: bytes | None = None, **fields: Any) -> Any:
    body = exports.as_bytes(exports.export("maya", "kwame")) if content is None else content
    return client.post(UPLOAD, {"export": file(body)} | fields)


def test_an_upload_is_kept_loaded_and_shown(admin: Client) -> None:
    response = sent(admin, report=file(exports.report("maya", "kwame"), "report.csv"), name="Brightwater")
    job = SetupJob.objects.get()
    page = reverse("setup:import", args=[job.pk])
    assert response["Location"] == page
    waiting = admin.get(page)
    assert "Waiting for a worker" in text_of(waiting)
    assert "load delay:300ms" in waiting.content.decode()
    assert admin.get(f"{page}?n=3", headers=HTMX).status_code == 200
    run_job(job.pk)
    done = admin.get(f"{page}?n=4", headers=HTMX)
    assert done.status_code == 286
    body = text_of(admin.get(page))
    assert "Brightwater is loaded" in body
    assert "2 users, 1 group, 1 role, 0 managed policies, as of 3 Mar 2026, 10:00 UTC." in body
    shown = text_of(admin.get(f"/accounts/{exports.NUMBER}/"))
    assert "Snapshot" in shown
    assert "As of 3 Mar" in shown
    assert "not in the upload" in shown
    assert "Uploaded file" in text_of(admin.get("/accounts/"))


def test_the_people_of_an_upload_can_be_looked_at(admin: Client) -> None:
    sent(admin)
    run_job(SetupJob.objects.get().pk)
    body = admin.get(f"/people/?account={exports.NUMBER}").content.decode()
    assert "maya" in body
    assert "kwame" in body


def test_a_given_date_counts(admin: Client) -> None:
    sent(admin, observed_at="2026-04-05T06:07:08")
    run_job(SetupJob.objects.get().pk)
    assert Section.objects.get(name="users").observed_at == datetime(2026, 4, 5, 6, 7, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"export": ""}, "Choose the file that the command created."),
        ({"observed_at": "yesterday"}, "This isn’t a valid date and time."),
        ({"observed_at": "2999-01-01T00:00:00"}, "is in the future"),
    ],
)
def test_a_form_that_cannot_be_is_refused_and_nothing_is_kept(
    admin: Client, fields: dict[str, str], words: str
) -> None:
    response = sent(admin, **fields)
    assert response.status_code == 422
    assert words in text_of(response)
    assert not SetupJob.objects.exists()
    assert list(uploads.folder().iterdir()) == []


def test_an_empty_file_is_refused_at_once(admin: Client) -> None:
    response = sent(admin, b"")
    assert response.status_code == 422
    assert "This file is empty." in text_of(response)


@pytest.mark.parametrize(
    "content",
    [
        b"no JSON",
        b"[" * 100_000,
        bytes(range(256)) * 10,
        b'{"UserDetailList": [{"UserName": "<script>alert(1)</script>"}]}',
    ],
)
def test_what_is_wrong_with_a_file_is_said_escaped_and_nothing_is_loaded(
    admin: Client, content: bytes
) -> None:
    sent(admin, content)
    job = SetupJob.objects.get()
    run_job(job.pk)
    body = text_of(admin.get(reverse("setup:import", args=[job.pk])))
    assert "Nothing was loaded." in body
    assert "<script>alert" not in body
    assert not Account.objects.exists()
    assert list(uploads.folder().iterdir()) == []


def test_the_name_of_a_file_is_shown_escaped_and_never_used_as_a_path(admin: Client) -> None:
    response = admin.post(UPLOAD, {"export": file(b"{}", "../../<img src=x>.json")})
    assert response.status_code == 302
    body = admin.get(response["Location"]).content.decode()
    assert "<img src=x" not in body
    job = SetupJob.objects.get()
    assert [path.name for path in uploads.folder().iterdir()] == [f"{job.pk}.json"]


class Untouchable(io.RawIOBase):
    """A body that must not be read."""

    def read(self, size: int = -1) -> bytes:
        raise AssertionError("the body was read")


@pytest.mark.django_db
def test_200_megabytes_are_refused_before_a_byte_is_read() -> None:
    request = RequestFactory().post(UPLOAD)
    request.META["CONTENT_LENGTH"] = str(200 * 1024 * 1024)
    request.META["CONTENT_TYPE"] = "multipart/form-data; boundary=x"
    request.META["wsgi.input"] = Untouchable()
    request._stream = Untouchable()
    request.viewer = factories.viewer()
    request.at = None
    request.htmx = None
    request.COOKIES["theme"] = ""
    from django.contrib.messages.storage.cookie import CookieStorage

    from console.operators.session_store import SessionStore

    request.session = SessionStore()
    request._messages = CookieStorage(request)
    request.user = factories.operator(None, name="Nobody Else")
    response = view.upload(request)
    assert response.status_code == 413
    assert b"The file is larger than 64 MB" in response.content


def test_a_large_body_is_refused_through_the_whole_stack(admin: Client, settings: Any) -> None:
    settings.UPLOAD_MEGABYTES = 1
    response = sent(admin, b" " * (2 * 1024 * 1024))
    assert response.status_code == 413
    body = text_of(response)
    assert "The file is larger than 1 MB, the limit of this installation." in body
    assert 'aria-invalid="true"' in body
    assert not SetupJob.objects.exists()


def test_a_body_that_is_too_large_says_nothing_to_strangers(auditor: Client, settings: Any) -> None:
    settings.UPLOAD_MEGABYTES = 1
    assert sent(auditor, b" " * (2 * 1024 * 1024)).status_code == 404
    assert sent(Client(), b" " * (2 * 1024 * 1024)).status_code == 302


def test_one_file_at_the_limit_and_the_form_around_it_pass(admin: Client, settings: Any) -> None:
    settings.UPLOAD_MEGABYTES = 1
    assert sent(admin, b" " * (1024 * 1024)).status_code == 302
    assert sent(admin, b" " * (1024 * 1024 + 1)).status_code == 422


def test_an_upload_needs_its_token() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(factories.operator())
    assert sent(client).status_code == 403
    assert not SetupJob.objects.exists()


test_an_upload_needs_its_token = pytest.mark.django_db(test_an_upload_needs_its_token)


def test_the_browser_knows_the_limit(admin: Client, settings: Any) -> None:
    settings.UPLOAD_MEGABYTES = 7
    body = admin.get(UPLOAD).content.decode()
    assert body.count(f'data-max-bytes="{7 * 1024 * 1024}"') == 2
    assert "Up to 7 MB together" in body


def test_what_was_held_back_leads_to_a_second_upload(admin: Client) -> None:
    many = [f"user-{n}" for n in range(40)]
    for names, made, more in (
        (many, "2026-03-04T00:00:00", {}),
        (many[:5], "2026-03-05T00:00:00", {}),
        (many[:5], "2026-03-05T00:00:00", {"accept_loss": "on"}),
    ):
        sent(admin, exports.as_bytes(exports.export(*names)), observed_at=made, **more)
        job = SetupJob.objects.order_by("-created_at").first()
        assert job is not None
        run_job(job.pk)
        body = text_of(admin.get(reverse("setup:import", args=[job.pk])))
        assert ("Part of the upload is on hold." in body) is (made.startswith("2026-03-05") and not more)
        if "Part of the upload is on hold." in body:
            page = text_of(admin.get(f"/accounts/{exports.NUMBER}/"))
            assert "35 of 40" in page
            assert "Upload again" in page


def test_a_script_in_a_policy_of_an_upload_is_shown_escaped(admin: Client) -> None:
    body = exports.export("maya")
    body["GroupDetailList"][0]["GroupPolicyList"] = [
        {
            "PolicyName": "x",
            "PolicyDocument": {"Statement": [{"Sid": "<script>alert(1)</script>", "Effect": "Allow"}]},
        }
    ]
    body["UserDetailList"][0]["Tags"] = [
        {"Key": "<script>alert(2)</script>", "Value": "'\"><svg onload=alert(3)>"}
    ]
    sent(admin, json.dumps(body).encode())
    run_job(SetupJob.objects.get().pk)
    from iam.mirror.models import Entity

    for entity in Entity.objects.filter(kind__in=("user", "group")):
        path = "people" if entity.kind == "user" else "groups"
        page = admin.get(f"/{path}/{entity.pk}/").content.decode()
        assert "<script>alert" not in page
        assert "<svg onload" not in page


# A disk without room


def no_room(*args: Any, **kwargs: Any) -> Any:
    """What writing says then."""
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("place", ["while it comes in", "while it is kept"])
def test_a_full_disk_is_told_and_leaves_no_empty_file(
    admin: Client, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    if place == "while it comes in":
        monkeypatch.setattr(TemporaryFileUploadHandler, "receive_data_chunk", no_room)
    else:
        monkeypatch.setattr(os, "fdopen", full_file)
    response = sent(admin, b'{"UserDetailList": []}')
    assert response.status_code == (507 if place == "while it comes in" else 422)
    body = text_of(response)
    assert "The server’s disk is full, so the file wasn’t saved." in body
    assert 'aria-invalid="true"' in body
    assert not SetupJob.objects.exists()
    assert list(uploads.folder().iterdir()) == []


def full_file(handle: int, mode: str) -> Any:
    """A file of which nothing can be written; it exists already."""
    file = io.FileIO(handle, mode)
    file.write = no_room  # type: ignore[method-assign]
    return file
