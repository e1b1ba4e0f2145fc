"""Derives user names from people's names, with a number if the name is taken.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-names
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from typing import Final

RULES: Final = {
    "first.last": "first.last, such as maya.okafor",
    "flast": "First letter and last name, such as mokafor",
    "last.first": "last.first, such as okafor.maya",
    "email": "The part of the email address before the @",
}
USER_NAME: Final = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
MAX_LENGTH: Final = 64
_SPELLED: Final = str.maketrans(
    {
        "ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "ø": "o", "å": "a",
        "ł": "l", "đ": "d", "ð": "d", "þ": "th", "œ": "oe", "ı": "i",
    }
)  # fmt: skip

_SUFFIXES = frozenset({"jr", "sr", "ii", "iii", "iv", "phd", "md"})
"""Suffixes that follow a comma in a name and aren't first names."""


def user_name(name: str, *, email: str, rule: str) -> str:
    """Return the user name by the rule, in letters that AWS accepts. It is empty if none are left, such as
    for a name in another script.
    """
    if rule == "email":
        return _plain(email.partition("@")[0])[:MAX_LENGTH]
    last, comma, first = name.partition(",")
    if comma and first.strip() and first.strip().rstrip(".").lower() not in _SUFFIXES:
        name = f"{first} {last}"
    words = [word for word in map(_plain, name.split()) if word]
    if not words:
        return ""
    first, last = words[0], words[-1]
    if len(words) == 1:
        return first[:MAX_LENGTH]
    made = {"flast": first[0] + last, "last.first": f"{last}.{first}"}.get(rule, f"{first}.{last}")
    return made[:MAX_LENGTH]


def free_name(wanted: str, *, taken: Collection[str]) -> str:
    """Return the name, with the lowest free number from 2 if it is taken. `taken` has names in lower case,
    since AWS ignores case.
    """
    if wanted.lower() not in taken:
        return wanted
    number = 2
    while (free := f"{wanted[: MAX_LENGTH - len(str(number))]}{number}").lower() in taken:
        number += 1
    return free


def _plain(text: str) -> str:
    spelled = unicodedata.normalize("NFC", text).casefold().translate(_SPELLED)
    letters = unicodedata.normalize("NFKD", spelled)
    return re.sub(r"[^a-z0-9._-]", "", letters).strip("._-")
