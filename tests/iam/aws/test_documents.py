"""Documents come out of their percent-encoding exactly as they were written."""

from __future__ import annotations

from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iam.aws.documents import decode_document


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "100% %20 %22 %2522",
        "a+b c%d",
        "%",
        "%%",
        "\t\r\n",
        "é 日本 🚀",
        '{"a": "${aws:username}=*/[]"}',
        "%41%zz",
    ],
)
def test_a_document_survives_its_encoding(text: str) -> None:
    assert decode_document(quote(text, safe="")) == text


@given(st.text())
def test_any_text_survives_its_encoding(text: str) -> None:
    assert decode_document(quote(text, safe="")) == text


@given(st.text(alphabet='%0123456789ABCDEFabcdef"{}é+ ', max_size=30))
def test_whatever_comes_is_decoded_as_the_standard_library_does(encoded: str) -> None:
    assert decode_document(encoded) == unquote(encoded)
