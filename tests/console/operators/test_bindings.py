"""Which company identity is whose: by issuer, seen and removed by administrators, and named in rows from
before.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from django.apps import apps
from django.core import mail
from django.test import Client

from console import single_sign_on
from console.audit.entry_sentences import words_of
from console.operators.models import Operator
from iam.directory.models import Role
from iam.journal.models import Entry
from tests import factories
from tests.console.operators.conftest import is_signed_in
from tests.console.operators.issuer import Issuer, running_issuer, through
from tests.console.operators.saml_provider import IDP, metadata

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.console.operators.single_sign_on_urls")]
MIGRATION = "console.operators.migrations.0003_totp_steps_and_bindings_by_issuer"


def _bind(operator: Operator, provider: str, uid: str = "s-1", **data: Any) -> SocialAccount:
    return SocialAccount.objects.create(user=operator, provider=provider, uid=uid, extra_data=data)


class TestIssuer:
    """A subject means something at one issuer alone."""

    def test_the_same_subject_of_another_issuer_is_somebody_else(
        self, issuer: Issuer, ines: Operator, kwame: Operator, settings: Any
    ) -> None:
        through(Client(), issuer, sub="s-1", email=ines.email, email_verified=True)
        with running_issuer() as other:
            app = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]
            app["settings"]["server_url"] = other.url
            browser = Client()
            through(browser, other, sub="s-1", email=kwame.email, email_verified=True)
            assert browser.get("/profile/").context["user"] == kwame
        assert set(SocialAccount.objects.values_list("provider", "user__username")) == {
            (issuer.url, ines.username),
            (other.url, kwame.username),
        }

    def test_who_comes_from_a_new_issuer_is_bound_there_too(self, issuer: Issuer, kwame: Operator) -> None:
        _bind(kwame, "https://former.example.com")
        browser = Client()
        through(browser, issuer, sub="s-2", email=kwame.email, email_verified=True)
        assert is_signed_in(browser)

    @pytest.mark.parametrize("uid", ["s-1", "None", "s-2"])
    def test_a_binding_without_an_issuer_lets_nobody_in(
        self, client: Client, issuer: Issuer, kwame: Operator, uid: str
    ) -> None:
        _bind(kwame, "company", uid)
        response = through(client, issuer, sub=uid, email=kwame.email, email_verified=True)
        assert response.status_code == 403
        assert Entry.objects.latest("id").data["reason"] == "other_identity"

    def test_the_owner_hears_of_it_by_mail(self, client: Client, issuer: Issuer, kwame: Operator) -> None:
        from allauth.account.models import EmailAddress

        EmailAddress.objects.create(user=kwame, email=kwame.email, verified=True, primary=True)
        through(client, issuer, sub="s-1", email=kwame.email, email_verified=True)
        assert "Company sign-in linked" in mail.outbox[-1].subject
        assert "Third-Party" not in mail.outbox[-1].subject + str(mail.outbox[-1].body)


class TestPage:
    """What an administrator sees and removes."""

    def test_an_administrator_sees_and_removes_it(
        self, client: Client, issuer: Issuer, ines: Operator, kwame: Operator
    ) -> None:
        browser = Client()
        through(browser, issuer, sub="sub-of-kwame", email=kwame.email, email_verified=True)
        binding = SocialAccount.objects.get()
        client.force_login(ines)
        page = client.get(f"/operators/{kwame.person_id}/").content.decode()
        assert "sub-of-kwame" in page
        assert issuer.url in page
        client.post(f"/operators/{kwame.person_id}/company-sign-ins/{binding.pk}/remove/")
        assert not SocialAccount.objects.exists()
        assert not is_signed_in(browser)
        entry = Entry.objects.get(kind="sign_in.unlinked")
        assert words_of(entry) == f"Ines Duarte removed a company sign-in of {kwame.email}"
        assert entry.data == {"provider": issuer.url, "identity": "sub-of-kwame"}
        through(browser, issuer, sub="sub-of-kwame", email=kwame.email, email_verified=True)
        assert is_signed_in(browser)

    def test_a_binding_of_an_unknown_issuer_is_explained(
        self, client: Client, ines: Operator, kwame: Operator
    ) -> None:
        _bind(kwame, "company")
        client.force_login(ines)
        assert "Unusable" in client.get(f"/operators/{kwame.person_id}/").content.decode()

    def test_nobody_removes_their_own_or_that_of_a_third_person(
        self, client: Client, ines: Operator, kwame: Operator
    ) -> None:
        own, foreign = _bind(ines, "https://a.example", "i"), _bind(kwame, "https://a.example", "k")
        client.force_login(ines)
        for person, binding in ((ines, own), (ines, foreign)):
            client.post(f"/operators/{person.person_id}/company-sign-ins/{binding.pk}/remove/")
        assert SocialAccount.objects.count() == 2
        client.post(f"/operators/{kwame.person_id}/company-sign-ins/{own.pk}/remove/")
        assert SocialAccount.objects.count() == 2

    @pytest.mark.parametrize("role", [Role.APPROVER, Role.AUDITOR, Role.MEMBER])
    def test_others_cannot(self, client: Client, kwame: Operator, role: Role) -> None:
        binding = _bind(kwame, "https://a.example")
        someone = factories.operator(role)
        client.force_login(someone)
        path = f"/operators/{kwame.person_id}/company-sign-ins/{binding.pk}/remove/"
        assert client.post(path).status_code == 404
        assert SocialAccount.objects.exists()


class TestMigration:
    """Rows from before name their issuer where that is proved, and otherwise let nobody in."""

    @pytest.mark.parametrize(
        ("uid", "data", "provider"),
        [
            ("s-1", {"id_token": {"iss": "https://a.example/", "sub": "s-1"}}, "https://a.example"),
            ("s-1", {"id_token": {"iss": "https://a.example", "sub": "s-2"}}, "company"),
            ("s-1", {"userinfo": {"sub": "s-1"}}, "company"),
            ("None", {"id_token": {"iss": "https://a.example", "sub": None}}, "company"),
            ("None", {"id_token": {"iss": "https://a.example"}}, "company"),
            ("", {"id_token": {"iss": "https://a.example", "sub": ""}}, "company"),
            ("s-1", {"id_token": "x"}, "company"),
            ("s-1", {}, "company"),
            ("s-1", [], "company"),
            ("s-1", {"id_token": {"iss": f"https://{'a' * 200}", "sub": "s-1"}}, "company"),
        ],
    )
    def test_only_a_proven_issuer_is_written(
        self, kwame: Operator, uid: str, data: Any, provider: str
    ) -> None:
        binding = SocialAccount.objects.create(user=kwame, provider="company", uid=uid, extra_data=data)
        import_module(MIGRATION).key_by_provider(apps, None)
        binding.refresh_from_db()
        assert binding.provider == provider

    def test_a_taken_place_is_left_alone(self, kwame: Operator, ines: Operator) -> None:
        _bind(ines, "https://a.example")
        mine = _bind(kwame, "company", id_token={"iss": "https://a.example", "sub": "s-1"})
        import_module(MIGRATION).key_by_provider(apps, None)
        mine.refresh_from_db()
        assert mine.provider == "company"

    def test_saml_rows_belong_to_the_configured_provider(
        self, kwame: Operator, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        binding = _bind(kwame, "company-saml")
        migration = import_module(MIGRATION)
        migration.key_by_provider(apps, None)
        binding.refresh_from_db()
        assert binding.provider == "company-saml", "nothing is configured"
        monkeypatch.setenv("GATEHOUSE_SAML_METADATA", metadata("idp"))
        settings.SOCIALACCOUNT_PROVIDERS = single_sign_on.providers(embedded=False)
        migration.key_by_provider(apps, None)
        binding.refresh_from_db()
        assert binding.provider == f"{IDP}/meta"
        migration.forget_provider(apps, None)
        binding.refresh_from_db()
        assert binding.provider == "company-saml"

    def test_a_migrated_binding_signs_in(self, client: Client, issuer: Issuer, kwame: Operator) -> None:
        _bind(kwame, "company", id_token={"iss": issuer.url, "sub": "s-1"})
        import_module(MIGRATION).key_by_provider(apps, None)
        through(client, issuer, sub="s-1", email="renamed@example.com", email_verified=True)
        assert is_signed_in(client)
