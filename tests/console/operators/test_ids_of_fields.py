"""Each field of a person's page has an id of its own: else a label leads to another one."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from django.urls import reverse

from iam.directory.models import Role
from tests import factories
from tests.iam.changes.site import signed_in

pytestmark = pytest.mark.django_db


def test_the_form_of_roles_and_the_scope_of_the_audit_share_no_id() -> None:
    administrator = factories.operator(Role.ADMINISTRATOR, name="Ines Duarte")
    auditor = factories.operator(Role.AUDITOR, name="Amara Diallo")
    answer = signed_in(administrator).get(reverse("operator", args=[auditor.person.pk]))
    page = answer.content.decode()
    assert "Scope of the audit" in page
    assert "Last day of the period" in page
    ids = Counter(re.findall(r'\sid="([^"]*)"', page))
    assert [name for name, number in ids.items() if number > 1] == []
