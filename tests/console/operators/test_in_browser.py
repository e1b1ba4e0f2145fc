"""Sign-in in a real browser: passkeys, the keyboard alone, no JavaScript, and nothing that the policy
blocks.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyotp
import pytest
from allauth.mfa.models import Authenticator
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from console.operators.models import Operator
from iam.directory.models import Role
from iam.journal.models import Entry
from tests import factories
from tests.console.operators.conftest import PASSWORD

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def kwame() -> Operator:
    """A member."""
    made: Operator = factories.operator(Role.MEMBER, name="Kwame Boateng")
    return made


@pytest.fixture
def complaints() -> list[str]:
    """What the browser's console complained of."""
    return []


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, complaints: list[str]) -> Iterator[Page]:
    """A fresh page at the console."""
    context = browser.new_context(base_url=live_server.url)
    made = context.new_page()
    made.on("console", lambda m: complaints.append(m.text) if m.type in {"error", "warning"} else None)
    made.on("pageerror", lambda e: complaints.append(str(e)))
    yield made
    context.close()


def _sign_in(page: Page, login: str) -> None:
    page.goto("/sign-in/?next=/profile/")
    page.get_by_label("Email or user name").fill(login)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def _authenticator(page: Page) -> None:
    """A fingerprint reader that always agrees."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def test_a_passkey_is_added_and_signs_in_without_a_password(
    page: Page, kwame: Operator, complaints: list[str]
) -> None:
    _sign_in(page, kwame.email)
    _authenticator(page)
    page.goto("/sign-in/factors/webauthn/add/")
    page.get_by_label("A name for it").fill("My laptop")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_text("My laptop")).to_be_visible()
    page.goto("/profile/")
    page.get_by_role("button", name="Sign out", exact=True).click()

    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(lambda address: "/sign-in/" not in address)
    page.goto("/profile/")
    expect(page.get_by_role("heading", name="Kwame Boateng")).to_be_visible()
    assert Entry.objects.filter(kind="sign_in.succeeded").latest("id").data == {"by": ["webauthn"]}
    assert complaints == []


def test_a_passkey_is_the_second_step_after_a_password(
    page: Page, kwame: Operator, complaints: list[str]
) -> None:
    _sign_in(page, kwame.email)
    _authenticator(page)
    page.goto("/sign-in/factors/webauthn/add/")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    page.goto("/profile/")
    page.get_by_role("button", name="Sign out", exact=True).click()
    _sign_in(page, kwame.email)
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
    page.get_by_role("button", name="Use a passkey or security key").click()
    expect(page.get_by_role("heading", name="Kwame Boateng")).to_be_visible()
    assert complaints == []


def test_a_passkey_that_does_not_work_says_so_beside_the_button(page: Page, kwame: Operator) -> None:
    """Somebody has one, so the button is there; this browser's authenticator does not know it."""
    Authenticator.objects.create(user=kwame, type=Authenticator.Type.WEBAUTHN, data={"name": "My key"})
    _authenticator(page)
    page.goto("/sign-in/")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("passkey")
    assert page.url.endswith("/sign-in/")


def test_at_a_bare_address_no_passkey_is_offered(page: Page, live_server: LiveServer) -> None:
    page.goto(live_server.url.replace("localhost", "127.0.0.1") + "/sign-in/")
    expect(page.get_by_label("Password")).to_be_visible()
    expect(page.get_by_role("button", name="Use a passkey")).to_have_count(0)


def test_the_keyboard_alone_signs_in_and_enrols_a_phone(
    page: Page, kwame: Operator, complaints: list[str]
) -> None:
    page.goto("/sign-in/?next=/sign-in/factors/totp/activate/")
    page.get_by_label("Email or user name").focus()
    page.keyboard.type(kwame.email)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    seed = page.locator("#seed").inner_text()
    page.get_by_label("Code of six digits").focus()
    page.keyboard.type(pyotp.TOTP(seed).now())
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    assert complaints == []


def test_everything_works_without_javascript(
    browser: Browser, live_server: LiveServer, kwame: Operator
) -> None:
    ines = factories.operator(Role.ADMINISTRATOR, name="Ines Duarte")
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    _sign_in(page, ines.email)
    page.goto(f"/operators/{kwame.person_id}/")
    page.get_by_label("Role", exact=True).select_option("auditor")
    page.get_by_role("button", name="Give this role").click()
    expect(page.get_by_text("Kwame Boateng now has the auditor role.")).to_be_visible()
    page.goto("/audit/journal/")
    page.get_by_label("Kind").select_option("role")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_text("gave Kwame Boateng the auditor role")).to_be_visible()
    page.goto("/sign-in/")
    context.close()


def test_filters_swap_only_the_table_and_go_into_the_address(
    page: Page, kwame: Operator, complaints: list[str]
) -> None:
    ines = factories.operator(Role.ADMINISTRATOR, name="Ines Duarte")
    _sign_in(page, ines.email)
    page.goto("/operators/")
    page.get_by_label("Role", exact=True).select_option("member")
    expect(page.get_by_role("link", name="Ines Duarte", exact=True)).to_have_count(0)
    expect(page.get_by_role("link", name="Kwame Boateng")).to_be_visible()
    assert "role=member" in page.url
    page.go_back()
    expect(page.get_by_role("cell", name="Ines Duarte")).to_be_visible()
    assert complaints == []


def test_a_session_that_ended_leads_htmx_to_the_sign_in_page(
    page: Page, kwame: Operator, complaints: list[str]
) -> None:
    ines = factories.operator(Role.ADMINISTRATOR, name="Ines Duarte")
    _sign_in(page, ines.email)
    page.goto("/operators/")
    Operator.objects.filter(pk=ines.pk).update(session_epoch=9)
    page.get_by_label("Role", exact=True).select_option("member")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert "next=%2Foperators%2F" in page.url
