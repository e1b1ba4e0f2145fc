"""Answers of AWS that a test writes down, given to botocore in place of the network, so that it parses and
retries.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from botocore.awsrequest import AWSResponse

ACCOUNT = "111111111111"
REQUEST_ID = "6f1f2f3f-aaaa-bbbb-cccc-000000000001"


class _Body:
    """The part of a urllib3 response that botocore reads."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self._content


class Script:
    """Hands out its answers one after the other: bytes (status 200), (status, bytes), or an exception to
    raise.
    """

    def __init__(self, answers: Sequence[object]) -> None:
        self._answers = list(answers)
        self.requests: list[Any] = []

    def install(self, client: Any) -> None:
        client.meta.events.register("before-send", self._answer)

    def _answer(self, request: Any, **_: Any) -> AWSResponse:
        self.requests.append(request)
        assert self._answers, f"one request more than the test expects: {request.body!r}"
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        status, content = answer if isinstance(answer, tuple) else (200, answer)
        headers = {"x-amzn-RequestId": REQUEST_ID, "Content-Type": "text/xml"}
        return AWSResponse(request.url, status, headers, _Body(content))


def answer(operation: str, inner: str) -> bytes:
    """A successful IAM answer around what stands in its result."""
    return (
        f'<{operation}Response xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><{operation}Result>{inner}'
        f"</{operation}Result><ResponseMetadata><RequestId>{REQUEST_ID}</RequestId></ResponseMetadata></{operation}Response>"
    ).encode()


def error(code: str, message: str = "no", *, status: int = 400) -> tuple[int, bytes]:
    """An IAM error answer."""
    body = (
        f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        f"<RequestId>{REQUEST_ID}</RequestId></ErrorResponse>"
    )
    return status, body.encode()
