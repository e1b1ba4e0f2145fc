"""What a log line must not tell: the request log holds addresses, and some addresses are keys."""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from typing import Any

# The link to a password, and what an identity provider hands over in the query of a callback.
LINK = re.compile(r"(/sign-in/password/reset/key/[0-9A-Za-z]+-)(?!set-password/)[^/?\s\"']+")
QUERY = re.compile(r"(/sign-in/[^?\s\"']*\?)[^\s\"']+")
# A one-time link lets its holder in until its person has used it.
ONCE = re.compile(r"(/link/)[^/?\s\"']+")
WITHHELD = r"\1[withheld]"


def withhold_keys(logger: Any, method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Take out of every text of the line what would let its reader in. A processor of structlog."""
    for name, value in line.items():
        if isinstance(value, str) and ("/sign-in/" in value or "/link/" in value):
            line[name] = ONCE.sub(WITHHELD, QUERY.sub(WITHHELD, LINK.sub(WITHHELD, value)))
    return line
