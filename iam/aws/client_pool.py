"""A pool of open AWS connections that are kept for the next write to the same account, because making the
clients takes about 20 ms.
"""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from iam.aws.access import AccountAccess
from iam.aws.ratelimit import RateLimit
from iam.aws.session import Aws, connect

MAX_CLIENTS: Final = 64
"""The number of connections that a process keeps. One takes about a megabyte."""
MAX_AGE_S: Final = 600.0
"""The age in seconds after which a connection is made again, so that changes in the environment
take effect.
"""

_Key = tuple[Any, ...]
_idle: OrderedDict[_Key, tuple[float, Aws]] = OrderedDict()
_lock = threading.Lock()


@contextmanager
def pooled_client(
    access: AccountAccess,
    *,
    rate: RateLimit | None = None,
    on_call: Callable[[str], None] | None = None,
    width: int = 1,
) -> Iterator[Aws]:
    """Lend a connection to the account to this block and thread, with up to `width` parallel reads.

    It has no open socket when it is lent: a socket that AWS has closed meanwhile would leave a call in doubt.
    A connection is not kept if one of its calls was retried or failed, because its retry state must not
    affect the next user.
    """
    key = (access, rate, *sorted(item for item in os.environ.items() if item[0].startswith("AWS_")))
    aws, made = _take_client(key) or (connect(access, rate=rate), time.monotonic())
    aws.on_call, aws.width = on_call, width
    try:
        yield aws
    except BaseException:
        aws.close()
        raise
    aws.on_call = None
    if aws.retries:
        aws.close()
    else:
        aws.close_connections()
        _keep(key, aws, made)


def _take_client(key: _Key) -> tuple[Aws, float] | None:
    with _lock:
        pooled = _idle.pop(key, None)
    if pooled is None:
        return None
    made, aws = pooled
    if time.monotonic() - made > MAX_AGE_S:
        aws.close()
        return None
    return aws, made


def _keep(key: _Key, aws: Aws, made: float) -> None:
    with _lock:
        replaced = _idle.pop(key, None)
        _idle[key] = made, aws
        gone = [_idle.popitem(last=False)[1] for _ in range(len(_idle) - MAX_CLIENTS)]
    for _, other in (*gone, *([replaced] if replaced else [])):
        other.close()


def forget() -> None:
    """Close all kept connections."""
    with _lock:
        gone = list(_idle.values())
        _idle.clear()
    for _, aws in gone:
        aws.close()
