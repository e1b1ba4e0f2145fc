"""AWS errors in the format of each protocol, for responses that moto doesn't make."""

from __future__ import annotations

import json
from dataclasses import dataclass
from xml.sax.saxutils import escape

from moto.core.exceptions import ServiceException

JSON_SERVICES = frozenset({"organizations", "cloudtrail"})
REST_SERVICES = frozenset({"rolesanywhere", "eks"})
NAMESPACES = {
    "iam": "https://iam.amazonaws.com/doc/2010-05-08/",
    "sts": "https://sts.amazonaws.com/doc/2011-06-15/",
}


@dataclass(frozen=True)
class StandinReply:
    """An HTTP response."""

    status: int
    headers: dict[str, str]
    body: bytes


# The codes of IAM's errors in other services: protocol family → IAM's code → (code there, HTTP status).
TRANSLATED: dict[str, dict[str, tuple[str, int]]] = {
    "json": {
        "AccessDenied": ("AccessDeniedException", 400),
        "ExpiredToken": ("ExpiredTokenException", 400),
        "InvalidClientTokenId": ("UnrecognizedClientException", 400),
        "SignatureDoesNotMatch": ("InvalidSignatureException", 400),
        "Throttling": ("TooManyRequestsException", 400),
    },
    "rest": {
        "AccessDenied": ("AccessDeniedException", 403),
        "ExpiredToken": ("ExpiredTokenException", 403),
        "InvalidClientTokenId": ("UnrecognizedClientException", 403),
        "SignatureDoesNotMatch": ("InvalidSignatureException", 403),
        "Throttling": ("ThrottlingException", 429),
    },
    "ec2": {
        "AccessDenied": ("UnauthorizedOperation", 403),
        "ExpiredToken": ("RequestExpired", 400),
        "InvalidClientTokenId": ("AuthFailure", 401),
        "SignatureDoesNotMatch": ("AuthFailure", 401),
        "Throttling": ("RequestLimitExceeded", 503),
    },
}


class AnswerError(ServiceException):  # type: ignore[misc]
    """An AWS error `AnswerError(code, message)` that is raised within moto. The API model determines the HTTP
    status.
    """


class StandinRefusedError(Exception):
    """Raised if a request is refused outside of moto. Has AWS's code, message and HTTP status."""

    def __init__(self, code: str, message: str, *, status: int = 403) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


def render(refusal: StandinRefusedError, *, service: str, request_id: str) -> StandinReply:
    """Render a refusal in the protocol of the service: query XML, EC2's XML, JSON 1.1 or REST."""
    headers = {"x-amzn-RequestId": request_id}
    family = service
    if service in JSON_SERVICES:
        family = "json"
    elif service in REST_SERVICES:
        family = "rest"
    plain_code, status = TRANSLATED.get(family, {}).get(refusal.code, (refusal.code, refusal.status))
    if service in REST_SERVICES:
        headers |= {"Content-Type": "application/json", "x-amzn-errortype": plain_code}
        return StandinReply(status, headers, json.dumps({"message": refusal.message}).encode())
    if service in JSON_SERVICES:
        body = json.dumps({"__type": plain_code, "message": refusal.message, "Message": refusal.message})
        headers["Content-Type"] = "application/x-amz-json-1.1"
        return StandinReply(status, headers, body.encode())
    headers["Content-Type"] = "text/xml"
    code, message = escape(plain_code), escape(refusal.message)
    if service == "ec2":
        body = (
            f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
            f"<RequestID>{request_id}</RequestID></Response>"
        )
    else:
        kind = "Sender" if status < 500 else "Receiver"
        body = (
            "<ErrorResponse "
            f'xmlns="{NAMESPACES.get(service, "")}"><Error><Type>{kind}</Type><Code>{code}</Code>'
            f"<Message>{message}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
        )
    return StandinReply(status, headers, body.encode())
