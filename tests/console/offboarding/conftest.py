"""Someone who can be offboarded, and the browser of an administrator."""

from __future__ import annotations

import pytest
from django.test import Client

from iam.directory.models import Role
from iam.mirror.models import EdgeKind, Entity
from tests import factories

NUMBER = "111111111111"


@pytest.fixture
def user() -> Entity:
    """In a group of an account that is written to."""
    account = factories.account(NUMBER, write_role_arn=f"arn:aws:iam::{NUMBER}:role/w")
    user = factories.user(account, "maya.okafor")
    factories.edge(EdgeKind.MEMBER, user, factories.group(account, "payments-dev"))
    return user


@pytest.fixture
def admin(user: Entity) -> Client:
    """The browser of an administrator."""
    client = Client()
    client.force_login(factories.operator(Role.ADMINISTRATOR, name="Ines Duarte"))
    return client
