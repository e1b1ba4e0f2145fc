"""Deterministic certificates, SSH keys and SAML metadata for names and dates.

They must be readable, but are never trusted: their private keys are derived from public names.
"""

from __future__ import annotations

import base64
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from console.demo.standin import ids


def certificate(name: str, *, begins: datetime, ends: datetime) -> str:
    """Return a self-signed PEM certificate, valid between two naive UTC datetimes."""
    number = int(ids.digest("certificate", name), 16)
    key = ec.derive_private_key(number >> 8, ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(number >> 100)
        .not_valid_before(begins)
        .not_valid_after(ends)
        .sign(key, hashes.SHA256(), ecdsa_deterministic=True)
    )
    return built.public_bytes(serialization.Encoding.PEM).decode()


def ssh_key(name: str) -> str:
    """Return an RSA public key of 2,048 bits in OpenSSH format."""
    digests = [ids.digest("ssh", name, str(part)) for part in range(8)]
    number = int("".join(digests), 16)
    # The highest bit makes it 2,048 bits long, and the lowest bit makes it odd.
    modulus = number | (1 << 2047) | 1
    key = rsa.RSAPublicNumbers(65537, modulus).public_key()
    text = key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return f"{text.decode()} {name}"


def saml_metadata(entity: str, *, begins: datetime, ends: datetime) -> str:
    """Return an identity provider's metadata with its signing certificate."""
    pem = certificate(entity, begins=begins, ends=ends)
    body = "".join(line for line in pem.splitlines() if not line.startswith("-----"))
    sign_on = f"https://{entity}/saml2/sso"
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://{entity}/saml2">\n'
        '  <md:IDPSSODescriptor WantAuthnRequestsSigned="false" '
        'protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">\n'
        '    <md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">'
        f"<ds:X509Data><ds:X509Certificate>{body}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>\n"
        "    <md:NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress</md:NameIDFormat>\n"
        '    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" '
        f'Location="{sign_on}"/>\n'
        '    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" '
        f'Location="{sign_on}"/>\n'
        "  </md:IDPSSODescriptor>\n"
        "</md:EntityDescriptor>\n"
    )


def base32_seed(*parts: str) -> str:
    """Return the seed of a virtual MFA device: 64 base32 characters."""
    digits = bytes.fromhex(ids.digest("mfa", *parts) + ids.digest("mfa more", *parts))
    return base64.b32encode(digits[:40]).decode()
