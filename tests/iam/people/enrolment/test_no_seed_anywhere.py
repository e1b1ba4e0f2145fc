"""A whole enrolment through the pages leaves neither seed nor codes anywhere: database, Redis (messages and
cache), log lines, journal.
"""

from __future__ import annotations

import base64
import time
from typing import Any
from uuid import UUID

import pytest
import redis
from celery import Celery, current_app
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from kombu import Connection

from console.mfa.link_landing import COOKIE
from iam.changes.states import RUN_CHANGE
from iam.people.enrolment import reconcile, totp
from iam.people.enrolment.models import Enrolment, EnrolmentOutcome
from iam.people.links.models import LinkPurpose
from iam.people.links.services import make_link
from iam.people.links.signed_ids import word_of
from tests.iam.changes.operations.test_no_secret_anywhere import everything
from tests.iam.people.enrolment.conftest import Desk, worked
from tests.queue import catch

pytestmark = pytest.mark.django_db
TRUE_SEND = Celery.send_task


def in_redis(url: str) -> str:
    """All that lies in Redis, with the bodies of messages as they read."""
    store = redis.Redis.from_url(url)
    raw_messages: list[bytes] = []
    for key in store.scan_iter():
        kind = store.type(key)
        if kind == b"list":
            raw_messages += store.lrange(key, 0, -1)
        elif kind == b"hash":
            raw_messages += [part for pair in store.hgetall(key).items() for part in pair]
        elif kind == b"string":
            raw_messages.append(store.get(key) or b"")
        else:
            raw_messages.append(store.dump(key) or b"")
    texts = [raw_message.decode("utf-8", "replace") for raw_message in raw_messages]
    bodies = [
        secret_text.partition('"body": "')[2].partition('"')[0]
        for secret_text in texts
        if '"body": "' in secret_text
    ]
    return " ".join([*texts, *(base64.b64decode(body).decode() for body in bodies)])


@pytest.fixture
def messages(redis_url: str, monkeypatch: pytest.MonkeyPatch, settings: Any) -> str:
    """A true Redis for messages and cache; its address."""
    connection = Connection(redis_url)

    def send(app: Celery, name: str, **options: Any) -> Any:
        return TRUE_SEND(app, name, **options, connection=connection)

    def tell(_: str, change_id: UUID, *, delay: float = 0) -> bool:
        current_app.send_task(RUN_CHANGE, args=[str(change_id)], countdown=delay or None)
        return True

    monkeypatch.setattr(Celery, "send_task", send)
    catch(monkeypatch, RUN_CHANGE, tell)
    settings.CACHES = {"default": {"BACKEND": "console.web.cache.SharedCache", "LOCATION": redis_url}}
    return redis_url


def test_seed_and_codes_are_nowhere_but_on_the_page_of_their_browser(
    desk: Desk,
    messages: str,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    django_capture_on_commit_callbacks: Any,
) -> None:
    caplog.set_level("DEBUG")
    link = make_link(LinkPurpose.MFA, person=desk.seat.person, user_arn=desk.seat.user.arn, actor=None)
    browser, page = Client(), reverse("mfa:enrollment-link")
    cache.set("proof", "that the cache is Redis")
    with django_capture_on_commit_callbacks(execute=True):
        browser.post(f"/link/{word_of(link.pk)}/")
        browser.post(page, {"do": "begin"})
    making = Enrolment.objects.get().making
    assert making is not None
    worked(making)
    shown = browser.get(page).content.decode()
    seed = shown.partition('id="seed">')[2].partition("<")[0].replace(" ", "")
    assert len(seed) >= 32
    while_sealed = everything()
    step = int(time.time() // totp.STEP)
    first, second = totp.code_at(seed, step - 1), totp.code_at(seed, step)
    with django_capture_on_commit_callbacks(execute=True):
        assert browser.post(page, {"do": "codes", "first": first, "second": second}).status_code == 302
    while_sent = everything()
    giving = Enrolment.objects.get().giving
    assert giving is not None
    worked(giving)
    reconcile.reconcile_enrolments()

    assert Enrolment.objects.get().outcome == EnrolmentOutcome.ENABLED
    printed, lying = capsys.readouterr(), in_redis(messages)
    assert str(making.pk) in lying, "the messages are not looked at"
    assert "that the cache is Redis" in lying, "the cache is not looked at"
    places = {
        "database": while_sealed + while_sent + everything(),
        "redis": lying,
        "logs": caplog.text + printed.out + printed.err,
    }
    secrets = {"seed": seed, "codes": f"{first} {second}", "first": f"'{first}'", "second": f"'{second}'"}
    secrets |= {"cookie": browser.cookies[COOKIE].value, "link": word_of(link.pk)}
    leaks = [
        (what, where) for where, text in places.items() for what, secret in secrets.items() if secret in text
    ]
    assert leaks == []
    assert "gAAAA" not in everything(), "a ciphertext is still there"
