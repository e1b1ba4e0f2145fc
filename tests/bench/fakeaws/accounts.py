"""How one account's answers become another's, and which account a request's key belongs to."""

from __future__ import annotations

import re

from tests.bench.fakeaws.ids import B32, BASE_ACCOUNT, CODE

_KEY = re.compile(rb"Credential=A[KS]IA([A-J]{12})(?:ROLE|USER)/")


def account_id(number: int) -> str:
    """The twelve digits of an account by its number from 0 on."""
    return str(BASE_ACCOUNT + number)


def key_of(number: int, *, prefix: str = "AKIA", suffix: str = "USER") -> str:
    """An access key id whose requests are answered for that account."""
    return prefix + "".join(B32[int(digit)] for digit in account_id(number)) + suffix


def number_of(authorization: bytes, *, count: int) -> int:
    """The number of the account that a request is signed for; 0 for any other key."""
    match = _KEY.search(authorization)
    if not match:
        return 0
    number = int("".join(str(B32.index(chr(letter))) for letter in match[1])) - BASE_ACCOUNT
    return number if 0 <= number < count else 0


def localise(body: bytes, number: int) -> bytes:
    """The same bytes for another account: its id, and its letters inside of unique ids."""
    if number == 0:
        return body
    code, rest = "", number
    for _ in range(8):
        rest, digit = divmod(rest, 26)
        code = chr(65 + digit) + code
    return body.replace(b"%d" % BASE_ACCOUNT, account_id(number).encode()).replace(
        CODE.encode(), code.encode()
    )
