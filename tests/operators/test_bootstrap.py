"""`manage.py bootstrap`: the first people of an installation."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from console.operators.models import Operator
from iam.directory.models import Role
from iam.directory.rules import enough_approvers
from iam.journal.models import Entry
from tests.operators.conftest import PASSWORD, is_signed_in, sign_in

pytestmark = pytest.mark.django_db


def _run(*arguments: str) -> str:
    out = StringIO()
    call_command("bootstrap", *arguments, stdout=out)
    return out.getvalue()


def test_the_first_administrator_gets_a_link_and_comes_in() -> None:
    text = _run("--admin", "Ines@Example.com")
    link = re.search(r"http://127\.0\.0\.1:8000(/sign-in/password/reset/key/\S+)", text)
    assert link
    browser = Client()
    form = browser.get(link[1])["Location"]
    browser.post(form, {"password1": PASSWORD, "password2": PASSWORD})
    sign_in(browser, "ines@example.com")
    assert is_signed_in(browser)
    assert set(Entry.objects.filter(kind="role.assign").values_list("actor_label", flat=True)) == {
        "Command line"
    }


def test_repeating_it_changes_nothing_and_adds_what_is_new() -> None:
    _run("--admin", "ines@example.com")
    text = _run(
        "--admin", "ines@example.com", "--approver", "ines@example.com", "--approver", "hana@example.com"
    )
    assert "ines@example.com: administrator" in text
    ines = Operator.objects.get(email="ines@example.com")
    assert ines.person is not None
    assert {a.role for a in ines.person.assignments.all()} == {Role.ADMINISTRATOR, Role.APPROVER}
    assert enough_approvers()
    assert Operator.objects.count() == 2


def test_whoever_has_a_password_gets_no_link() -> None:
    _run("--admin", "ines@example.com")
    operator = Operator.objects.get()
    operator.set_password(PASSWORD)
    operator.save()
    assert "/key/" not in _run("--admin", "ines@example.com")


def test_nobody_named_is_a_mistake() -> None:
    with pytest.raises(CommandError, match="--admin EMAIL"):
        _run()
