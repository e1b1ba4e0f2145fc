"""An OpenID Connect issuer, or somebody in between, that lies: nobody comes in, and the journal says why."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import jwt
import pytest
from allauth.socialaccount.models import SocialAccount
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client

from console.operators.models import Operator
from iam.journal.models import Entry
from tests.console.operators.conftest import is_signed_in
from tests.console.operators.issuer import (
    ABSENT,
    CLIENT_ID,
    CLIENT_SECRET,
    KEY_ID,
    Issuer,
    come_back,
    go_there,
    public_jwk,
    raw_token,
    rsa_key,
    signed,
    through,
)

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.console.operators.single_sign_on_urls")]


def claims_of(operator: Operator, **other: Any) -> dict[str, Any]:
    return {"sub": "s-1", "email": operator.email, "email_verified": True} | other


def is_refused(client: Client, response: Any, reason: str) -> None:
    """A page for the person, a cause in the journal, and no way in."""
    assert response.status_code in (401, 403), response.content.decode()
    assert "Back to sign-in" in response.content.decode()
    assert not is_signed_in(client)
    assert not SocialAccount.objects.exists()
    entry = Entry.objects.filter(kind="sign_in.failed").latest("id")
    assert entry.data["method"] == "single sign-on"
    assert entry.data["reason"] == reason
    assert entry.data["cause"]


class TestVerifiedAddress:
    """Only `true` and "true" vouch for an address."""

    @pytest.mark.parametrize(
        "word", ["false", "False", "no", "0", "", "yes", "1", 1, 0, None, [], ["true"], {"a": 1}]
    )
    def test_an_unverified_address_is_nobodys(
        self, client: Client, issuer: Issuer, ines: Operator, word: Any
    ) -> None:
        response = through(client, issuer, **claims_of(ines, email_verified=word))
        is_refused(client, response, "unverified_address")

    @pytest.mark.parametrize("word", [True, "true"])
    def test_a_verified_address_is_its_owners(
        self, client: Client, issuer: Issuer, ines: Operator, word: Any
    ) -> None:
        through(client, issuer, **claims_of(ines, email_verified=word))
        assert is_signed_in(client)

    def test_the_verification_counts_only_for_the_address_beside_it(
        self, client: Client, issuer: Issuer, ines: Operator
    ) -> None:
        issuer.token_claims = {"email": "somebody@example.com", "email_verified": True}
        issuer.userinfo_claims = {"email": ines.email, "email_verified": ABSENT}
        is_refused(client, through(client, issuer, sub="s-1"), "unverified_address")

    @pytest.mark.parametrize("letter", ["\u212a", "\u0131", "\uff49"])
    def test_a_lookalike_address_is_not_the_persons(
        self, client: Client, issuer: Issuer, letter: str, ines: Operator, kwame: Operator
    ) -> None:
        """PostgreSQL folds a dotless i and a Kelvin sign to ASCII letters."""
        for operator, plain in ((ines, "i"), (kwame, "k")):
            address = operator.email.replace(plain, letter, 1)
            response = through(client, issuer, sub="s-1", email=address, email_verified=True)
            assert response.status_code == 403
            assert not is_signed_in(client)


class TestSubject:
    """One non-empty subject, the same in the ID token and in userinfo."""

    def test_userinfo_of_somebody_else_is_refused(
        self, client: Client, issuer: Issuer, ines: Operator
    ) -> None:
        issuer.userinfo_claims = {"sub": "s-2"}
        is_refused(client, through(client, issuer, **claims_of(ines)), "other_subject")

    @pytest.mark.parametrize("sub", [None, "", " ", 7, True, ["s-1"], {"a": 1}, "x" * 256, "s\x00", ABSENT])
    def test_a_subject_that_names_nobody_is_refused(
        self, client: Client, issuer: Issuer, ines: Operator, sub: Any
    ) -> None:
        issuer.token_claims = issuer.userinfo_claims = {"sub": sub}
        is_refused(client, through(client, issuer, **claims_of(ines)), "no_subject")

    @pytest.mark.parametrize("sub", [None, "", ABSENT])
    def test_userinfo_without_a_subject_is_refused(
        self, client: Client, issuer: Issuer, ines: Operator, sub: Any
    ) -> None:
        issuer.userinfo_claims = {"sub": sub}
        is_refused(client, through(client, issuer, **claims_of(ines)), "other_subject")

    def test_strangers_do_not_share_a_binding_to_nobody(
        self, issuer: Issuer, ines: Operator, kwame: Operator
    ) -> None:
        issuer.token_claims = issuer.userinfo_claims = {"sub": None}
        for operator in (ines, kwame):
            browser = Client()
            is_refused(browser, through(browser, issuer, **claims_of(operator)), "no_subject")


class TestIdToken:
    """The token is the issuer's, for us, for this sign-in, and for now."""

    @pytest.mark.parametrize("token", [ABSENT, None, "", 7, [], {}])
    def test_no_token_no_sign_in(self, client: Client, issuer: Issuer, ines: Operator, token: Any) -> None:
        issuer.token_fields = {"id_token": token}
        is_refused(client, through(client, issuer, **claims_of(ines)), "no_id_token")

    @pytest.mark.parametrize("token", ["x", "a.b.c", "....", "é.é.é"])
    def test_a_token_that_is_none_is_refused(
        self, client: Client, issuer: Issuer, ines: Operator, token: str
    ) -> None:
        issuer.token_fields = {"id_token": token}
        is_refused(client, through(client, issuer, **claims_of(ines)), "bad_id_token")

    @pytest.mark.parametrize(
        ("claims", "reason"),
        [
            ({"iss": "https://evil.example"}, "wrong_issuer"),
            ({"iss": ABSENT}, "wrong_issuer"),
            ({"iss": None}, "wrong_issuer"),
            ({"iss": ["x"]}, "wrong_issuer"),
            ({"aud": "another-client"}, "wrong_audience"),
            ({"aud": ["another-client"]}, "wrong_audience"),
            ({"aud": ABSENT}, "wrong_audience"),
            ({"aud": []}, "wrong_audience"),
            ({"aud": 7}, "wrong_audience"),
            ({"aud": [CLIENT_ID, "another-client"]}, "wrong_authorized_party"),
            ({"aud": [CLIENT_ID, "another-client"], "azp": "another-client"}, "wrong_authorized_party"),
            ({"azp": "another-client"}, "wrong_authorized_party"),
            ({"azp": ["gatehouse"]}, "wrong_authorized_party"),
            ({"exp": 1}, "expired_id_token"),
            ({"exp": ABSENT}, "bad_id_token"),
            ({"exp": "soon"}, "bad_id_token"),
            ({"exp": None}, "bad_id_token"),
            ({"exp": float("inf")}, "bad_id_token"),
            ({"exp": 10**400}, None),
            ({"iat": ABSENT}, "bad_id_token"),
            ({"iat": "then"}, "bad_id_token"),
            ({"iat": time.time() + 86_400}, "early_id_token"),
            ({"nbf": time.time() + 86_400}, "early_id_token"),
            ({"nonce": ABSENT}, "wrong_nonce"),
            ({"nonce": ""}, "wrong_nonce"),
            ({"nonce": "another"}, "wrong_nonce"),
            ({"nonce": ["x"]}, "wrong_nonce"),
        ],
    )
    def test_a_token_for_something_else_is_refused(
        self, client: Client, issuer: Issuer, ines: Operator, claims: dict[str, Any], reason: str | None
    ) -> None:
        issuer.token_claims = claims
        response = through(client, issuer, **claims_of(ines))
        if reason is None:
            assert response.status_code in (302, 401)
        else:
            is_refused(client, response, reason)

    @pytest.mark.parametrize(
        "claims", [{"aud": [CLIENT_ID]}, {"aud": [CLIENT_ID, "b"], "azp": CLIENT_ID}, {"azp": CLIENT_ID}]
    )
    def test_what_the_standard_allows_is_accepted(
        self, client: Client, issuer: Issuer, ines: Operator, claims: dict[str, Any]
    ) -> None:
        issuer.token_claims = claims
        through(client, issuer, **claims_of(ines))
        assert is_signed_in(client)

    def test_a_token_of_another_sign_in_is_refused(
        self, client: Client, issuer: Issuer, ines: Operator
    ) -> None:
        issuer.claims = claims_of(ines)
        first, second = go_there(client), go_there(client)
        issuer.authorize(first["Location"])
        stolen = issuer.nonce
        issuer.token_claims = {"nonce": stolen}
        is_refused(client, come_back(client, issuer, second), "wrong_nonce")


class TestSignature:
    """Signed with a key that the issuer publishes, by an algorithm that needs the private half."""

    def _refuse(self, client: Client, issuer: Issuer, ines: Operator, reason: str = "bad_signature") -> None:
        is_refused(client, through(client, issuer, **claims_of(ines)), reason)

    def test_none(self, client: Client, issuer: Issuer, ines: Operator) -> None:
        for name in ("none", "None", "NONE", ""):
            issuer.sign = lambda claims, name=name: raw_token({"alg": name, "kid": KEY_ID}, claims)
            self._refuse(client, issuer, ines, "weak_algorithm")
        issuer.sign = lambda claims: raw_token({"kid": KEY_ID}, claims)
        self._refuse(client, issuer, ines, "weak_algorithm")

    def test_the_public_key_as_a_secret(self, client: Client, issuer: Issuer, ines: Operator) -> None:
        public = rsa_key("issuer").public_key()
        pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        for secret in (pem, pem.strip(), json.dumps(public_jwk("issuer")).encode(), CLIENT_SECRET.encode()):
            issuer.sign = lambda claims, secret=secret: _hs256(claims, secret)
            self._refuse(client, issuer, ines, "weak_algorithm")

    def test_a_symmetric_key_among_the_published_ones(
        self, client: Client, issuer: Issuer, ines: Operator
    ) -> None:
        secret = base64.urlsafe_b64encode(b"k" * 32).decode()
        issuer.keys = [{"kty": "oct", "k": secret, "kid": KEY_ID, "alg": "HS256"}]
        issuer.sign = lambda claims: _hs256(claims, b"k" * 32)
        self._refuse(client, issuer, ines, "weak_algorithm")
        issuer.sign = signed
        self._refuse(client, issuer, ines)

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"kid": "key-2"},
            {"kid": None},
            {"jwk": public_jwk("evil")},
            {"jku": "http://127.0.0.1:9/keys"},
            {"x5u": "http://127.0.0.1:9/cert"},
        ],
    )
    def test_a_key_that_is_not_the_issuers(
        self, client: Client, issuer: Issuer, ines: Operator, headers: dict[str, Any]
    ) -> None:
        issuer.sign = lambda claims: signed(claims, key="evil", headers=headers)
        reasons = {"bad_signature", "bad_id_token"}
        response = through(client, issuer, **claims_of(ines))
        entry = Entry.objects.filter(kind="sign_in.failed").latest("id")
        assert entry.data["reason"] in reasons
        is_refused(client, response, entry.data["reason"])

    def test_an_altered_token(self, client: Client, issuer: Issuer, ines: Operator) -> None:
        def altered(claims: dict[str, Any]) -> str:
            head, _, signature = signed(claims | {"sub": "somebody"}).split(".")
            body = raw_token({}, claims).split(".")[1]
            return ".".join((head, body, signature))

        issuer.sign = altered
        self._refuse(client, issuer, ines)

    @pytest.mark.parametrize(
        "keys",
        [
            [],
            [7],
            [{}],
            [{"kid": KEY_ID}],
            [{"kid": KEY_ID, "kty": "RSA"}],
            [{"kid": KEY_ID, "kty": "RSA", "n": "!!", "e": "AQAB"}],
            [{"kid": KEY_ID, "kty": ["RSA"]}],
            [public_jwk("issuer", use="enc")],
            [public_jwk("issuer", "key-9")],
            [public_jwk("issuer", alg="PS256")],
        ],
    )
    def test_no_fitting_key(self, client: Client, issuer: Issuer, ines: Operator, keys: list[Any]) -> None:
        issuer.keys = keys
        self._refuse(client, issuer, ines)

    @pytest.mark.parametrize(("bits", "needed"), [(1024, 2048), (2048, 3072)])
    def test_a_short_key(
        self,
        client: Client,
        issuer: Issuer,
        ines: Operator,
        monkeypatch: pytest.MonkeyPatch,
        settings: Any,
        *,
        bits: int,
        needed: int,
    ) -> None:
        settings.SSO_RSA_BITS = needed
        short = rsa.generate_private_key(public_exponent=65_537, key_size=bits)
        jwk = jwt.algorithms.RSAAlgorithm.to_jwk(short.public_key(), as_dict=True)
        issuer.keys = [{**jwk, "kid": KEY_ID}]
        monkeypatch.setattr("tests.console.operators.issuer.rsa_key", lambda name: short)
        self._refuse(client, issuer, ines)

    def test_keys_roll_over_without_a_restart(self, issuer: Issuer, ines: Operator) -> None:
        through(Client(), issuer, **claims_of(ines))
        issuer.keys = [public_jwk("issuer"), public_jwk("next", "key-2")]
        issuer.sign = lambda claims: signed(claims, key="next", headers={"kid": "key-2"})
        browser = Client()
        through(browser, issuer, **claims_of(ines))
        assert is_signed_in(browser)

    def test_without_a_key_id_the_only_key_counts(
        self, client: Client, issuer: Issuer, ines: Operator
    ) -> None:
        issuer.sign = lambda claims: signed(claims, headers={"kid": ABSENT})
        through(client, issuer, **claims_of(ines))
        assert is_signed_in(client)


def _hs256(claims: dict[str, Any], secret: bytes) -> str:
    """PyJWT refuses to sign with a public key as a secret; an attacker does not."""
    unsigned = raw_token({"alg": "HS256", "kid": KEY_ID}, claims).rpartition(".")[0]
    signature = hmac.new(secret, unsigned.encode(), hashlib.sha256).digest()
    return f"{unsigned}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


class TestWayThere:
    """What leads to the issuer is ours alone to say."""

    def test_the_address_cannot_be_bent(self, client: Client, issuer: Issuer) -> None:
        bent = "auth_params=nonce%3Dmine%26client_id%3Devil%26redirect_uri%3Dhttps://evil.example&scope=admin"
        there = go_there(client, f"process=login&{bent}")["Location"]
        assert "evil" not in there
        assert "nonce=mine" not in there
        assert "admin" not in there

    @pytest.mark.parametrize("process", ["connect", "redirect", "odd"])
    def test_there_is_one_process(
        self, client: Client, issuer: Issuer, kwame: Operator, process: str
    ) -> None:
        issuer.claims = claims_of(kwame)
        response = come_back(client, issuer, go_there(client, f"process={process}&next=/profile/"))
        assert response["Location"] == "/profile/"
        assert is_signed_in(client)
        assert Entry.objects.filter(kind="sign_in.succeeded").exists()

    @pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
    def test_nobody_is_sent_elsewhere_afterwards(
        self, client: Client, issuer: Issuer, kwame: Operator, target: str
    ) -> None:
        issuer.claims = claims_of(kwame)
        response = come_back(client, issuer, go_there(client, f"process=login&next={target}"))
        assert "evil" not in response["Location"]
        assert response["Location"] == "/"

    def test_an_answer_of_another_issuer_is_refused(
        self, client: Client, issuer: Issuer, ines: Operator
    ) -> None:
        issuer.claims = claims_of(ines)
        answer = issuer.authorize(go_there(client)["Location"]) | {"iss": "https://evil.example"}
        response = client.get("/sign-in/oidc/company/login/callback/", answer)
        is_refused(client, response, "wrong_issuer")

    def test_an_answer_works_once(self, client: Client, issuer: Issuer, kwame: Operator) -> None:
        issuer.claims = claims_of(kwame)
        answer = issuer.authorize(go_there(client)["Location"])
        client.get("/sign-in/oidc/company/login/callback/", answer)
        client.post("/sign-in/out/")
        again = client.get("/sign-in/oidc/company/login/callback/", answer)
        assert again.status_code == 401
        assert Entry.objects.filter(kind="sign_in.failed").latest("id").data["reason"] == "not_requested"
        assert not is_signed_in(client)
