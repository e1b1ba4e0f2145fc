"""Who reads the database, or a dump of it, signs in as nobody."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.contrib.sessions.backends.db import SessionStore as FormerStore
from django.contrib.sessions.models import Session
from django.core import signing
from django.db import connection
from django.test import Client

from console.operators.models import Operator, OperatorSession
from console.operators.session_store import SessionStore, digest
from tests.console.operators.conftest import is_signed_in, sign_in

pytestmark = pytest.mark.django_db
COOKIE = "gatehouse_session"
MIGRATION = import_module("console.operators.migrations.0004_sessions_under_a_digest")


def dump() -> Iterator[str]:
    """Every value of every table."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            for row in cursor.fetchall():
                yield from (str(value) for value in row if value is not None)


def with_cookie(value: str) -> Client:
    client = Client()
    client.cookies[COOKIE] = value
    return client


def test_no_value_of_a_dump_is_a_session(client: Client, kwame: Operator) -> None:
    sign_in(client, kwame.email)
    client.get("/profile/")
    key = client.cookies[COOKIE].value
    values = set(dump())
    assert digest(key) in values
    assert not [value for value in values if key in value]
    stored = OperatorSession.objects.get()
    for value in (stored.session_key, stored.session_key[:32], stored.session_data):
        assert not is_signed_in(with_cookie(value))
    assert is_signed_in(with_cookie(key))


def test_the_data_of_a_session_are_unreadable_even_with_the_secret_key(client: Client) -> None:
    """They hold the seed of a phone that is being added, and the link of a password that is being chosen."""
    session = client.session
    session["seed"] = "JBSWY3DPEHPK3PXP"
    session.save()
    stored = OperatorSession.objects.get()
    with pytest.raises(signing.BadSignature):
        signing.loads(stored.session_data, salt=session.key_salt)
    assert SessionStore(session.session_key)["seed"] == "JBSWY3DPEHPK3PXP"


def test_data_that_were_copied_into_another_session_open_nothing(
    client: Client, kwame: Operator, ines: Operator
) -> None:
    """Who can write to the table doesn't become an administrator by it."""
    administrator = Client()
    sign_in(administrator, ines.email)
    sign_in(client, kwame.email)
    data = OperatorSession.objects.get(operator=ines).session_data
    OperatorSession.objects.filter(operator=kwame).update(session_data=data, operator=ines)
    assert client.get("/operators/").status_code == 302
    assert not is_signed_in(client)


def test_a_row_says_whose_it_is_and_where_it_began(client: Client, kwame: Operator) -> None:
    client.get("/sign-in/")
    sign_in(client, kwame.email, headers={"user-agent": "Firefox/140 " + "x" * 300})
    row = OperatorSession.objects.get()
    assert row.operator == kwame
    assert (row.address, row.user_agent[:12], len(row.user_agent)) == ("127.0.0.1", "Firefox/140 ", 200)
    assert row.began_at
    assert row.seen_at
    client.post("/sign-in/out/")
    assert not OperatorSession.objects.filter(operator=kwame).exists()


@pytest.fixture
def former(kwame: Operator, client: Client) -> FormerStore:
    """A session as it was stored before: under its key, with data that are signed only, and in a second
    table.
    """
    sign_in(client, kwame.email)
    data = dict(client.session.items())
    client.post("/sign-in/out/")
    session = FormerStore()
    session.update({name: value for name, value in data.items() if "address" not in name})
    session.create()
    session.update(data)
    session.save()
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE {MIGRATION.OLD_LIST} (session_key varchar(40), ip varchar(39), user_agent text)"
        )
        cursor.execute(
            f"INSERT INTO {MIGRATION.OLD_LIST} VALUES (%s, '192.0.2.7', 'Firefox/140')", [session.session_key]
        )
    return session


def upgrade() -> None:
    editor: Any = SimpleNamespace(connection=connection)
    MIGRATION.move(apps, editor)


def test_an_upgrade_keeps_sessions_and_no_keys(kwame: Operator, former: FormerStore) -> None:
    empty = FormerStore()
    empty["next"] = "/"
    empty.save()
    upgrade()
    assert not Session.objects.exists()
    row = OperatorSession.objects.get()
    assert (row.operator, row.address, row.user_agent) == (kwame, "192.0.2.7", "Firefox/140")
    assert row.session_key == digest(str(former.session_key))
    assert is_signed_in(with_cookie(str(former.session_key)))
    assert not is_signed_in(with_cookie(row.session_key))


def test_an_upgrade_under_another_secret_key_ends_sessions(former: FormerStore, settings: Any) -> None:
    settings.SECRET_KEY = "x" * 60
    upgrade()
    assert not Session.objects.exists()
    assert not OperatorSession.objects.exists()
