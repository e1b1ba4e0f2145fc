"""Signed notes: text with signature lines below it, which others can co-sign.

Format: https://c2sp.org/signed-note, with Ed25519 signatures (RFC 8032) only.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519: Final = b"\x01"
"""The byte that identifies the signature type."""
MAX_BYTES: Final = 1_000_000
MAX_SIGNATURES: Final = 100
_PREFIX: Final = "— "
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")
_LINE: Final = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})\Z")


class InvalidNoteError(Exception):
    """The text isn’t a signed note, or no known key signed it. The message is a sentence."""


def key_id(name: str, public: bytes) -> bytes:
    """Return the four bytes that, with the name, identify the key of a signature."""
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + public).digest()[:4]


@dataclass(frozen=True, slots=True)
class NoteVerifier:
    """A public key with its name. Its text form is `NAME+ID+KEY`: the ID in hexadecimal, the key with its
    type byte in base64.
    """

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        """The four bytes in each signature of this key."""
        return key_id(self.name, self.public)

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(ED25519 + self.public).decode()}"

    @classmethod
    def from_text(cls, text: str) -> NoteVerifier:
        """Parse the text form of a key. Raises InvalidNoteError."""
        name, _, rest = text.strip().partition("+")
        digits, _, encoded = rest.partition("+")
        try:
            key = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            key = b""
        verifier = cls(name, key[1:])
        is_usable = bool(name) and not re.search(r"\s", name) and key[:1] == ED25519 and len(key) == 33
        if not is_usable or verifier.id.hex() != digits:
            raise InvalidNoteError("This isn’t a public key in the form NAME+ID+KEY.")
        return verifier

    def accepts(self, text: str, signature: bytes) -> bool:
        """Return True if this key signed the text."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class NoteSigner:
    """A private key with its name."""

    name: str
    private: Ed25519PrivateKey

    @property
    def verifier(self) -> NoteVerifier:
        """The public key with the same name."""
        return NoteVerifier(self.name, self.private.public_key().public_bytes_raw())

    def sign(self, text: str) -> str:
        """Return the text with a signature below it. Raises InvalidNoteError if a note can’t hold
        the text.
        """
        _check_text(text)
        signed = base64.b64encode(self.verifier.id + self.private.sign(text.encode())).decode()
        return f"{text}\n{_PREFIX}{self.name} {signed}\n"


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """A signature line: the name and ID of the key, and the signature."""

    name: str
    id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class SignedNote:
    """A well-formed note. Don’t trust its text before `trusted_text` has verified it."""

    text: str
    signatures: tuple[NoteSignature, ...]


def parse(note: str) -> SignedNote:
    """Parse a note. Raises InvalidNoteError if its format is invalid."""
    if len(note.encode(errors="surrogatepass")) > MAX_BYTES:
        raise InvalidNoteError("The note is too large.")
    text, blank, below = note.rpartition("\n\n")
    if not blank or not below.endswith("\n"):
        raise InvalidNoteError("The note has no signature below a blank line.")
    text += "\n"
    _check_text(text)
    lines = below[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise InvalidNoteError(f"The note has more than {MAX_SIGNATURES} signatures.")
    return SignedNote(text, tuple(_signature(line) for line in lines))


def trusted_text(note: str, verifiers: Iterable[NoteVerifier]) -> str:
    """Return the text of a note that a known key signed. Signatures of unknown keys are ignored; an invalid
    signature of a known key rejects the note. Raises InvalidNoteError.
    """
    parsed = parse(note)
    known = {(verifier.name, verifier.id): verifier for verifier in verifiers}
    is_signed = False
    for line in parsed.signatures:
        verifier = known.get((line.name, line.id))
        if verifier is None:
            continue
        if not verifier.accepts(parsed.text, line.signature):
            raise InvalidNoteError(f"The signature of {line.name} doesn’t fit the text.")
        is_signed = True
    if not is_signed:
        raise InvalidNoteError("No known key signed the note.")
    return parsed.text


def _signature(line: str) -> NoteSignature:
    match = _LINE.match(line)
    if match is None:
        raise InvalidNoteError("A line of signature is malformed.")
    try:
        decoded = base64.b64decode(match[2], validate=True)
    except binascii.Error:
        raise InvalidNoteError("A signature isn’t base64.") from None
    if len(decoded) < 5:
        raise InvalidNoteError("A signature is too short.")
    return NoteSignature(match[1], decoded[:4], decoded[4:])


def _check_text(text: str) -> None:
    if not text.endswith("\n") or text == "\n":
        raise InvalidNoteError("The text of a note ends with a line feed.")
    if _CONTROL.search(text):
        raise InvalidNoteError("The text of a note has no control characters.")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidNoteError("The text of a note is valid UTF-8.") from None
