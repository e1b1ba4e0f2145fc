"""Text that one person types and another decides by: it must read as it is stored."""

from __future__ import annotations

from django.core.validators import RegexValidator

# https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters: what turns the order of the letters around it.
reads_as_stored = RegexValidator(
    "[\u202a-\u202e\u2066-\u2069]",
    "This contains an invisible character that reverses the order of letters. Type it again.",
    code="bidi",
    inverse_match=True,
)
