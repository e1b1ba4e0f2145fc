"""SAML answers that were made for somebody else, for something else, or by somebody else: nobody comes in,
and the journal says why.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from django.test import Client
from django.urls import NoReverseMatch, reverse
from onelogin.saml2.constants import OneLogin_Saml2_Constants

from console import env, single_sign_on
from console.audit.entry_sentences import words_of
from console.operators.models import Operator, OperatorSession
from iam.journal.models import Entry
from tests.console.operators.conftest import is_signed_in
from tests.console.operators.issuer import Answer, running_issuer
from tests.console.operators.saml_provider import (
    HERE,
    HTTPS,
    IDP,
    SUBJECT_ID,
    TRANSIENT,
    Saml,
    ask,
    certificate_body,
    come_back,
    metadata,
    packed,
)

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.console.operators.single_sign_on_urls")]


def _configure(settings: Any, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("GATEHOUSE_SAML_METADATA", text)
    settings.SOCIALACCOUNT_PROVIDERS = single_sign_on.providers(embedded=False)
    settings.ALLOWED_HOSTS = ["gatehouse.example.com"]


@pytest.fixture(autouse=True)
def _saml(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _configure(settings, monkeypatch, metadata("idp"))


def _profile_opens(client: Client) -> bool:
    return bool(client.get("/profile/", **HTTPS).status_code == 200)


def _is_refused(client: Client, response: Any, *reasons: str) -> None:
    assert response.status_code in (401, 403)
    assert "Back to sign-in" in response.content.decode()
    assert not _profile_opens(client)
    assert not SocialAccount.objects.exists()
    entry = Entry.objects.filter(kind="sign_in.failed").latest("id")
    assert entry.data["reason"] in reasons, entry.data
    assert entry.data["provider"] == f"{IDP}/meta"
    assert entry.data["cause"] in words_of(entry)


class TestAssertion:
    """The signed assertion itself says for whom and for what it is."""

    @pytest.mark.parametrize(
        ("fields", "reason"),
        [
            ({"audiences": None}, "no_audience"),
            ({"audiences": ()}, "bad_saml_response"),
            ({"audiences": ("https://other.example/metadata",)}, "bad_saml_response"),
            ({"answers": None}, "not_in_response"),
            ({"answers": "_another"}, "bad_saml_response"),
            ({"answers": None, "response_answers": None}, "not_in_response"),
            ({"response_answers": None}, "not_in_response"),
            ({"recipient": None}, "not_in_response"),
            ({"recipient": "https://other.example/acs/"}, "bad_saml_response"),
            ({"recipient": f"https://other.example/?{HERE}/acs/"}, "not_in_response"),
            ({"minutes": None}, "not_in_response"),
            ({"minutes": -5}, "bad_saml_response"),
            ({"issuer": "https://evil.example/meta"}, "bad_saml_response"),
            ({"destination": "https://other.example/acs/"}, "bad_saml_response"),
            ({"signed_by": None}, "bad_saml_response"),
            ({"signed_by": "evil"}, "bad_saml_response"),
            ({"signed_by": None, "response_signed_by": "evil"}, "bad_saml_response"),
            ({"status": "urn:oasis:names:tc:SAML:2.0:status:Responder"}, "bad_saml_response"),
        ],
    )
    def test_an_assertion_for_something_else_is_refused(
        self, client: Client, ines: Operator, fields: dict[str, Any], reason: str
    ) -> None:
        answer = Saml(ask(client), email=ines.email).but(**fields)
        _is_refused(client, come_back(client, answer.packed()), reason)

    def test_a_signature_by_sha_1_is_refused(self, client: Client, ines: Operator) -> None:
        old = (OneLogin_Saml2_Constants.RSA_SHA1, OneLogin_Saml2_Constants.SHA1)
        answer = Saml(ask(client), email=ines.email, algorithms=old)
        _is_refused(client, come_back(client, answer.packed()), "bad_saml_response")

    def test_an_answer_is_kept_for_minutes_and_not_for_weeks(self, client: Client) -> None:
        client.post(f"{HERE}/acs/", {"SAMLResponse": "AAAA"}, **HTTPS)
        ends = OperatorSession.objects.latest("expire_date").expire_date
        assert ends < datetime.now(tz=UTC) + timedelta(minutes=11)

    def test_a_second_restriction_counts_too(self, client: Client, ines: Operator) -> None:
        other = "<saml:AudienceRestriction><saml:Audience>https://other.example</saml:Audience></saml:AudienceRestriction>"
        audiences = (f"{HERE}/metadata/</saml:Audience></saml:AudienceRestriction>{other}",)
        text = audiences[0].removesuffix("</saml:Audience></saml:AudienceRestriction>")
        answer = Saml(ask(client), email=ines.email, audiences=(text,))
        _is_refused(client, come_back(client, answer.packed()), "no_audience")

    def test_a_stolen_assertion_does_not_pass_in_an_unsigned_response(
        self, client: Client, ines: Operator
    ) -> None:
        """Made for a victim without a request of ours; the response around it names the attacker's own
        request.
        """
        request_id = ask(client)
        for answers in (None, "_of-the-victim"):
            stolen = Saml(request_id, email=ines.email, answers=answers, response_answers=request_id)
            _is_refused(client, come_back(client, stolen.packed()), "not_in_response", "bad_saml_response")

    def test_a_right_assertion_in_an_unsigned_response_is_enough(
        self, client: Client, ines: Operator
    ) -> None:
        come_back(client, Saml(ask(client), email=ines.email).packed())
        assert _profile_opens(client)

    def test_signatures_of_both_are_checked(self, client: Client, ines: Operator) -> None:
        forged = Saml(ask(client), email=ines.email, response_signed_by="evil")
        _is_refused(client, come_back(client, forged.packed()), "bad_saml_response")
        come_back(client, Saml(ask(client), email=ines.email, response_signed_by="idp").packed())
        assert _profile_opens(client)

    def test_an_answer_to_another_browser_is_refused(self, client: Client, ines: Operator) -> None:
        answer = Saml(ask(client), email=ines.email).packed()
        other = Client()
        _is_refused(other, come_back(other, answer), "not_requested")

    def test_an_answer_works_once(self, client: Client, ines: Operator) -> None:
        answer = Saml(ask(client), email=ines.email).packed()
        come_back(client, answer)
        client.post("/sign-in/out/", **HTTPS)
        again = come_back(client, answer)
        assert again.status_code == 401
        assert Entry.objects.filter(kind="sign_in.failed").latest("id").data["reason"] == "not_requested"
        assert not _profile_opens(client)

    def test_a_second_assertion_beside_the_signed_one_is_refused(
        self, client: Client, ines: Operator, kwame: Operator
    ) -> None:
        """Signature wrapping: the signed assertion of one person, and a forged one of another."""
        signed = Saml(ask(client), email=kwame.email)
        forged = signed.but(email=ines.email, signed_by=None).assertion().replace('ID="_a1"', 'ID="_a2"')
        for xml in (
            signed.xml().replace("<saml:Assertion", f"{forged}<saml:Assertion", 1),
            signed.xml().replace("</samlp:Response>", f"{forged}</samlp:Response>"),
        ):
            _is_refused(client, come_back(client, packed(xml)), "bad_saml_response")

    def test_a_comment_does_not_cut_a_name(self, client: Client, ines: Operator, kwame: Operator) -> None:
        email = ines.email.replace("@", "<!-- -->.evil@")
        answer = Saml(ask(client), email=email).packed()
        response = come_back(client, answer)
        assert not _profile_opens(client)
        assert response.status_code in (401, 403)


class TestXml:
    """What is no SAML is refused before anything is looked up."""

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ('<!DOCTYPE r [<!ENTITY x "y">]>', "bad_saml_xml"),
            ("<!DOCTYPE r>", "bad_saml_xml"),
            ('<!DOCTYPE r SYSTEM "http://127.0.0.1:9/x.dtd">', "bad_saml_xml"),
            ('<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>', "bad_saml_xml"),
        ],
    )
    def test_a_document_type_is_refused(self, client: Client, ines: Operator, text: str, reason: str) -> None:
        answer = Saml(ask(client), email=ines.email, prolog=text)
        _is_refused(client, come_back(client, answer.packed()), reason)
        entry = Entry.objects.filter(kind="sign_in.failed").latest("id")
        assert "passwd" not in entry.data_json

    def test_entities_that_multiply_are_refused(self, client: Client, ines: Operator) -> None:
        laughs = "".join(f'<!ENTITY l{number + 1} "{f"&l{number};" * 10}">' for number in range(9))
        prolog = f'<!DOCTYPE r [<!ENTITY l0 "ha">{laughs}]>'
        answer = Saml(ask(client), email="&l9;", prolog=prolog, signed_by=None)
        _is_refused(client, come_back(client, answer.packed()), "bad_saml_xml")

    @pytest.mark.parametrize(
        "answer",
        [
            "",
            "bm8geG1s",
            "%%%",
            "é",
            packed("<a/>"),
            packed("<samlp:Response/>"),
            packed("\x00"),
            packed("<" * 999),
        ],
    )
    def test_what_is_no_response_is_refused(self, client: Client, ines: Operator, answer: str) -> None:
        ask(client)
        response = come_back(client, answer)
        _is_refused(client, response, "no_saml_response", "bad_saml_xml", "bad_saml_response")

    def test_a_giant_is_refused_and_not_kept(self, client: Client) -> None:
        for size in (300_000, 4_000_000):
            response = client.post(f"{HERE}/acs/", {"SAMLResponse": "A" * size}, **HTTPS)
            assert response.status_code == 401
            assert Entry.objects.filter(kind="sign_in.failed").latest("id").data["reason"] == "bad_saml_xml"

    def test_the_finish_without_an_answer_is_explained(self, client: Client) -> None:
        response = client.get(f"{HERE}/acs/finish/", **HTTPS)
        assert response.status_code == 401
        assert "Back to sign-in" in response.content.decode()

    def test_an_encrypted_assertion_is_explained(self, client: Client, ines: Operator) -> None:
        xml = Saml(ask(client), email=ines.email).xml()
        start, end = xml.index("<saml:Assertion"), xml.index("</samlp:Response>")
        encrypted = '<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"/>'
        answer = packed(xml[:start] + encrypted + xml[end:])
        _is_refused(client, come_back(client, answer), "bad_saml_response")


class TestIdentifier:
    """A person is recognized by something that lasts."""

    @pytest.mark.parametrize("name_id", [None, "", " ", "\n"])
    def test_an_assertion_about_nobody_is_refused(
        self, client: Client, ines: Operator, name_id: str | None
    ) -> None:
        answer = Saml(ask(client), email=ines.email, name_id=name_id)
        _is_refused(client, come_back(client, answer.packed()), "no_name_id")

    def test_a_transient_identifier_is_refused_and_explained(self, client: Client, ines: Operator) -> None:
        answer = Saml(ask(client), email=ines.email, name_id_format=TRANSIENT)
        response = come_back(client, answer.packed())
        assert "a different identifier each time" in response.content.decode()
        _is_refused(client, response, "transient_name_id")

    def test_beside_a_lasting_attribute_a_transient_identifier_does_no_harm(
        self, client: Client, ines: Operator
    ) -> None:
        answer = Saml(
            ask(client), email=ines.email, name_id_format=TRANSIENT, attributes=((SUBJECT_ID, "ines@idp"),)
        )
        come_back(client, answer.packed())
        assert _profile_opens(client)
        assert SocialAccount.objects.get().uid == "ines@idp"

    @pytest.mark.parametrize(
        "attributes",
        [((SUBJECT_ID, ""),), ((SUBJECT_ID, "a"), (SUBJECT_ID, "b")), ((SUBJECT_ID, "x" * 300),)],
    )
    def test_an_odd_identifier_is_refused(
        self, client: Client, ines: Operator, attributes: tuple[tuple[str, str], ...]
    ) -> None:
        answer = Saml(ask(client), email=ines.email, attributes=attributes)
        _is_refused(client, come_back(client, answer.packed()), "no_subject")

    @pytest.mark.parametrize("word", ["false", "False", "0", ""])
    def test_an_address_that_the_assertion_calls_unverified_is_nobodys(
        self, client: Client, ines: Operator, word: str
    ) -> None:
        answer = Saml(
            ask(client),
            email=ines.email,
            attributes=(("http://schemas.auth0.com/email_verified", word),),
        )
        _is_refused(client, come_back(client, answer.packed()), "unverified_address")

    def test_the_binding_belongs_to_the_identity_provider(self, client: Client, ines: Operator) -> None:
        come_back(client, Saml(ask(client), email=ines.email).packed())
        binding = SocialAccount.objects.get()
        assert (binding.provider, binding.extra_data) == (f"{IDP}/meta", {"email": ines.email})


class TestLogout:
    """A message that anybody can write ends nobody's session."""

    @pytest.mark.parametrize("name", ["SAMLResponse", "SAMLRequest"])
    @pytest.mark.parametrize("method", ["get", "post"])
    def test_there_is_no_single_logout(self, client: Client, ines: Operator, name: str, method: str) -> None:
        come_back(client, Saml(ask(client), email=ines.email).packed())
        message = (
            '<samlp:LogoutResponse xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_l" Version="2.0" '
            'IssueInstant="2026-11-28T00:00:00Z"><saml:Issuer '
            f'xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">{IDP}'
            "/meta</saml:Issuer><samlp:Status><samlp:StatusCode "
            'Value="urn:oasis:names:tc:SAML:2.0:status:Success"/>'
            "</samlp:Status></samlp:LogoutResponse>"
        )
        response = getattr(client, method)(f"{HERE}/sls/", {name: packed(message)}, **HTTPS)
        assert response.status_code == 404
        assert _profile_opens(client)
        with pytest.raises(NoReverseMatch):
            reverse("saml_sls", args=["company-saml"])

    def test_sign_out_is_not_advertised(self, client: Client) -> None:
        text = client.get(f"{HERE}/metadata/", **HTTPS).content.decode()
        assert "AssertionConsumerService" in text
        assert "Logout" not in text
        assert "sls" not in text


class TestMetadata:
    """Every certificate that signs, and no other."""

    def test_both_certificates_of_a_rollover_are_accepted(
        self, settings: Any, monkeypatch: pytest.MonkeyPatch, ines: Operator
    ) -> None:
        _configure(settings, monkeypatch, metadata("idp", "next", encryption=("box",)))
        for key in ("idp", "next"):
            browser = Client()
            come_back(browser, Saml(ask(browser), email=ines.email, signed_by=key).packed())
            assert _profile_opens(browser)
        for key in ("box", "evil"):
            browser = Client()
            come_back(browser, Saml(ask(browser), email=ines.email, signed_by=key).packed())
            assert not _profile_opens(browser)

    def test_all_signing_certificates_are_kept(self) -> None:
        identity_provider = single_sign_on.identity_provider(
            metadata("idp", "next", "third", encryption=("box",)).encode()
        )
        assert identity_provider["certificates"] == [
            certificate_body(name) for name in ("idp", "next", "third")
        ]

    def test_a_certificate_for_encryption_alone_is_none_that_signs(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for encryption in (("box",), ("box", "idp")):
            monkeypatch.setenv("GATEHOUSE_SAML_METADATA", metadata(encryption=encryption))
            with pytest.raises(env.ConfigurationError, match="signing certificate"):
                single_sign_on.providers(embedded=False)

    def test_a_certificate_with_a_short_key_stops_the_start(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GATEHOUSE_SAML_METADATA", metadata("idp"))
        assert single_sign_on.providers(embedded=False)
        monkeypatch.setenv("GATEHOUSE_SSO_RSA_BITS", "3072")
        with pytest.raises(env.ConfigurationError, match="2,048 bits, and 3,072 are needed"):
            single_sign_on.providers(embedded=False)

    def test_a_broken_certificate_stops_the_start(self, monkeypatch: pytest.MonkeyPatch) -> None:
        broken = metadata("idp").replace(certificate_body("idp"), "AAAA")
        monkeypatch.setenv("GATEHOUSE_SAML_METADATA", broken)
        with pytest.raises(env.ConfigurationError, match="can’t be read"):
            single_sign_on.providers(embedded=False)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (Answer(b"", 503), "bad_status"),
            (Answer(b"<html>", 200, "text/html"), "bad_metadata"),
            (Answer(b""), "bad_metadata"),
            (Answer(b"<!DOCTYPE a><a/>"), "bad_metadata"),
            (Answer(metadata("idp", entity_id="urn:other").encode()), "bad_metadata"),
            (Answer(b"x" * 3_000_000), "too_large"),
            (Answer(b"x" * 2_000, pause=0.1), "too_slow"),
            (Answer(b"HTTP/1.0 200 OK\r\nX: " + b"x" * 2_000, pause=0.1, is_raw=True), "too_slow"),
        ],
    )
    def test_an_address_of_metadata_that_fails_is_explained(
        self, client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch, answer: Answer, reason: str
    ) -> None:
        settings.SSO_SECONDS = 0.6
        with running_issuer() as server:
            monkeypatch.delenv("GATEHOUSE_SAML_METADATA")
            monkeypatch.setenv("GATEHOUSE_SAML_METADATA_URL", f"{server.url}/metadata")
            monkeypatch.setenv("GATEHOUSE_SAML_ENTITY_ID", f"{IDP}/meta")
            settings.SOCIALACCOUNT_PROVIDERS = single_sign_on.providers(embedded=True)
            server.answers["/metadata"] = answer
            response = client.post("/sign-in/saml/company-saml/login/", **HTTPS)
            _is_refused(client, response, reason)
            assert client.get(f"{HERE}/metadata/", **HTTPS).status_code == 200

    def test_metadata_by_address_follows_a_rollover(
        self, settings: Any, monkeypatch: pytest.MonkeyPatch, ines: Operator
    ) -> None:
        with running_issuer() as server:
            monkeypatch.delenv("GATEHOUSE_SAML_METADATA")
            monkeypatch.setenv("GATEHOUSE_SAML_METADATA_URL", f"{server.url}/metadata")
            monkeypatch.setenv("GATEHOUSE_SAML_ENTITY_ID", f"{IDP}/meta")
            settings.SOCIALACCOUNT_PROVIDERS = single_sign_on.providers(embedded=True)
            for key in ("idp", "next"):
                server.answers["/metadata"] = Answer(metadata(key).encode())
                browser = Client()
                come_back(browser, Saml(ask(browser), email=ines.email, signed_by=key).packed())
                assert _profile_opens(browser)


def test_an_unbound_stranger_is_refused(client: Client, ines: Operator) -> None:
    answer = Saml(ask(client), email="stranger@example.com")
    _is_refused(client, come_back(client, answer.packed()), "unknown")
    assert not is_signed_in(client)
