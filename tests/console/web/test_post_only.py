"""A GET of an address that only takes forms leads back to its page: tried for every address of the
console.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from uuid import UUID

import pytest
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, resolve
from django.urls.converters import IntConverter, SlugConverter, StringConverter, UUIDConverter

from console.web.post_only import page_above
from iam.directory.models import Role
from tests import factories

FOREIGN = ("admin", "sign-in", "accounts")
"""Addresses of libraries, which say themselves what they take."""


def dummies(pattern: URLPattern) -> dict[str, object]:
    """Arguments that fit the converters of a pattern."""
    dummies: dict[str, object] = {}
    for name, converter in pattern.pattern.converters.items():
        if isinstance(converter, UUIDConverter):
            dummies[name] = UUID(int=1)
        elif isinstance(converter, IntConverter):
            dummies[name] = 1
        elif isinstance(converter, SlugConverter | StringConverter):
            dummies[name] = "a"
        else:
            dummies[name] = "111111111111"
    return dummies


def addresses() -> Iterator[tuple[str, URLPattern]]:
    """Every address that can be written from a pattern, with dummy arguments."""

    def walk(
        resolver: URLResolver, prefix: str, settings_given: dict[str, object]
    ) -> Iterator[tuple[str, URLPattern]]:
        for url_pattern in resolver.url_patterns:
            if isinstance(url_pattern, URLResolver):
                yield from walk(url_pattern, prefix + str(url_pattern.pattern), settings_given)
            elif isinstance(url_pattern, URLPattern):
                text = prefix + str(url_pattern.pattern)
                for name, value in dummies(url_pattern).items():
                    for kind in ("uuid", "int", "slug", "str", "path", "account"):
                        text = text.replace(f"<{kind}:{name}>", str(value))
                    text = text.replace(f"<{name}>", str(value))
                if "<" not in text and "(" not in text and "^" not in text:
                    yield f"/{text}", url_pattern

    yield from walk(get_resolver(), "", {})


def takes_only_posts(path: str) -> bool:
    """True if the view of an address answers a GET with 405, before it looks at anything else."""
    match = resolve(path)
    request = RequestFactory().get(path)
    # A view that goes further than its decorators, and fails for want of a session, takes a GET.
    with suppress(Exception):
        return bool(match.func(request, *match.args, **match.kwargs).status_code == 405)
    return False


@pytest.mark.django_db
def test_a_get_of_every_address_that_only_takes_forms_leads_to_a_page() -> None:
    client = Client()
    client.force_login(factories.operator(Role.ADMINISTRATOR))
    tried = 0
    for path, _ in addresses():
        if path.split("/")[1] in FOREIGN or not takes_only_posts(path):
            continue
        tried += 1
        answer = client.get(path)
        assert answer.status_code == 302, path
        assert answer["Location"] == page_above(path), path
        above = answer["Location"]
        while takes_only_posts(above):
            assert len(page_above(above)) < len(above), path
            above = page_above(above)
        assert resolve(above)
    assert tried > 30


@pytest.mark.django_db
def test_a_fragment_and_another_method_are_refused_as_before() -> None:
    client = Client()
    client.force_login(factories.operator(Role.ADMINISTRATOR))
    path = "/changes/rules/draft/discard/"
    assert client.get(path).status_code == 302
    assert client.get(path, headers={"HX-Request": "true"}).status_code == 405
    assert client.delete(path).status_code == 405
