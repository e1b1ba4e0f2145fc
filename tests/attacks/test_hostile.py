"""Addresses and forms that nobody writes by accident: a clear refusal or an answer, never an error page, soon
and not large.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from django.http import HttpResponse
from django.test import Client

from tests import factories as make
from tests.console.access.who_can.conftest import LEDGER, World, auditor, sign_in, world
from tests.work import calls_of

pytestmark = pytest.mark.on_both

__all__ = ["auditor", "sign_in", "world"]
SCRIPT = "<script>alert(1)</script>"
NASTY = {
    "script": SCRIPT,
    "lone surrogate": "\ud800",
    "NUL": "a\x00b",
    "many stars": "arn:aws:s3:::" + "*a" * 900 + "b",
    "no number of a place": "1~1~²~a~b",
    "huge number": "9" * 40,
    "beyond a row’s number": str(2**63),
    "negative": "-1",
    "long": "a" * 5000,
    "another line": "a\r\nSet-Cookie: x=1",
}
ASK = {"action": "s3:GetObject", "resource": LEDGER}
FIELDS = {
    "/access/who-can/": (
        ASK,
        "action level resource owner after before mfa ip time ctx key tag account as-of",
    ),
    "/access/who-can/export.csv": (ASK, "action resource account as-of"),
    "/access/who-can/offers/": ({}, "of action resource"),
    "/access/simulate/": ({"principal": "maya.okafor", **ASK}, "principal action resource owner ctx as-of"),
    "/access/compare/": ({"a": "maya.okafor", "b": "ines.duarte"}, "a b a-at b-at service after account"),
    "/escalation/": ({}, "from to q kind show after account as-of"),
    "/services/": ({}, "q level how after account as-of"),
    "/services/s3/": ({}, "q level how after kind account as-of"),
}


@pytest.mark.parametrize("path", FIELDS)
def test_no_value_of_any_field_breaks_a_page(world: World, auditor: Client, path: str) -> None:
    base, names = FIELDS[path]
    for name in names.split():
        for value in NASTY.values():
            query = urlencode({**base, name: value}, errors="surrogatepass")
            # A file whose address has a choice that means nothing leads to its page.
            response: Any = auditor.get(f"{path}?{query}", follow=True)
            body = b"".join(response.streaming_content if response.streaming else [response.content])
            assert response.status_code in {200, 400, 404, 422}, (name, value)
            assert len(body) < 300_000, (name, value)
            if response["Content-Type"].startswith("text/html"):
                assert SCRIPT.encode() not in body, (name, value)


def _statements(**statement: object) -> str:
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*"} | statement]}
    )


TEXTS = {
    "deep": "[" * 60_000,
    "deep statement": '{"Statement":' + "[" * 20_000 + "]" * 20_000 + "}",
    "larger than any policy": "x" * 1_000_000,
    "a number of many digits": '{"Version":' + "9" * 60_000 + "}",
    "no number": '{"Version":NaN}',
    "NUL": "a\x00",
    "lone surrogate": '{"a":"\ud800"}',
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=list(TEXTS))
@pytest.mark.parametrize("field", ["resource-policy", "session-policy", "endpoint-policy"])
def test_a_text_that_is_no_policy_is_refused_at_its_field(
    world: World, auditor: Client, field: str, text: str
) -> None:
    form = {
        "principal": world.of["pay-settle"].arn,
        "action": "s3:GetObject",
        "resource": "arn:aws:s3:::b/k",
        field: text,
    }
    response = auditor.post(
        "/access/simulate/",
        urlencode(form, errors="surrogatepass"),
        content_type="application/x-www-form-urlencoded",
    )
    assert response.status_code in {400, 422}


def test_the_work_of_patterns_of_many_stars_grows_with_their_length(world: World, auditor: Client) -> None:
    text = _statements(Action="s3:*", Resource=["arn:aws:s3:::" + "*a" * 100 + "c"] * 200)
    form = {"principal": "maya.okafor", "action": "s3:GetObject", "resource": "arn:aws:s3:::" + "a" * 900}
    answers: list[HttpResponse] = []
    calls = calls_of(
        lambda: answers.append(auditor.post("/access/simulate/", form | {"resource-policy": text}))
    )
    assert [answer.status_code for answer in answers] == [200]
    assert calls <= 300 * len(text)


def test_an_address_of_too_many_fields_is_refused(world: World, auditor: Client) -> None:
    many = "&".join(f"ctx=k{number}=v" for number in range(100_000))
    assert auditor.get(f"/access/who-can/?{urlencode(ASK)}&{many}").status_code == 400
    assert (
        auditor.post("/access/simulate/", many, content_type="application/x-www-form-urlencoded").status_code
        == 400
    )


@pytest.mark.parametrize("name", ['x"; filename="y.exe', "x\r\nSet-Cookie: a=b", "ä/../b"])
def test_a_name_from_an_uploaded_file_does_not_shape_the_answer(auditor: Client, name: str) -> None:
    user = make.user(make.account(source="upload", role_arn=""), name)
    response = auditor.get(f"/people/{user.pk}/access/export.csv")
    assert response.status_code == 200
    sent = response["Content-Disposition"]
    assert sent.count('"') == 2
    assert "/" not in sent
    assert "Set-Cookie" not in response
