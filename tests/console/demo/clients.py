"""boto3 clients of the stand-in: the hub's own key, or a role of one of the accounts."""

from __future__ import annotations

import functools
import json
import urllib.request
from typing import Any

import boto3
from botocore.config import Config

from console.demo.organisation.gatehouse import EXTERNAL_ID, READER_ROLE, WRITER_ROLE
from console.demo.organisation.people import ACCOUNT_IDS
from console.demo.standin.hub import HUB_ACCESS_KEY_ID, HUB_SECRET_ACCESS_KEY
from console.demo.standin.server import RunningStandin
from tests.patience import PATIENCE_S

ONCE = Config(retries={"total_max_attempts": 1, "mode": "standard"})
_session = boto3.session.Session()


def hub(
    standin: RunningStandin | str,
    service: str,
    *,
    region: str = "us-east-1",
    secret: str = HUB_SECRET_ACCESS_KEY,
) -> Any:
    """A client with the key of the hub's user in the management account."""
    return _client(_url(standin), service, region, HUB_ACCESS_KEY_ID, secret, None)


def member(
    standin: RunningStandin | str,
    service: str,
    account: str,
    *,
    role: str = WRITER_ROLE,
    region: str = "us-east-1",
) -> Any:
    """A client in one of the accounts, by its role for Gatehouse."""
    return _client(_url(standin), service, region, *_credentials(_url(standin), account, role))


def _url(standin: RunningStandin | str) -> str:
    return standin if isinstance(standin, str) else standin.url


def forget_sessions() -> None:
    """Sign in anew with the next client."""
    _credentials.cache_clear()


@functools.cache
def _credentials(url: str, account: str, role: str) -> tuple[str, str, str]:
    answer = hub(url, "sts").assume_role(
        RoleArn=f"arn:aws:iam::{ACCOUNT_IDS[account]}:role/{role}",
        RoleSessionName="test",
        ExternalId=EXTERNAL_ID,
    )
    credentials = answer["Credentials"]
    return credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"]


@functools.cache
def _client(url: str, service: str, region: str, key: str, secret: str, token: str | None) -> Any:
    return _session.client(
        service,
        endpoint_url=url,
        region_name=region,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=ONCE,
    )


def reader(standin: RunningStandin | str, service: str, account: str, **more: Any) -> Any:
    """A client that may only read."""
    return member(standin, service, account, role=READER_ROLE, **more)


def with_key(standin: RunningStandin, service: str, key: dict[str, str], *, region: str = "us-east-1") -> Any:
    """A client with an access key, as CreateAccessKey answers it."""
    return _client(standin.url, service, region, key["AccessKeyId"], key["SecretAccessKey"], None)


def control(standin: RunningStandin, path: str, wanted: dict[str, Any] | None = None) -> dict[str, Any]:
    """Ask a control endpoint; a GET without `wanted`, a POST with it."""
    body = None if wanted is None else json.dumps(wanted).encode()
    request = urllib.request.Request(f"{standin.url}/_standin/{path}", data=body)
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
        return json.loads(answer.read())


def all_pages(client: Any, operation: str, key: str, **parameters: Any) -> list[Any]:
    """All items of a paged call."""
    pages = client.get_paginator(operation).paginate(**parameters)
    return [item for page in pages for item in page[key]]


def authorization_details(client: Any, **parameters: Any) -> dict[str, list[Any]]:
    """The four lists of GetAccountAuthorizationDetails over all pages."""
    lists: dict[str, list[Any]] = {}
    for page in client.get_paginator("get_account_authorization_details").paginate(**parameters):
        for name in ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"):
            lists.setdefault(name, []).extend(page[name])
    return lists
