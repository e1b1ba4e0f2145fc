"""Show a call as an AWS CLI line, a boto3 snippet, and a curl line that the reader's own credentials sign."""

from __future__ import annotations

import json
import pprint
import shlex
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from botocore import xform_name

from iam.aws.partitions import DNS_SUFFIX, global_region

_API_VERSION = {"iam": "2010-05-08", "sts": "2011-06-15", "ec2": "2016-11-15"}


def as_cli(service: str, operation: str, params: Mapping[str, Any]) -> str:
    """An AWS CLI line, quoted for a POSIX shell; structures are JSON, as the CLI takes them."""
    words = ["aws", service, xform_name(operation, "-")]
    for name, value in params.items():
        option = xform_name(name, "-")
        if isinstance(value, bool):
            words.append(f"--{option}" if value else f"--no-{option}")
        elif isinstance(value, list) and value and all(isinstance(item, str) for item in value):
            words += [f"--{option}", *(shlex.quote(item) for item in value)]
        else:
            words += [f"--{option}", shlex.quote(_cli_value(value))]
    return " ".join(words)


def _cli_value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def as_boto3(service: str, operation: str, params: Mapping[str, Any]) -> str:
    """A boto3 snippet that makes the same call."""
    lines = ["import boto3", "", f"client = boto3.client({service!r})"]
    if not params:
        return "\n".join([*lines, f"client.{xform_name(operation)}()"])
    lines.append(f"client.{xform_name(operation)}(")
    for name, value in params.items():
        shown = pprint.pformat(value, width=88, sort_dicts=False).replace("\n", "\n    ")
        lines.append(f"    {name}={shown},")
    return "\n".join([*lines, ")"])


def as_curl(service: str, operation: str, params: Mapping[str, Any], *, partition: str = "aws") -> str:
    """A curl line (7.75 or newer) that signs with the reader's AWS_* variables; nothing of ours is in it.

    Only services of the Query protocol (IAM, STS, EC2). Strings, numbers, booleans, and lists of strings or
    of flat structures are written as the protocol has them.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/programming.html
    """
    if service not in _API_VERSION:
        raise ValueError(f"{service} is not called by form parameters; use the CLI line.")
    region, suffix = global_region(partition), DNS_SUFFIX[partition]
    form = {"Action": operation, "Version": _API_VERSION[service], **_flat(params)}
    body = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in form.items())
    return " \\\n  ".join(
        [
            f"curl --fail-with-body {_endpoint(service, partition=partition, suffix=suffix, region=region)}",
            f'--aws-sigv4 "aws:amz:{region}:{service}"',
            '--user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY"',
            '${AWS_SESSION_TOKEN:+-H "x-amz-security-token: $AWS_SESSION_TOKEN"}',
            f"--data {shlex.quote(body)}",
        ]
    )


def _endpoint(service: str, *, partition: str, suffix: str, region: str) -> str:
    if service == "iam":
        host = {"aws": "iam", "aws-cn": "iam.cn-north-1", "aws-us-gov": "iam.us-gov"}[partition]
    else:
        host = f"{service}.{region}"
    return f"https://{host}.{suffix}/"


def _flat(value: Mapping[str, Any], *, prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, item in value.items():
        flat |= _flat_item(f"{prefix}{name}", item)
    return flat


def _flat_item(name: str, item: Any) -> dict[str, str]:
    if isinstance(item, bool):
        return {name: "true" if item else "false"}
    if isinstance(item, Mapping):
        return _flat(item, prefix=f"{name}.")
    if isinstance(item, list | tuple):
        flat: dict[str, str] = {}
        for position, member in enumerate(item, start=1):
            flat |= _flat_item(f"{name}.member.{position}", member)
        return flat
    return {name: str(item)}
