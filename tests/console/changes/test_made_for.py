"""Nobody is led from a request to the page of something that they cannot open."""

from __future__ import annotations

import uuid

import pytest

from console.changes.page import _MADE_FOR, _OPENS, _made_for
from iam.changes.models import ChangeSet
from iam.directory.models import Role
from iam.guard import viewer_for
from tests import factories

pytestmark = pytest.mark.django_db


def test_each_cause_says_who_opens_its_page() -> None:
    assert _OPENS.keys() == _MADE_FOR.keys()


@pytest.mark.parametrize("kind", sorted(_MADE_FOR))
def test_what_a_viewer_cannot_open_is_no_link(kind: str) -> None:
    made = ChangeSet.objects.create(cause_kind=kind, cause_id=uuid.uuid4())
    limited = factories.person("Hana Sato", email="hana@example.com")
    factories.assign(limited, Role.APPROVER, account_id=factories.account().account_id)
    assert _made_for(made, viewer=viewer_for(limited)) is None
    whole = _made_for(made, viewer=factories.viewer(Role.ADMINISTRATOR))
    assert whole
    assert str(made.cause_id) in whole["url"]
