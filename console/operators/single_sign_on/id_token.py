"""Validation of an ID token; https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation"""

from __future__ import annotations

import hmac
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from django.conf import settings

from console.operators.single_sign_on.failures import SignInFailedError

# Signatures with asymmetric keys only: never `none`, never a shared secret.
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
LEEWAY_SECONDS: Final = 60
MAX_TOKEN_LENGTH: Final = 64 * 1024
# Length of allauth's column.
MAX_SUBJECT_LENGTH: Final = 191
# Errors of the JSON, base64 and key parsers for invalid input.
_UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError)


def validated_claims(
    token: object, *, issuer: str, client_id: str, key_set: dict[str, Any], nonce: str
) -> dict[str, Any]:
    """Return the claims of a token that this issuer signed for us and for this sign-in.

    `issuer` is written as in the discovery document, and `key_set` is the document at its `jwks_uri`. Raises
    SignInFailedError.
    """
    if not isinstance(token, str) or not token:
        raise SignInFailedError("no_id_token")
    if len(token) > MAX_TOKEN_LENGTH:
        raise SignInFailedError("bad_id_token")
    header = _header(token)
    key = _key(header, key_set)
    claims = _decode(token, key=key, algorithm=header["alg"], issuer=issuer, client_id=client_id)
    _check_authorized_party(claims, client_id)
    if not nonce or not _is_equal(claims.get("nonce"), nonce):
        raise SignInFailedError("wrong_nonce")
    claims["sub"] = usable_subject(claims.get("sub"))
    return claims


def usable_subject(subject: object) -> str:
    """Return the subject if it is a non-empty printable text that fits the database. Raises
    SignInFailedError.
    """
    is_usable = (
        isinstance(subject, str)
        and subject.strip() == subject
        and 0 < len(subject) <= MAX_SUBJECT_LENGTH
        and subject.isprintable()
    )
    if not is_usable:
        raise SignInFailedError("no_subject")
    return str(subject)


def _header(token: str) -> dict[str, Any]:
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, *_UNREADABLE):
        raise SignInFailedError("bad_id_token") from None
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise SignInFailedError("weak_algorithm")
    return header


def _key(header: dict[str, Any], key_set: dict[str, Any]) -> jwt.PyJWK:
    """Return the one published key that fits the header. Keys in the token itself (jwk, jku, x5u) are
    ignored.
    """
    published = key_set.get("keys")
    keys = [each for each in published if isinstance(each, dict)] if isinstance(published, list) else []
    signing = [each for each in keys if each.get("use", "sig") == "sig" and each.get("kty") != "oct"]
    signing = [each for each in signing if each.get("alg", header["alg"]) == header["alg"]]
    if "kid" in header:
        signing = [each for each in signing if each.get("kid") == header["kid"]]
    if len(signing) != 1:
        raise SignInFailedError("bad_signature")
    try:
        key = jwt.PyJWK(signing[0], algorithm=header["alg"])
    except (jwt.PyJWTError, *_UNREADABLE):
        raise SignInFailedError("bad_signature") from None
    if isinstance(key.key, RSAPublicKey) and key.key.key_size < settings.SSO_RSA_BITS:
        raise SignInFailedError("bad_signature")
    return key


def _decode(token: str, *, key: jwt.PyJWK, algorithm: str, issuer: str, client_id: str) -> dict[str, Any]:
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key=key,
            algorithms=[algorithm],
            issuer=issuer,
            audience=client_id,
            leeway=LEEWAY_SECONDS,
            options={"require": ["exp", "iat"], "verify_sub": False, "verify_jti": False},
        )
    except jwt.InvalidSignatureError:
        raise SignInFailedError("bad_signature") from None
    except (jwt.InvalidKeyError, jwt.InvalidAlgorithmError):
        raise SignInFailedError("bad_signature") from None
    except jwt.ExpiredSignatureError:
        raise SignInFailedError("expired_id_token") from None
    except jwt.ImmatureSignatureError:
        raise SignInFailedError("early_id_token") from None
    except jwt.InvalidIssuerError:
        raise SignInFailedError("wrong_issuer") from None
    except jwt.InvalidAudienceError:
        raise SignInFailedError("wrong_audience") from None
    except jwt.MissingRequiredClaimError as error:
        missing = {"iss": "wrong_issuer", "aud": "wrong_audience"}
        raise SignInFailedError(missing.get(error.claim, "bad_id_token")) from None
    except (jwt.PyJWTError, *_UNREADABLE):
        raise SignInFailedError("bad_id_token") from None
    if not claims.get("aud"):
        raise SignInFailedError("wrong_audience")
    return claims


def _check_authorized_party(claims: dict[str, Any], client_id: str) -> None:
    """Check that a token for several applications was issued to us."""
    audience = claims["aud"]
    is_shared = isinstance(audience, list) and len(audience) > 1
    if (is_shared or "azp" in claims) and claims.get("azp") != client_id:
        raise SignInFailedError("wrong_authorized_party")


def _is_equal(claim: object, expected: str) -> bool:
    return isinstance(claim, str) and hmac.compare_digest(claim.encode(), expected.encode())
