"""What the tests of sign-in share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache

from console import single_sign_on
from console.operators.models import Operator
from iam.directory.models import Role
from tests import factories
from tests.console.operators import single_sign_on_urls
from tests.console.operators.issuer import CLIENT_ID, CLIENT_SECRET, Issuer, running_issuer

# Imported before any test configures a provider: the console's own addresses are chosen at the first import.
assert single_sign_on_urls.urlpatterns
PASSWORD = "correct horse battery staple"


@pytest.fixture(autouse=True)
def _fresh_rate_limits() -> Iterator[None]:
    """allauth counts requests in the cache, which outlives a test."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture(scope="package", autouse=True)
def _addresses_read_once() -> Iterator[None]:
    """Django keeps each table of addresses by its name; pytest-django has them read again for each test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.urls.clear_url_caches", lambda: None)
        yield


@pytest.fixture
def ines(db: None) -> Operator:
    """An administrator."""
    made: Operator = factories.operator(Role.ADMINISTRATOR, name="Ines Duarte")
    return made


@pytest.fixture
def kwame(db: None) -> Operator:
    """A member."""
    made: Operator = factories.operator(Role.MEMBER, name="Kwame Boateng")
    return made


@pytest.fixture
def issuer(settings: Any) -> Iterator[Issuer]:
    """The company's sign-in, configured; its tests use the addresses of
    tests.console.operators.single_sign_on_urls.
    """
    with running_issuer() as running:
        settings.SOCIALACCOUNT_PROVIDERS = {
            "openid_connect": {
                "OAUTH_PKCE_ENABLED": True,
                "APPS": [
                    {
                        "provider_id": single_sign_on.OIDC_ID,
                        "name": "Northline",
                        "client_id": CLIENT_ID,
                        "secret": CLIENT_SECRET,
                        "settings": {"server_url": running.url, "fetch_userinfo": True},
                    }
                ],
            }
        }
        yield running


def sign_in(client: Any, login: str, password: str = PASSWORD, **extra: Any) -> Any:
    """Send the form of the sign-in page."""
    return client.post("/sign-in/", {"login": login, "password": password}, **extra)


def is_signed_in(client: Any) -> bool:
    """Whether the profile, which everybody has, opens."""
    return bool(client.get("/profile/").status_code == 200)
