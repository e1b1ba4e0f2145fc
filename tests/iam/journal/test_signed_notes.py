"""Signed notes keep to the specification: what it allows is read, what it forbids is refused."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from iam.journal.signed_notes import (
    InvalidNoteError,
    NoteSigner,
    NoteVerifier,
    parse,
    trusted_text,
)

# The example of the Go package golang.org/x/mod/sumdb/note, which the specification describes.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
QUOTE = """If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
"""
SIGNER = NoteSigner("gatehouse.example.com/gatehouse", Ed25519PrivateKey.from_private_bytes(b"1" * 32))
OTHER = NoteSigner("witness.example.com/w", Ed25519PrivateKey.from_private_bytes(b"2" * 32))
LINE = SIGNER.sign("a\n").split("\n\n")[1]


def test_a_note_of_another_implementation_is_verified() -> None:
    verifier = NoteVerifier.from_text(PETER)
    assert str(verifier) == PETER
    assert trusted_text(QUOTE, [verifier]).startswith("If you think")
    with pytest.raises(InvalidNoteError):
        trusted_text(QUOTE.replace("answer", "reason"), [verifier])


def test_a_note_that_others_have_signed_too_is_trusted_by_each() -> None:
    both = SIGNER.sign("a\n\nb\n") + OTHER.sign("a\n\nb\n").rpartition("\n\n")[2]
    assert trusted_text(both, [SIGNER.verifier]) == "a\n\nb\n"
    assert trusted_text(both, [OTHER.verifier]) == "a\n\nb\n"
    assert len(parse(both).signatures) == 2


def test_a_wrong_signature_of_a_known_key_rejects_the_note_whatever_others_signed() -> None:
    wrong = SIGNER.sign("b\n").rpartition("\n\n")[2]
    note = OTHER.sign("a\n") + wrong
    assert trusted_text(note, [OTHER.verifier]) == "a\n"
    with pytest.raises(InvalidNoteError, match="doesn’t fit"):
        trusted_text(note, [OTHER.verifier, SIGNER.verifier])


def test_a_key_of_the_same_name_is_another_key() -> None:
    namesake = NoteSigner(SIGNER.name, OTHER.private)
    with pytest.raises(InvalidNoteError, match="No known key"):
        trusted_text(SIGNER.sign("a\n"), [namesake.verifier])


@pytest.mark.parametrize(
    "note",
    [
        "",
        "a\n",
        "a\n\n",
        f"a\n{LINE}",
        f"a\n\n{LINE.rstrip()}",
        f"a\n\n{LINE}\n",
        f"a\r\n\n{LINE}",
        f"a\tb\n\n{LINE}",
        f"a\n\n{LINE.replace('— ', '- ')}",
        f"a\n\n{LINE.replace('— ', '—  ')}",
        f"a\n\n{LINE.replace('gatehouse.example', 'gatehouse+example')}",
        "a\n\n— name AAAA\n",
        "a\n\n— name AAA\n",
        "a\n\n— name not-base64!\n",
        "a\n\n—  AAAAAAAA\n",
        f"\n\n{LINE}",
        "a\n\n" + LINE * 101,
        "a\ud800\n\n" + LINE,
    ],
)
def test_what_the_format_forbids_is_refused(note: str) -> None:
    with pytest.raises(InvalidNoteError):
        trusted_text(note, [SIGNER.verifier])


@pytest.mark.parametrize("text", ["", "\n", "a", "a\x00\n", "a\tb\n", "\ud800\n"])
def test_what_no_note_can_say_is_not_signed(text: str) -> None:
    with pytest.raises(InvalidNoteError):
        SIGNER.sign(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "name+00000000+AAAA",
        PETER.replace("c74f", "c74e"),
        PETER.replace("+ARp", "+AhP"),
        f"a b{PETER}",
    ],
)
def test_a_malformed_public_key_is_refused(text: str) -> None:
    with pytest.raises(InvalidNoteError):
        NoteVerifier.from_text(text)


@given(lines=st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"])), min_size=1))
def test_what_is_signed_is_read_back(lines: list[str]) -> None:
    text = "\n".join(lines) + "\n"
    if text == "\n":
        return
    assert trusted_text(SIGNER.sign(text), [SIGNER.verifier]) == text


@given(place=st.integers(min_value=0, max_value=200), bit=st.integers(min_value=0, max_value=7))
def test_a_flipped_bit_is_refused(place: int, bit: int) -> None:
    note = bytearray(SIGNER.sign("gatehouse\n412\nabc=\n").encode())
    place %= len(note)
    note[place] ^= 1 << bit
    with pytest.raises((InvalidNoteError, UnicodeDecodeError)):
        trusted_text(note.decode(), [SIGNER.verifier])
