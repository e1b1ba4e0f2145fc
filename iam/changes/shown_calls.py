"""The calls of a receipt as other tools make them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from iam.aws import writes


@dataclass(frozen=True, slots=True)
class ShownCall:
    """A call with its equivalents for other tools, to copy; the reader's own credentials sign it."""

    number: int
    action: str
    sentence: str
    cli: str
    boto3: str
    javascript: str
    curl: str


def shown_calls(calls: list[dict[str, Any]], *, partition: str) -> list[ShownCall]:
    """The calls of a receipt as a reader can make them by themselves."""
    return [_shown(number, call, partition=partition) for number, call in enumerate(calls, start=1)]


def _shown(number: int, call: dict[str, Any], *, partition: str) -> ShownCall:
    what = call["service"], call["operation"], call["params"]
    region = call.get("region", "")
    return ShownCall(
        number=number,
        action=f"{call['service']}:{call['operation']}",
        sentence=call["sentence"],
        cli=writes.as_cli(*what, partition=partition, region=region),
        boto3=writes.as_boto3(*what, partition=partition, region=region),
        javascript=writes.as_javascript(*what, partition=partition, region=region),
        curl=writes.as_curl(*what, partition=partition, region=region),
    )
