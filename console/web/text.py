"""Text that one person types and another decides by: it must read as it is stored."""

from __future__ import annotations

from django.core.validators import RegexValidator

# https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters: what turns the order of the letters around it.
reads_as_stored = RegexValidator(
    "[\u202a-\u202e\u2066-\u2069]",
    "This has an invisible character that turns the order of letters around. Type it anew.",
    code="bidi",
    inverse_match=True,
)
