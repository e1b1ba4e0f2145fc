"""Who may open which address of the accounts area: 404 for everything that is not theirs, with htmx and
without.
"""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from iam.directory.models import Role
from iam.journal.models import Entry
from iam.mirror.models import Account, ConnectionDraft, Pull, SetupJob
from tests import factories
from tests.console.setup.conftest import HTMX, signed_in

NUMBER = "447109238816"
SEEN: tuple[tuple[str, dict[str, Any]], ...] = (
    ("accounts", {}),
    ("accounts-progress", {}),
    ("account", {"number": NUMBER}),
    ("pull-progress", {"number": NUMBER}),
    ("pulls", {"number": NUMBER}),
    ("fix-permissions", {"number": NUMBER}),
    ("doctor", {"number": NUMBER}),
)
MANAGED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("connect", {}),
    ("connect-organization", {}),
    ("connect-environment", {}),
    ("upload", {}),
    ("settings", {"number": NUMBER}),
    ("disconnect", {"number": NUMBER}),
    ("apply-loss", {"number": NUMBER}),
)
OF_DRAFT = ("connect-role", "connect-hub")
POSTED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("read-all", {}),
    ("connect", {}),
    ("connect-organization", {}),
    ("look-up-environment", {}),
    ("connect-own-account", {}),
    ("upload", {}),
    ("pull", {"number": NUMBER}),
    ("stop-pull", {"number": NUMBER}),
    ("apply-loss", {"number": NUMBER}),
    ("doctor", {"number": NUMBER}),
    ("settings", {"number": NUMBER}),
    ("disconnect", {"number": NUMBER}),
)
HEADERS: tuple[dict[str, str], ...] = ({}, HTMX)
STRANGERS = ("team-lead", "member", "nobody")


def stranger(kind: str) -> Client:
    """Somebody who sees no account."""
    if kind == "team-lead":
        from iam.directory.models import Team

        return signed_in(Role.TEAM_LEAD, team=Team.objects.create(slug="t", name="T"))
    return signed_in(Role.MEMBER if kind == "member" else None)


def address(name: str, arguments: dict[str, Any]) -> str:
    return reverse(f"setup:{name}", kwargs=arguments)


@pytest.fixture
def draft(db: None) -> ConnectionDraft:
    return ConnectionDraft.objects.create(account_id="339011276654", name="b", external_id="gh-1")


@pytest.fixture
def job(db: None) -> SetupJob:
    return SetupJob.objects.create(kind="discover")


FRAGMENTS = frozenset(
    {"accounts", "accounts-progress", "pull-progress", "fix-permissions", "doctor", "connect-environment"}
)


@pytest.mark.parametrize(("name", "arguments"), [*SEEN, *MANAGED], ids=str)
def test_an_administrator_opens_every_page_whole_or_its_fragment(
    admin: Client, account: Account, name: str, arguments: dict[str, Any]
) -> None:
    whole = admin.get(address(name, arguments), follow=True)
    part = admin.get(address(name, arguments), headers=HTMX)
    assert whole.status_code == 200
    assert b"<!DOCTYPE html>" in whole.content
    assert part.status_code in {200, 286}
    assert (b"<!DOCTYPE html>" in part.content) is (name not in FRAGMENTS)
    assert "HX-Request" in part["Vary"]


@pytest.mark.parametrize("headers", HEADERS, ids=["whole", "htmx"])
@pytest.mark.parametrize("kind", STRANGERS)
def test_whoever_sees_no_account_finds_nothing(
    kind: str, headers: dict[str, str], account: Account, draft: ConnectionDraft, job: SetupJob
) -> None:
    client = stranger(kind)
    for name, arguments in (*SEEN, *MANAGED):
        assert client.get(address(name, arguments), headers=headers).status_code == 404, name
    for name in OF_DRAFT:
        assert client.get(address(name, {"draft": draft.pk}), headers=headers).status_code == 404, name
    for name in ("discovered", "import"):
        assert client.get(address(name, {"job": job.pk}), headers=headers).status_code == 404, name
    for name, arguments in POSTED:
        assert client.post(address(name, arguments), headers=headers).status_code == 404, name
    assert Account.objects.get().removed_at is None
    assert not Pull.objects.exists()


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.APPROVER])
def test_whoever_only_looks_sees_and_changes_nothing(
    role: Role, account: Account, draft: ConnectionDraft, job: SetupJob
) -> None:
    client = signed_in(role)
    for name, arguments in SEEN:
        assert client.get(address(name, arguments), headers=HTMX).status_code in {200, 286}, name
    for name, arguments in MANAGED:
        assert client.get(address(name, arguments)).status_code == 404, name
    for name in OF_DRAFT:
        assert client.get(address(name, {"draft": draft.pk})).status_code == 404, name
    for name, arguments in POSTED:
        assert client.post(address(name, arguments)).status_code == 404, name
    for name in ("change-draft", "discard-draft"):
        assert client.post(address(name, {"draft": draft.pk})).status_code == 404, name
    assert client.post(address("connect-discovered", {"job": job.pk})).status_code == 404
    assert ConnectionDraft.objects.filter(pk=draft.pk).exists()
    assert not Entry.objects.filter(kind__startswith="account.").exists()


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.APPROVER])
def test_whoever_only_looks_is_shown_no_button(role: Role, account: Account) -> None:
    client = signed_in(role)
    account.sections.filter(name="tags").update(state="held", message="40 of 200 are missing.")
    account.sections.filter(name="ssh_keys").update(state="denied", permission="iam:ListSSHPublicKeys")
    for name, arguments in SEEN:
        body = client.get(address(name, arguments), follow=True).content.decode()
        assert 'method="post"' not in body.partition("<main")[2], name
        for words in (
            "Connect",
            "Read all now",
            "Read now",
            "Settings",
            "Check again",
            "Confirm removal",
            "gh-4e07",
        ):
            assert f"{words}</" not in body.partition("<main")[2], (name, words)


def test_whoever_is_not_signed_in_is_sent_to_sign_in(account: Account) -> None:
    for name, arguments in (*SEEN, *MANAGED):
        response = Client().get(address(name, arguments))
        assert response.status_code == 302
        assert "/sign-in/" in response["Location"]
    response = Client().post(address("upload", {}), {"export": "x"})
    assert response.status_code == 302


def test_an_account_that_is_not_there_is_not_found(admin: Client, account: Account) -> None:
    for name, arguments in (*SEEN, *MANAGED):
        if arguments:
            assert admin.get(address(name, {"number": "999999999999"})).status_code == 404
    assert admin.get(reverse("setup:connect-role", kwargs={"draft": uuid.uuid4()})).status_code == 404
    assert admin.get(reverse("setup:discovered", kwargs={"job": uuid.uuid4()})).status_code == 404
    assert admin.get(reverse("setup:import", kwargs={"job": uuid.uuid4()})).status_code == 404


def test_every_page_of_a_disconnected_account_says_so(admin: Client, account: Account) -> None:
    from datetime import UTC, datetime

    Account.objects.update(removed_at=datetime.now(tz=UTC))
    for name, arguments in (*SEEN, *MANAGED):
        if arguments:
            answer = admin.get(address(name, arguments))
            assert answer.status_code == 410, name
            assert "This account was disconnected" in answer.content.decode(), name


def test_an_administrator_of_one_account_manages_no_other(account: Account, draft: ConnectionDraft) -> None:
    other = factories.account("612044783021", name="data")
    client = Client()
    operator = factories.operator(None)
    factories.assign(operator.person, Role.ADMINISTRATOR, account_id=other.account_id)
    client.force_login(operator)
    assert client.get(address("account", {"number": other.account_id})).status_code == 200
    assert client.get(address("account", {"number": NUMBER})).status_code == 404
    assert client.post(address("pull", {"number": NUMBER})).status_code == 404
    assert client.get(address("connect-role", {"draft": draft.pk})).status_code == 404
    assert client.get(address("connect-organization", {})).status_code == 404
    assert client.post(address("pull", {"number": other.account_id})).status_code == 302


def test_a_form_without_its_token_is_refused(account: Account) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(factories.operator(Role.ADMINISTRATOR))
    for name, arguments in POSTED:
        assert client.post(address(name, arguments)).status_code == 403, name
    assert not Pull.objects.exists()


def test_no_get_changes_an_account(admin: Client, account: Account, draft: ConnectionDraft) -> None:
    for name, arguments in (
        ("read-all", {}),
        ("look-up-environment", {}),
        ("connect-own-account", {}),
        ("pull", {"number": NUMBER}),
        ("stop-pull", {"number": NUMBER}),
        ("change-draft", {"draft": draft.pk}),
        ("discard-draft", {"draft": draft.pk}),
    ):
        assert admin.get(address(name, arguments)).status_code == 302, name
