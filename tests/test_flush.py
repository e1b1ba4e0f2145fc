"""What the migrations have written is there again after a test that commits, whichever test comes next."""

from __future__ import annotations

from typing import Final

import pytest

from iam.access.templates.models import Template
from iam.directory.models import Person

pytestmark = [pytest.mark.on_both, pytest.mark.django_db(transaction=True)]
SHIPPED: Final = {"read-bucket", "support-cases"}


@pytest.mark.parametrize("turn", ["before", "after"])
def test_templates_that_gatehouse_comes_with_survive_a_flush(turn: str) -> None:
    assert set(Template.objects.values_list("slug", flat=True)) >= SHIPPED
    assert not Person.objects.exists()
    Template.objects.all().delete()
    Person.objects.create(name=turn)
