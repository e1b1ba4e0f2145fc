"""What stands in for a passkey's answer and is none: no key is kept, nobody comes in, and nothing breaks."""

from __future__ import annotations

import json

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from console.operators.models import Operator
from tests.console.operators.conftest import is_signed_in

ADD, ALONE = "/sign-in/factors/webauthn/add/", "/sign-in/factors/webauthn/login/"
CLIENT_DATA = "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0IiwiY2hhbGxlbmdlIjoiQUFBQSIsIm9yaWdpbiI6Imh0dHA6Ly9sb2NhbGhvc3QifQ"
ANSWERS = {
    "zero": "0",
    "false": "false",
    "nothing": "null",
    "empty": "{}",
    "a list": "[1]",
    "a text": '"key"',
    "no JSON": "{",
    "without parts": '{"id": 1}',
    "a response that is a number": json.dumps(
        {"id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": 1}
    ),
    "torn data": json.dumps(
        {
            "id": "AAAA",
            "rawId": "AAAA",
            "type": "public-key",
            "response": {
                "clientDataJSON": CLIENT_DATA,
                "attestationObject": "o2M",
                "authenticatorData": "AA",
            },
        }
    ),
    "a deep nest": "[" * 5_000,
    "a long text": '"' + "x" * 100_000 + '"',
}
answers = pytest.mark.parametrize("answer", ANSWERS.values(), ids=list(ANSWERS))


@answers
def test_no_key_is_kept_that_is_none(client: Client, ines: Operator, answer: str) -> None:
    client.force_login(ines)
    client.get(ADD)
    response = client.post(ADD, {"name": "My key", "credential": answer})
    assert response.status_code == 200
    assert not Authenticator.objects.exists()


@answers
def test_nobody_comes_in_by_it(client: Client, ines: Operator, answer: str) -> None:
    client.get(ALONE, headers={"X-Requested-With": "XMLHttpRequest"})
    response = client.post(ALONE, {"credential": answer})
    assert response.status_code == 302
    assert not is_signed_in(client)


def test_a_key_has_a_name_that_fits_on_the_page(client: Client, ines: Operator) -> None:
    client.force_login(ines)
    key = Authenticator.objects.create(
        user=ines, type=Authenticator.Type.WEBAUTHN, data={"name": "My key", "credential": {}}
    )
    response = client.post(f"/sign-in/factors/webauthn/keys/{key.pk}/edit/", {"name": "x" * 101})
    assert response.status_code == 200
    key.refresh_from_db()
    assert key.data["name"] == "My key"
