"""Too many failures lock for a while, in the database, and tell nobody who is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.test import Client

from console.operators import locks
from console.operators.models import Operator, SignInLock
from console.operators.tasks import delete_old_sign_ins
from iam.journal.models import Entry
from tests.console.operators.conftest import PASSWORD, is_signed_in, sign_in
from tests.console.operators.test_sign_in import _link

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def _fail(client: Client, login: str, times: int) -> str:
    text = ""
    for _ in range(times):
        text = sign_in(client, login, "wrong").content.decode()
    return text


def test_the_fifth_failure_locks_and_says_until_when(client: Client, kwame: Operator) -> None:
    with time_machine.travel(NOON, tick=False):
        assert "Too many attempts" not in _fail(client, kwame.email, 4)
        assert "Try again after 12:30 UTC, in 30 minutes." in _fail(client, kwame.email, 1)
        assert "Too many attempts" in sign_in(client, kwame.email).content.decode()
        assert not is_signed_in(client)
    entry = Entry.objects.get(kind="sign_in.locked")
    assert (entry.subject, entry.data["method"]) == (kwame.email, "password")


def test_a_locked_name_opens_again_after_the_time(client: Client, kwame: Operator) -> None:
    with time_machine.travel(NOON, tick=False):
        _fail(client, kwame.email, 5)
    with time_machine.travel(NOON + timedelta(minutes=29, seconds=59), tick=False):
        assert "in 1 minute." in sign_in(client, kwame.email).content.decode()
    with time_machine.travel(NOON + timedelta(minutes=30, seconds=1), tick=False):
        sign_in(client, kwame.email)
        assert is_signed_in(client)


def test_an_unknown_name_locks_in_the_same_words(client: Client, kwame: Operator) -> None:
    with time_machine.travel(NOON, tick=False):
        known, unknown = _fail(client, kwame.email, 5), _fail(client, "nobody@example.com", 5)
    sentence = "Too many attempts. Try again after 12:30 UTC, in 30 minutes."
    assert sentence in known
    assert sentence in unknown


def test_one_lock_leaves_the_others_alone(client: Client, kwame: Operator, ines: Operator) -> None:
    _fail(client, kwame.email, 5)
    sign_in(client, ines.email)
    assert is_signed_in(client)


def test_a_success_forgets_the_failures(client: Client, kwame: Operator) -> None:
    _fail(client, kwame.email, 4)
    sign_in(client, kwame.email)
    client.post("/sign-in/out/")
    assert "Too many attempts" not in _fail(client, kwame.email, 4)


def test_failures_long_apart_do_not_add_up(client: Client, kwame: Operator) -> None:
    for i in range(8):
        with time_machine.travel(NOON + timedelta(minutes=31 * i), tick=False):
            assert "Too many attempts" not in _fail(client, kwame.email, 1)


def test_an_address_that_tries_many_names_is_locked(client: Client, kwame: Operator, settings: Any) -> None:
    settings.LOCK_FAILURES = 1
    for i in range(10):
        _fail(client, f"nobody{i}@example.com", 1)
    assert "Too many attempts" in sign_in(client, kwame.email).content.decode()
    assert Entry.objects.filter(kind="sign_in.locked", data_json__contains='"address"').exists()
    elsewhere = Client(REMOTE_ADDR="198.51.100.9")
    sign_in(elsewhere, kwame.email)
    assert is_signed_in(elsewhere)


@pytest.mark.parametrize(
    ("proxies", "header", "seen"),
    [
        (0, "198.51.100.1", "127.0.0.1"),
        (1, "198.51.100.1", "198.51.100.1"),
        (1, "203.0.113.5, 198.51.100.1", "198.51.100.1"),
        (2, "203.0.113.5, 198.51.100.1", "203.0.113.5"),
    ],
)
def test_only_our_own_proxies_say_where_somebody_comes_from(
    proxies: int, header: str, seen: str, client: Client, kwame: Operator, settings: Any
) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    sign_in(client, kwame.email, headers={"x-forwarded-for": header})
    assert Entry.objects.get(kind="sign_in.succeeded").ip == seen


def test_typed_names_are_not_kept_in_the_clear(client: Client) -> None:
    _fail(client, "my-secret-password", 1)
    assert not SignInLock.objects.filter(key__contains="secret").exists()


def test_a_new_password_by_mail_lifts_the_lock(client: Client, kwame: Operator) -> None:
    _fail(client, kwame.email, 5)
    _fail(client, kwame.username, 5)
    client.post("/sign-in/password/reset/", {"email": kwame.email})
    assert mail.outbox
    form = client.get(_link())["Location"]
    client.post(form, {"password1": "four brand new words", "password2": "four brand new words"})
    sign_in(client, kwame.username, "four brand new words")
    assert is_signed_in(client)


def test_confirming_who_one_is_is_locked_too(client: Client, kwame: Operator) -> None:
    sign_in(client, kwame.email)
    for _ in range(5):
        response = client.post("/sign-in/confirm/", {"password": "wrong"})
    assert "Too many attempts" in response.content.decode()


def test_the_old_password_is_not_guessed_from_an_open_session(client: Client, kwame: Operator) -> None:
    sign_in(client, kwame.email)
    new = {"password1": "a wholly new password", "password2": "a wholly new password"}
    for number in range(5):
        response = client.post("/sign-in/password/change/", {"oldpassword": f"guess {number}"} | new)
    assert "Too many attempts" in response.content.decode()
    client.post("/sign-in/password/change/", {"oldpassword": PASSWORD} | new)
    kwame.refresh_from_db()
    assert kwame.check_password(PASSWORD)


@pytest.mark.parametrize(
    ("address", "other"), [("2001:db8::1", "2001:db8::ffff:2"), ("::ffff:192.0.2.7", "192.0.2.7")]
)
def test_addresses_of_one_attacker_are_one(address: str, other: str) -> None:
    assert locks.address_key(address) == locks.address_key(other)
    assert locks.address_key(address) != locks.address_key("2001:db8:0:1::1")


@pytest.mark.parametrize("forwarded", ["203.0.113.9", "nonsense", "203.0.113.9, nonsense, "])
def test_a_request_that_came_past_our_proxies_counts_as_its_senders(
    client: Client, settings: Any, db: None, forwarded: str
) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 2
    response = client.post(
        "/sign-in/",
        {"login": "nobody", "password": "x"},
        headers={"X-Forwarded-For": forwarded},
        REMOTE_ADDR="198.51.100.4",
    )
    assert response.status_code == 200
    assert SignInLock.objects.filter(key="ip:198.51.100.4", failures=1).exists()


def test_counting_survives_rows_that_are_tidied_away(kwame: Operator) -> None:
    with time_machine.travel(NOON, tick=False):
        locks.count_failure("login:x")
    with time_machine.travel(NOON + timedelta(days=3), tick=False):
        delete_old_sign_ins()
        assert not SignInLock.objects.exists()
        assert locks.count_failure("login:x") is None


def test_user_name_and_address_are_one_lock(client: Client, kwame: Operator) -> None:
    _fail(client, kwame.email, 3)
    assert "Too many attempts" in _fail(client, kwame.username, 2)
    assert "Too many attempts" in sign_in(client, kwame.email.upper()).content.decode()
    assert not is_signed_in(client)


def test_the_last_attempt_before_the_lock_counts_when_it_is_right(client: Client, kwame: Operator) -> None:
    _fail(client, kwame.email, 4)
    sign_in(client, kwame.email)
    assert is_signed_in(client)
    assert locks.locked_until(*locks.keys_of(kwame)) is None
    assert not Entry.objects.filter(kind="sign_in.locked").exists()


def test_successes_do_not_lock_an_address_that_many_people_share(
    client: Client, kwame: Operator, settings: Any
) -> None:
    settings.LOCK_FAILURES = 1
    for _ in range(3 * locks.ADDRESS_FACTOR):
        sign_in(client, kwame.email)
        assert is_signed_in(client)
        client.post("/sign-in/out/")
