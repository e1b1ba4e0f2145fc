"""Whether what a receipt offers to copy makes the very calls that it shows: executed, not compared by eye."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from functools import lru_cache
from typing import Any
from unittest import mock
from urllib.parse import parse_qsl

import boto3
from botocore import xform_name
from botocore.awsrequest import AWSResponse

from iam.changes.shown_calls import shown_calls

KEYS = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|Signature=|Credential=")


class Sent(Exception):  # noqa: N818
    """Stops a request before it leaves; its body is what would have been sent."""

    def __init__(self, body: bytes | str) -> None:
        super().__init__()
        self.body = body if isinstance(body, str) else body.decode()


@lru_cache(maxsize=4)
def client(service: str) -> Any:
    """A client of boto3 that never sends."""
    made = boto3.session.Session().client(
        service, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="y"
    )

    def stop(request: Any, **_: Any) -> AWSResponse:
        raise Sent(request.body)

    made.meta.events.register("before-send", stop)
    return made


def differing(calls: list[dict[str, Any]]) -> list[str]:
    """What is wrong with the snippets of the calls of a receipt."""
    differing_calls = []
    for call, shown in zip(calls, shown_calls(calls, partition="aws"), strict=True):
        what = f"{call['service']}:{call['operation']}"
        body = by_boto3(shown.boto3)
        words = shlex.split(shown.curl.replace("\\\n", ""))
        if parse_qsl(words[words.index("--data-raw") + 1]) != parse_qsl(body):
            differing_calls.append(f"{what}: curl and boto3 send other bodies")
        if words[words.index("--user") + 1] != "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY":
            differing_calls.append(f"{what}: curl signs with other keys than the reader's")
        line = shlex.split(shown.cli)
        if line[:3] != ["aws", call["service"], xform_name(call["operation"], "-")]:
            differing_calls.append(f"{what}: another command of the CLI")
        removesuffix = shown.javascript.partition(f"new {call['operation']}Command(")[2].removesuffix("));")
        if json.loads(removesuffix) != call["params"]:
            differing_calls.append(f"{what}: the JavaScript snippet has other parameters")
        if KEYS.search("".join((shown.cli, shown.boto3, shown.javascript, shown.curl))):
            differing_calls.append(f"{what}: a key or a signature of ours")
    return differing_calls + unreadable_by_a_shell(calls)


def by_boto3(snippet: str) -> str:
    """The body that the snippet would send."""
    with mock.patch.object(boto3, "client", lambda service, **_: client(service)):
        try:
            exec(snippet, {})
        except Sent as sent:
            return sent.body
    raise AssertionError("the snippet makes no call")


def unreadable_by_a_shell(calls: list[dict[str, Any]]) -> list[str]:
    """What bash says of the lines, without carrying them out."""
    lines = [line for shown in shown_calls(calls, partition="aws") for line in (shown.cli, shown.curl)]
    completed_process = subprocess.run(
        ["bash", "-n"], input="\n".join(lines), text=True, capture_output=True, check=False
    )
    return [completed_process.stderr] if completed_process.returncode else []
