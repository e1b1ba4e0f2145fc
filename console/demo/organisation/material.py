"""Certificates, SSH keys and SAML metadata that come out the same for the same names and dates.

They only have to be read, never to be trusted: the private keys follow from public names.
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
    """A self-signed certificate in PEM form, valid between two naive UTC moments."""
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
    """An RSA public key of 2,048 bits in OpenSSH form."""
    digests = [ids.digest("ssh", name, str(part)) for part in range(8)]
    number = int("".join(digests), 16)
    # The highest bit makes it 2,048 bits long, the lowest one odd.
    modulus = number | (1 << 2047) | 1
    key = rsa.RSAPublicNumbers(65537, modulus).public_key()
    text = key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return f"{text.decode()} {name}"


def saml_metadata(entity: str, *, begins: datetime, ends: datetime) -> str:
    """The metadata of an identity provider, with its signing certificate."""
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
    """The seed of a virtual MFA device: 64 base32 letters."""
    digits = bytes.fromhex(ids.digest("mfa", *parts) + ids.digest("mfa more", *parts))
    return base64.b32encode(digits[:40]).decode()
