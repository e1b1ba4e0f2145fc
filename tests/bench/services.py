"""Who can use which AWS service, over 100,000 principals in 2,000 accounts: asked for the first time, again,
and page by page.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.bench.floor import figure
from tests.bench.who_can import ACCOUNTS, ROUNDS, Figures, _built, _seconds

PAGE = 50


def run() -> Figures:
    """The figures, over an index without a database: what reading the tables costs is measured with who
    can.
    """
    import django

    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "console.settings",
        "GATEHOUSE_MODE": "embedded",
        "GATEHOUSE_VAR": tempfile.mkdtemp(prefix="gatehouse-services-"),
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }
    django.setup()
    from iam.access import service_usage
    from iam.access.service_usage import ServiceUserFilter, page_of, uses

    index, size, _ = _built(ACCOUNTS)

    @contextmanager
    def snapshot(*_: Any, **__: Any) -> Iterator[Any]:
        yield index

    service_usage.snapshot = snapshot  # type: ignore[assignment]
    whole, named = ServiceUserFilter(None), ServiceUserFilter(None, text="user-1000")
    first = _seconds(lambda: uses(None, at=None))
    page_of("s3", whole, size=PAGE)
    other = _seconds(lambda: page_of("ec2", whole, size=PAGE))
    again = _seconds(lambda: page_of("ec2", whole, size=PAGE), rounds=ROUNDS)
    by_name = _seconds(lambda: page_of("ec2", named, size=PAGE), rounds=ROUNDS)
    return [
        figure(f"services: all that somebody can use, {size}, first answer, CPU", first, "s", limit=8),
        figure(f"services: who can use another one, {size}, CPU", other, "s", limit=1),
        figure(f"services: a page of {PAGE} of them, warm, CPU", again * 1000, "ms", limit=50),
        figure("services: the same by a part of a name, CPU", by_name * 1000, "ms", limit=300),
    ]
