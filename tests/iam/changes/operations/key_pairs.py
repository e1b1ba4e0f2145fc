"""Public keys and certificates for the tests; each is made once a run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import NameOID


@cache
def _private(number: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_key(number: int) -> str:
    """An RSA key as OpenSSH writes it."""
    return _private(number).public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


@cache
def certificate(number: int) -> str:
    """A certificate that is its own authority."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"signer-{number}")])
    now = datetime.now(tz=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(_private(number).public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=365))
        .sign(_private(number), SHA256())
    )
    return made.public_bytes(Encoding.PEM).decode()


def private_key(number: int, *, passphrase: str = "") -> str:
    """The private key of a certificate."""
    hides = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    return _private(number).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, hides).decode()
