"""Credentials of a spoke role, assumed with the hub's credentials and refreshed before they expire. They are
cached per process.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from botocore.config import Config
from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
from botocore.exceptions import NoCredentialsError
from botocore.session import Session

from iam.aws.access import AccountAccess
from iam.aws.errors import map_errors
from iam.aws.partitions import global_region

_MAX_CREDENTIALS = 256
_kept: OrderedDict[tuple[Any, ...], Any] = OrderedDict()


class FixedCredentials:
    """A credential provider for a botocore session that always returns the given credentials."""

    def __init__(self, credentials: Any) -> None:
        self._credentials = credentials

    def load_credentials(self) -> Any:
        """Return the credentials. botocore calls this when it makes a client."""
        return self._credentials


def role_credentials(access: AccountAccess, *, new_session: Callable[[], Session]) -> Any:
    """Return refreshable credentials of `access.role_arn`. sts:AssumeRole is called when they are first
    needed.

    Sessions last one hour, the maximum for role chaining
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining).
    """
    with map_errors("sts:AssumeRole"):
        source = new_session().get_credentials()
        if source is None:
            raise NoCredentialsError()
        key = access, source.get_frozen_credentials().access_key, os.environ.get("AWS_ENDPOINT_URL")
    if key in _kept:
        _kept.move_to_end(key)
        return _kept[key]
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=_client_creator(access, new_session),
        source_credentials=source,
        role_arn=access.role_arn,
        extra_args=_assume_arguments(access),
    )
    _kept[key] = DeferredRefreshableCredentials(method="assume-role", refresh_using=fetcher.fetch_credentials)
    while len(_kept) > _MAX_CREDENTIALS:
        _kept.popitem(last=False)
    return _kept[key]


def _assume_arguments(access: AccountAccess) -> dict[str, Any]:
    arguments: dict[str, Any] = {"RoleSessionName": access.session_name, "DurationSeconds": 3600}
    if access.external_id:
        arguments["ExternalId"] = access.external_id
    return arguments


def _client_creator(access: AccountAccess, new_session: Callable[[], Session]) -> Any:
    def create(service: str, **keys: Any) -> Any:
        region = access.region or global_region(access.partition)
        config = Config(
            connect_timeout=10,
            read_timeout=30,
            retries={"mode": "standard", "total_max_attempts": 5},
            user_agent_extra="gatehouse",
        )
        return new_session().create_client(service, region_name=region, config=config, **keys)

    return create
