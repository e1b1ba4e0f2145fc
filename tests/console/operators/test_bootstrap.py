"""`manage.py bootstrap`: the first people of an installation."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from console.operators.models import Operator
from console.operators.services import invite_operator
from iam.directory.models import Person, Role
from iam.directory.rules import DirectoryRuleError, enough_approvers
from iam.journal.models import Entry
from iam.journal.services import COMMAND_LINE
from tests import factories
from tests.console.operators.conftest import PASSWORD, is_signed_in, sign_in

NEW = "quiet-harbour-lamp-51"

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


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("Sean O’Brien <Sean.OBrien@example.com>", "Sean O’Brien"),
        ("sean.obrien@example.com", "sean.obrien@example.com"),
        ("<sean.obrien@example.com>", "sean.obrien@example.com"),
    ],
)
def test_a_name_is_as_it_was_given_and_never_made_of_an_address(typed: str, name: str) -> None:
    text = _run("--admin", typed)
    assert "sean.obrien@example.com: administrator" in text
    assert Person.objects.get(email="sean.obrien@example.com").name == name


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
    with pytest.raises(CommandError, match="--admin"):
        _run()


def test_a_link_is_printed_for_somebody_who_was_added_and_for_a_lost_password() -> None:
    kwame = factories.operator(Role.MEMBER, name="Kwame Boateng")
    link = re.search(
        r"http://127\.0\.0\.1:8000(/sign-in/password/reset/key/\S+)", _run("--link", kwame.email)
    )
    assert link
    browser = Client()
    browser.post(browser.get(link[1])["Location"], {"password1": NEW, "password2": NEW})
    kwame.refresh_from_db()
    assert kwame.check_password(NEW)
    entry = Entry.objects.get(kind="operator.invite")
    assert (entry.actor_label, entry.subject, entry.data) == ("Command line", kwame.email, {"by": "link"})
    assert {a.role for a in kwame.person.assignments.all()} == {Role.MEMBER}


def test_no_link_for_strangers_and_those_who_were_shut_out() -> None:
    with pytest.raises(CommandError, match="No one with the email address zoe@"):
        _run("--link", "zoe@example.com")
    kwame = factories.operator(Role.MEMBER, name="Kwame Boateng")
    Person.objects.filter(pk=kwame.person_id).update(is_active=False)
    with pytest.raises(CommandError, match="Kwame Boateng is deactivated"):
        _run("--link", kwame.email)


def test_where_no_mail_goes_out_the_page_tells_of_the_link(settings: Any) -> None:
    settings.MAIL_IS_CONFIGURED = False
    kwame = factories.operator(Role.MEMBER, name="Kwame Boateng")
    with pytest.raises(DirectoryRuleError, match=f"bootstrap --link {kwame.email}"):
        invite_operator(kwame, actor=COMMAND_LINE)
