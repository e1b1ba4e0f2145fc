"""Text that a spreadsheet may open: nothing in it is taken for a formula."""

from __future__ import annotations

import re
from typing import Final

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
# Where the system's language separates lists by semicolons, a spreadsheet ends the cell at each of them, and
# may skip blanks and quotes.
_BEGINS_A_CELL: Final = re.compile(r"(?:^|(?<=[;\t\r\n]))([\"\s]*)(?=[=+@\-\uff1d\uff0b\uff20\uff0d])")


def harmless(text: str) -> str:
    """The text with an apostrophe before what a spreadsheet would take for a formula, also behind a separator
    within the text.

    https://owasp.org/www-community/attacks/CSV_Injection
    """
    marked = _BEGINS_A_CELL.sub(r"\1'", text)
    return f"'{marked}" if marked.startswith(FORMULA) else marked
