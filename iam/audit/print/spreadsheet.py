"""Protects text against formula injection in spreadsheets."""

from __future__ import annotations

import re
from typing import Final

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
# In locales that separate lists by semicolons, a spreadsheet ends the cell at each of them, and it may skip
# blanks and quotes.
_BEGINS_A_CELL: Final = re.compile(r"(?:^|(?<=[;\t\r\n]))([\"\s]*)(?=[=+@\-\uff1d\uff0b\uff20\uff0d])")


def harmless(text: str) -> str:
    """The text with an apostrophe before anything a spreadsheet would read as a formula, also after
    separators in it.

    https://owasp.org/www-community/attacks/CSV_Injection
    """
    marked = _BEGINS_A_CELL.sub(r"\1'", text)
    return f"'{marked}" if marked.startswith(FORMULA) else marked
