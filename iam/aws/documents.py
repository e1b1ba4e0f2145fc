"""Decode policy documents, which IAM sends percent-encoded by RFC 3986, to their exact text."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

# These escapes make up nearly all of a document. None of them decodes to "%" or a hexadecimal digit, so
# replacing them one after the other can neither create nor break another escape. `unquote`, which is slower,
# decodes the rest.
_COMMON = (
    ("%22", '"'),
    ("%20", " "),
    ("%3A", ":"),
    ("%2C", ","),
    ("%0A", "\n"),
    ("%2F", "/"),
    ("%7B", "{"),
    ("%7D", "}"),
    ("%5B", "["),
    ("%5D", "]"),
    ("%2A", "*"),
    ("%24", "$"),
    ("%3D", "="),
    ("%0D", "\r"),
    ("%09", "\t"),
)


def decode_document(encoded: str) -> str:
    """Return the text of a policy document that AWS returned. "+" stays "+", as in RFC 3986.
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
    """
    if "%" not in encoded:
        return encoded
    for escape, character in _COMMON:
        encoded = encoded.replace(escape, character)
    return unquote(encoded) if "%" in encoded else encoded


def decode_response_documents(parsed: dict[str, Any], model: Any, **_: Any) -> None:
    """Handle botocore's `after-call.iam` event: decode each policy document of the response to its exact
    text. This replaces botocore's own handler, which parses documents into dictionaries and so loses their
    text.
    """
    if model.output_shape is not None:
        _decode_members(parsed, model.output_shape)


def _decode_members(value: Any, shape: Any) -> None:
    if shape.type_name == "list":
        for item in value:
            _decode_members(item, shape.member)
    elif shape.type_name == "structure":
        for name, member in shape.members.items():
            if name not in value:
                continue
            if member.type_name == "string" and member.name == "policyDocumentType":
                value[name] = decode_document(value[name])
            else:
                _decode_members(value[name], member)
