"""A GET of each address that only takes forms, in every role: it leads back to the page of the form."""

from __future__ import annotations

from http.cookies import SimpleCookie

import pytest
from django.urls import resolve, reverse

from console.web.post_only import takes_only_forms
from tests.test_urls_by_role import BY_QUERY, world
from tests.url_answers import ANSWERS
from tests.url_world import AUDITORS, ROLES, World

pytestmark = pytest.mark.django_db
__all__ = ["world"]


@pytest.mark.parametrize("role", [*ROLES[1:], *AUDITORS[:-1]])
def test_a_get_of_an_address_that_only_takes_forms_leads_back_to_its_page(world: World, role: str) -> None:
    """Whether someone could send the form or not: the page says what they can do, or is missing for them."""
    stuck, tried = {}, 0
    client = world.clients[role]
    client.cookies = SimpleCookie({key: morsel.value for key, morsel in world.cookies[role].items()})
    for method, name, what in ANSWERS:
        address = reverse(name, kwargs={} if name in BY_QUERY else world.arguments[what])
        if method != "POST" or not takes_only_forms(resolve(address).func):
            continue
        tried += 1
        answer = client.get(address + world.queries.get((name, what), ""))
        if answer.status_code != 302:
            stuck[name, what] = answer.status_code
    assert stuck == {}
    assert tried > 100
