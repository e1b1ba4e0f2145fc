"""A whole rotation through the pages, by a link, leaves the secret nowhere but on the page of its browser:
database, Redis, log lines, journal, messages.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from celery import current_app
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from console.mfa.link_landing import COOKIE
from iam.people.links.signed_ids import word_of
from iam.people.rotation import reconcile, requests
from iam.people.rotation.models import RotationOutcome
from tests.iam.changes.operations.test_no_secret_anywhere import Wire, everything, wire
from tests.iam.people.enrolment.test_no_seed_anywhere import in_redis, messages
from tests.iam.people.rotation.conftest import Wheel

__all__ = ["messages", "wire"]
pytestmark = [pytest.mark.on_postgresql, pytest.mark.django_db]


def test_the_secret_is_nowhere_but_on_the_page_of_its_person(
    wheel: Wheel,
    messages: str,
    wire: Wire,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level("DEBUG")
    cache.set("proof", "that the cache is Redis")
    wheel.old  # noqa: B018
    wire.secrets.clear()
    rotation = wheel.made()
    (secret,) = wire.secrets
    while_sealed = everything()
    link = wheel.now(rotation).link_id
    assert link is not None
    browser, door = Client(), f"/link/{word_of(link)}/"
    assert secret not in browser.get(door).content.decode()
    assert browser.post(door)["Location"] == reverse("keys:new-key-link")
    cookie = browser.cookies[COOKIE].value
    with wheel.done():
        page = browser.post(reverse("keys:new-key-link"))
    assert secret in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    logged = caplog.text
    # Of a link that is used up the log may tell.
    for again in (browser.post(reverse("keys:new-key-link")), browser.get(door), Client().post(door)):
        assert secret not in again.content.decode()
    key_id = wheel.now(rotation).new_key_id
    wheel.use(key_id, secret)
    for days in (7, 7):
        wheel.pass_days(rotation, days)
        wheel.reconcile()

    assert wheel.now(rotation).outcome == RotationOutcome.DONE
    current_app.send_task("iam.people.rotation.tasks.look", args=[str(rotation.pk)])
    printed, lying = capsys.readouterr(), in_redis(messages)
    assert str(rotation.pk) in lying, "the messages are not looked at"
    assert "that the cache is Redis" in lying, "the cache is not looked at"
    places = {
        "database": while_sealed + everything(),
        "redis": lying,
        "logs": caplog.text.replace(word_of(link), "") + printed.out + printed.err,
        "logs while the link was new": logged,
    }
    secrets = {"secret": secret, "cookie": cookie, "link": word_of(link)}
    leaks = [
        (what, where) for where, text in places.items() for what, secret in secrets.items() if secret in text
    ]
    assert leaks == []
    assert key_id in places["database"], "the database is not looked at"
    assert "gAAAA" not in everything(), "a ciphertext is still there"
    assert reconcile.reconcile_open() == 0
    assert requests.ROTATION.resume(older_than=timedelta()) == 0
