"""The shared cache: what goes in comes out, nothing that is read can run, and without Redis the pages
go on.
"""

from __future__ import annotations

import pickle
import time
from typing import Any

import pytest
import redis
from django.core.cache import cache
from django.test import Client

from console.operators.models import Operator
from console.web import cache as shared
from console.web.cache import SharedCache
from tests import factories
from tests.console.operators.conftest import is_signed_in, sign_in

NOWHERE = "redis://127.0.0.1:1/0"
VALUES: tuple[Any, ...] = (0, 7, -1, True, False, None, 1.5, "y", "12", "", [1.5, 2], {"a": [None, "é"]})


@pytest.fixture
def made(redis_url: str) -> SharedCache:
    """A cache in a real Redis."""
    shared_cache = SharedCache(redis_url, {})
    shared_cache.clear()
    return shared_cache


@pytest.mark.parametrize("value", VALUES)
def test_what_goes_in_comes_out(made: SharedCache, value: Any) -> None:
    made.set("key", value)
    assert made.get("key", "nothing") == value
    made.set_many({"one": value, "two": 2})
    assert made.get_many(["one", "two", "three"]) == {"one": value, "two": 2}
    assert not made.add("key", "other")
    assert made.delete("key")
    assert made.get("key", "nothing") == "nothing"


def test_the_cache_counts_up(made: SharedCache) -> None:
    made.set("count", 1)
    assert made.incr("count", 2) == 3


def test_two_processes_share_it(made: SharedCache, redis_url: str) -> None:
    assert made.add("code", True)
    assert not SharedCache(redis_url, {}).add("code", True)


class Trap:
    """What a pickle would run."""

    def __reduce__(self) -> tuple[Any, ...]:
        return pytest.fail, ("Something that was read has run.",)


def test_what_somebody_put_into_redis_does_not_run(made: SharedCache, redis_url: str) -> None:
    redis.Redis.from_url(redis_url).set(made.make_and_validate_key("key"), pickle.dumps(Trap()))
    assert made.get("key", "nothing") == "nothing"


@pytest.mark.parametrize(
    "poison", [b"", b"7", b"null", b"{", b"\xff\xfe", b"[" * 100_000, b"0" * 64 + b'{"a": 1}']
)
def test_what_somebody_put_into_redis_counts_as_not_there(
    made: SharedCache, redis_url: str, poison: bytes
) -> None:
    redis.Redis.from_url(redis_url).set(made.make_and_validate_key("key"), poison)
    assert made.get("key", "nothing") == "nothing"
    assert made.get_many(["key"]) == {}
    made.set("key", [1])
    assert made.get("key") == [1]


def test_a_value_cannot_be_moved_to_another_key(made: SharedCache, redis_url: str) -> None:
    made.set("one", [1])
    client = redis.Redis.from_url(redis_url)
    client.rename(made.make_and_validate_key("one"), made.make_and_validate_key("two"))
    assert made.get("two", "nothing") == "nothing"


def test_without_redis_a_process_remembers_by_itself_and_asks_again_later(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lonely = SharedCache(NOWHERE, {})
    began = time.monotonic()
    monkeypatch.setattr(shared.time, "monotonic", lambda: began)
    assert lonely.add("code", True, 90)
    assert not lonely.add("code", True, 90), "a code that was used is remembered"
    assert lonely.get_many(["code", "other"]) == {"code": True}
    assert caplog.text.count("cache.unreachable") == 1, "and Redis is left alone for a while"
    monkeypatch.setattr(shared.time, "monotonic", lambda: began + shared.LEAVE_ALONE)
    lonely.get("code")
    assert caplog.text.count("cache.unreachable") == 2


@pytest.mark.django_db
def test_people_sign_in_and_read_lists_without_redis(settings: Any, client: Client) -> None:
    settings.CACHES = {"default": {"BACKEND": "console.web.cache.SharedCache", "LOCATION": NOWHERE}}
    operator: Operator = factories.operator()
    factories.user(factories.account(), "kwame.boateng")
    assert isinstance(cache._connections["default"], SharedCache)  # type: ignore[attr-defined]
    sign_in(client, operator.email)
    assert is_signed_in(client)
    page = client.get("/people/")
    assert page.status_code == 200
    assert "kwame.boateng" in page.content.decode()
