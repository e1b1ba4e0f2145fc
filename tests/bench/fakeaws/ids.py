"""Names, dates and unique ids that look like AWS's, and the letters in them that tell one account from
another.
"""

from __future__ import annotations

import datetime as dt

BASE_ACCOUNT = 111111111111
CODE = "QZQXQZQX"
"""The letters inside of unique ids that stand for account 0; eight, so that every account's are as long."""
B32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
EPOCH = dt.datetime(2018, 1, 1, tzinfo=dt.UTC)
NOW = dt.datetime(2026, 10, 1, tzinfo=dt.UTC)


def iso(moment: dt.datetime) -> str:
    """A timestamp as AWS writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def uid(prefix: str, number: int) -> str:
    """A unique id of 21 characters: prefix, account code, number in base 32."""
    letters = ""
    for _ in range(9):
        number, digit = divmod(number, 32)
        letters = B32[digit] + letters
    return prefix + CODE + letters


def key_id(number: int) -> str:
    """An access key id of 20 characters."""
    long = uid("AKIA", number)
    return long[:12] + long[13:]
