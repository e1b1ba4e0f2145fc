"""What a password can be, and how the forms take it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from allauth.mfa import app_settings
from django.test import Client
from django.utils.module_loading import import_string

from console import settings as settings_of_the_console
from console.operators.models import Operator, OperatorSession
from tests.console.operators.conftest import PASSWORD, is_signed_in, sign_in

pytestmark = pytest.mark.django_db
LONG = "seventy characters and more pass, whatever the limits of some hashes are " + "x" * 55


def change(client: Client, new: str) -> int:
    """Send the form that changes the password; the status of the answer."""
    form = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    return client.post("/sign-in/password/change/", form).status_code


@pytest.mark.parametrize(
    "new",
    [
        "only small letters here",
        "ONLYCAPITALLETTERS",
        "9304-1172-5581-0026",
        "пароль из восьми слов",
        "  space at both ends  ",
        LONG,
    ],
    ids=["small", "capital", "digits", "cyrillic", "spaces", "long"],
)
def test_any_characters_are_kept_exactly(client: Client, kwame: Operator, new: str) -> None:
    sign_in(client, kwame.email)
    assert change(client, new) == 302
    for almost in {new[:-1], new[:72], new.strip(), new.lower(), new.upper()} - {new}:
        other = Client()
        sign_in(other, kwame.email, almost)
        assert not is_signed_in(other), almost
    other = Client()
    sign_in(other, kwame.email, new)
    assert is_signed_in(other)


@pytest.mark.parametrize("new", ["elevenchars", "password1234", "123456789012", "kwame.boateng"])
def test_short_common_and_personal_ones_are_refused(client: Client, kwame: Operator, new: str) -> None:
    sign_in(client, kwame.email)
    assert change(client, new) == 200
    kwame.refresh_from_db()
    assert kwame.check_password(PASSWORD)


def test_the_hash_is_scrypt() -> None:
    """With at least 16 MiB of memory for each guess. The tests themselves use a quick hash."""
    hasher = import_string(settings_of_the_console.PASSWORD_HASHERS[0])()
    name, work, _salt, block, parallel, _hash = hasher.encode(PASSWORD, hasher.salt()).split("$")
    assert name == "scrypt"
    assert 128 * int(work) * int(block) >= 16 * 2**20
    assert int(parallel) >= 1


@pytest.mark.parametrize("path", ["/sign-in/", "/sign-in/password/change/"])
def test_fields_are_masked_and_open_to_password_managers(client: Client, kwame: Operator, path: str) -> None:
    if path != "/sign-in/":
        sign_in(client, kwame.email)
    fields = re.findall(r"<input[^>]*password[^>]*>", client.get(path).content.decode())
    assert fields
    for field in fields:
        assert 'type="password"' in field
        assert re.search(r'autocomplete="(current|new)-password"', field), field
        assert "onpaste" not in field


def test_a_copied_session_is_worth_nothing_after_signing_out(client: Client, kwame: Operator) -> None:
    sign_in(client, kwame.email)
    copy = Client()
    copy.cookies = client.cookies.copy()
    assert is_signed_in(copy)
    client.post("/sign-in/out/")
    assert not is_signed_in(copy)
    assert not OperatorSession.objects.exists() or not is_signed_in(copy)


def test_session_keys_are_long_and_never_the_same(kwame: Operator) -> None:
    keys = set()
    for _ in range(5):
        browser = Client()
        sign_in(browser, kwame.email)
        keys.add(browser.session.session_key)
    assert len(keys) == 5
    assert min(len(str(key)) for key in keys) >= 32  # Of 36 letters each: 165 bits.


def test_a_password_works_for_years(client: Client, kwame: Operator) -> None:
    with time_machine.travel(datetime.now(tz=UTC) + timedelta(days=1500), tick=False):
        assert sign_in(client, kwame.email)["Location"] == "/"
        assert is_signed_in(client)


def test_a_recovery_code_has_twenty_bits_and_more() -> None:
    assert 10**app_settings.RECOVERY_CODE_DIGITS >= 2**20
