"""Open ways that are lent, and kept for the next who writes to the account: making the clients of one costs
some 20 ms.
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
"""Ways that a process keeps; one takes about a megabyte."""
MAX_AGE_S: Final = 600.0
"""Seconds after which one is made anew, so that what the environment says is read again."""

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
    """A way to the account for this block and this thread alone, with up to `width` reads at once.

    It holds no connection when it is lent: one that AWS has closed meanwhile would leave a call in doubt. One
    on which a call had to be repeated or raised an error is not kept: the pace that botocore has then found,
    or what is wrong with it, is not for the next.
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
    """Close all that are kept."""
    with _lock:
        gone = list(_idle.values())
        _idle.clear()
    for _, aws in gone:
        aws.close()
