"""Write an AWS call as an AWS CLI command, a boto3 or JavaScript SDK snippet, or a curl command signed with
the reader's own credentials.
"""

from __future__ import annotations

import json
import pprint
import shlex
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from botocore import xform_name
from botocore.serialize import create_serializer

from iam.aws.models import operation_model
from iam.aws.partitions import DNS_SUFFIX, global_region

_ORGANIZATIONS_REGION = {"aws": "us-east-1", "aws-cn": "cn-northwest-1", "aws-us-gov": "us-gov-west-1"}
_IAM_HOST = {"aws": "iam", "aws-cn": "iam.cn-north-1", "aws-us-gov": "iam.us-gov"}
# The CLI reads values with these prefixes from the file or URL that they name.
_CLI_PREFIXES = ("file://", "fileb://", "http://", "https://")
_JAVASCRIPT = {"iam": "IAM", "sts": "STS", "ec2": "EC2", "organizations": "Organizations"}
_BREAK = " \\\n  "


def as_cli(
    service: str, operation: str, params: Mapping[str, Any], *, partition: str = "aws", region: str = ""
) -> str:
    """Return an AWS CLI command, quoted for a POSIX shell. Structures are JSON."""
    words = ["aws", service, xform_name(operation, "-")]
    if region or partition != "aws":
        words.append(f"--region {region or global_region(partition)}")
    if any(isinstance(value, str) and value.startswith(_CLI_PREFIXES) for value in params.values()):
        words.append(f"--cli-input-json {shlex.quote(_json(params))}")
    else:
        words += [_option(xform_name(name, "-"), value) for name, value in params.items()]
    return " ".join(words)


def _option(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return f"--{name}" if value else f"--no-{name}"
    if isinstance(value, str):
        # The CLI would parse a value that begins with a dash as the next option.
        separator = "=" if value.startswith("-") else " "
        return f"--{name}{separator}{shlex.quote(value)}"
    items = value if isinstance(value, list) else []
    starts_plainly = [isinstance(item, str) and not item.startswith(("-", "[", "{")) for item in items]
    if items and all(starts_plainly):
        return " ".join([f"--{name}", *map(shlex.quote, items)])
    return f"--{name} {shlex.quote(_json(value))}"


def as_boto3(
    service: str, operation: str, params: Mapping[str, Any], *, partition: str = "aws", region: str = ""
) -> str:
    """Return a boto3 snippet that makes the call."""
    named = region or ("" if partition == "aws" else global_region(partition))
    where = f", region_name={named!r}" if named else ""
    lines = ["import boto3", "", f"client = boto3.client({service!r}{where})"]
    call = f"client.{xform_name(operation)}"
    if not params:
        return "\n".join([*lines, f"{call}()"])
    return "\n".join([*lines, f"{call}(", *_arguments(params), ")"])


def _arguments(params: Mapping[str, Any]) -> Iterator[str]:
    for name, value in params.items():
        # Never split a string: pprint would break a long one into several, which are hard to copy.
        shown = repr(value) if isinstance(value, str) else pprint.pformat(value, width=88, sort_dicts=False)
        yield f"    {name}={shown},".replace("\n", "\n    ")


def as_javascript(
    service: str, operation: str, params: Mapping[str, Any], *, partition: str = "aws", region: str = ""
) -> str:
    """Return a snippet for the AWS SDK for JavaScript v3. Services: iam, sts, ec2, organizations; ValueError
    for any other. https://docs.aws.amazon.com/AWSJavaScriptSDK/v3/latest/
    """
    if service not in _JAVASCRIPT:
        raise ValueError(f"No JavaScript snippet for {service}.")
    client, command = f"{_JAVASCRIPT[service]}Client", f"{operation}Command"
    arguments = json.dumps(dict(params), ensure_ascii=False, indent=2) if params else "{}"
    return "\n".join(
        [
            f'import {{ {client}, {command} }} from "@aws-sdk/client-{service}";',
            "",
            f"const client = new {client}({{ region: {json.dumps(region or global_region(partition))} }});",
            f"await client.send(new {command}({arguments}));",
        ]
    )


def as_curl(
    service: str, operation: str, params: Mapping[str, Any], *, partition: str = "aws", region: str = ""
) -> str:
    """Return a curl command (curl 8 or newer) that signs with the reader's AWS_* variables. It contains no
    key and no signature.

    The body is the one that botocore would send. Services: iam, sts, ec2, organizations; ValueError for any
    other. https://docs.aws.amazon.com/IAM/latest/UserGuide/programming.html
    """
    url, region = _endpoint(service, partition=partition, region=region)
    model = operation_model(service, operation)
    serializer = create_serializer(model.service_model.resolved_protocol, include_validation=False)
    request = serializer.serialize_to_request(dict(params), model)
    body, kept = request["body"], ("x-amz-target", "content-type")
    headers = [f"{name}: {value}" for name, value in request["headers"].items() if name.lower() in kept]
    if isinstance(body, dict):
        body, headers = "&".join(f"{quote(k, safe='')}={quote(str(v), safe='')}" for k, v in body.items()), []
    text = body.decode() if isinstance(body, bytes) else body
    return _BREAK.join(
        [
            f"curl --fail-with-body {url}",
            f'--aws-sigv4 "aws:amz:{region}:{service}"',
            '--user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY"',
            '-H "x-amz-security-token: $AWS_SESSION_TOKEN"',
            *(f"-H {shlex.quote(header)}" for header in headers),
            f"--data-raw {shlex.quote(text)}",
        ]
    )


def _endpoint(service: str, *, partition: str, region: str) -> tuple[str, str]:
    """Return the URL and the signing region."""
    region, suffix = region or global_region(partition), DNS_SUFFIX[partition]
    if service == "iam":
        return f"https://{_IAM_HOST[partition]}.{suffix}/", region
    if service == "organizations":
        region = _ORGANIZATIONS_REGION[partition]
    elif service not in ("sts", "ec2"):
        raise ValueError(f"No curl line for {service}.")
    return f"https://{service}.{region}.{suffix}/", region


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
