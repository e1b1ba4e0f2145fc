"""Connect to an AWS account: credentials (the process's own or an assumed role's), clients, retries, rate
limit and a count of calls.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from contextvars import ContextVar
from copy import copy
from datetime import UTC, datetime
from functools import cache
from typing import Any

from botocore.config import Config
from botocore.handlers import json_decode_policies
from botocore.hooks import HierarchicalEmitter
from botocore.loaders import Loader
from botocore.session import Session
from botocore.utils import parse_timestamp

from iam.aws import raw_lists
from iam.aws.access import AccountAccess
from iam.aws.credentials import FixedCredentials, role_credentials
from iam.aws.documents import decode_response_documents
from iam.aws.partitions import global_region
from iam.aws.ratelimit import RateLimit, bucket_of

heard: ContextVar[Callable[[str], None] | None] = ContextVar("heard", default=None)
"""The function that gets each request of a parallel read. It replaces `Aws.on_call`, which only the thread
that owns the connection calls.
"""


class Aws:
    """An open connection to an account. Clients are created on first use. Threads must not share it, except
    through `iam.aws.parallel_reads`, which runs up to `width` requests at once.

    `calls` counts the sent requests, retries included, by action ("iam:ListUsers"); `retries` counts the
    retries. On `iam`, policy documents in responses are their exact decoded text, not dictionaries as in
    standard boto3.
    """

    def __init__(
        self,
        access: AccountAccess,
        *,
        session: Session,
        rate: RateLimit | None = None,
        attempts: int | None = None,
    ) -> None:
        self.access = access
        self.calls: Counter[str] = Counter()
        self.retries = 0
        self.width = 1
        self.on_call: Callable[[str], None] | None = None
        self._session = session
        self._bucket = bucket_of(access.account_id, limit=rate) if rate else None
        self._clients: dict[tuple[str, str, bool], Any] = {}
        self._beside = 0
        self._counting = threading.Lock()
        few = {"retries": {"mode": "standard", "total_max_attempts": attempts}} if attempts else {}
        self._config = CONFIG.merge(Config(**few))

    @property
    def home_region(self) -> str:
        """Return the default region of regional calls: the region of `access`, otherwise the partition's
        global region.
        """
        return self.access.region or global_region(self.access.partition)

    @property
    def iam(self) -> Any:
        return self.client("iam")

    @property
    def sts(self) -> Any:
        return self.client("sts", region=self.access.region)

    @property
    def organizations(self) -> Any:
        return self.client("organizations")

    def ec2(self, region: str) -> Any:
        return self.client("ec2", region=region)

    def cloudtrail(self, region: str) -> Any:
        return self.client("cloudtrail", region=region)

    def offered_regions(self, service: str) -> frozenset[str]:
        """Return the Regions of the partition in which botocore lists the service."""
        partition = self.access.partition
        return frozenset(self._session.get_available_regions(service, partition_name=partition))

    def client(self, service: str, *, region: str | None = None, may_retry: bool = True) -> Any:
        """Return a botocore client with Gatehouse's retries, counters and limits. The default is the
        partition's global region.

        With `may_retry` False it sends each request once, for calls that do harm if AWS applies them twice.
        """
        key = service, region or global_region(self.access.partition), may_retry
        if key not in self._clients:
            self._clients[key] = self._make_client(*key)
        return self._clients[key]

    def enter_beside(self) -> bool:
        """Reserve a place for one more thread until `leave_beside`. Returns False if there is none."""
        with self._counting:
            is_room = self._beside < self.width - 1
            self._beside += is_room
        return is_room

    def leave_beside(self) -> None:
        """Release the place of a thread."""
        with self._counting:
            self._beside -= 1

    def close(self) -> None:
        """Close the pooled connections of all clients."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    def close_connections(self) -> None:
        """Close the connections and reset the counters, but keep the clients for the next user."""
        for client in self._clients.values():
            client.close()
        self.calls.clear()
        self.retries = 0

    def _make_client(self, service: str, region: str, may_retry: bool) -> Any:
        config = self._config if may_retry else self._config.merge(_NO_RETRIES)
        client = self._session.create_client(service, region_name=region, config=config)
        events = client.meta.events
        events.register_first(
            f"request-created.{client.meta.service_model.service_id.hyphenize()}", self._on_request
        )
        if service == "iam":
            events.unregister("after-call.iam", json_decode_policies)
            events.register("after-call.iam", decode_response_documents)
        raw_lists.install(client)
        return client

    def _on_request(self, request: Any, operation_name: str, event_name: str, **_: Any) -> None:
        action = f"{event_name.split('.')[1]}:{operation_name}"
        if self._bucket is not None:
            self._bucket.wait()
        with self._counting:
            self.retries += request.context.get("retries", {}).get("attempt", 1) > 1
            self.calls[action] += 1
        tell = heard.get() or self.on_call
        if tell is not None:
            tell(action)


SENDS_PER_CALL = 9
"""How often one call is sent, with the SDK's pauses in between."""
CONFIG = Config(
    connect_timeout=10,
    read_timeout=60,
    retries={"mode": "adaptive", "total_max_attempts": SENDS_PER_CALL},
    max_pool_connections=4,
    user_agent_extra="gatehouse",
    parameter_validation=True,
)
_NO_RETRIES = Config(retries={"mode": "standard", "total_max_attempts": 1})
_loader = Loader()
_credentials_lock = threading.Lock()


def connect(
    access: AccountAccess,
    *,
    rate: RateLimit | None = None,
    on_call: Callable[[str], None] | None = None,
    attempts: int | None = None,
) -> Aws:
    """Open a connection to the account. No request is sent before the first call.

    `attempts` limits how often one call is sent, for callers that want to fail early. `on_call` gets each
    request as it is sent, for live progress. `AWS_ENDPOINT_URL` and the other variables work as in boto3. A
    client takes about 10 ms, or 150 ms while the process has not yet loaded botocore's models.
    """
    session = new_session()
    if access.mode == "role":
        with _credentials_lock:
            provider = FixedCredentials(role_credentials(access, new_session=new_session))
            session.register_component("credential_provider", provider)
    aws = Aws(access, session=session, rate=rate, attempts=attempts)
    aws.on_call = on_call
    return aws


def new_session() -> Session:
    """Return a botocore session that shares the process's cache of service models and returns timestamps in
    UTC.
    """
    session = Session(event_hooks=copy(_builtin_hooks()), include_builtin_handlers=False)
    session.register_component("data_loader", _loader)
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_utc)
    return session


@cache
def _builtin_hooks() -> HierarchicalEmitter:
    """Return botocore's built-in event handlers. They are registered once, because that is most of the cost
    of a session (7 ms).
    """
    hooks = HierarchicalEmitter()
    Session(event_hooks=hooks)
    return hooks


def _utc(value: str | float) -> datetime:
    """Parse an AWS timestamp as UTC in any time zone of the machine. botocore's own parser returns local
    times for JSON.
    """
    moment: datetime = parse_timestamp(value)
    return moment.astimezone(UTC)
