"""A mail as HTML: one column, without images or external content, readable in light and dark mode and without
its styles.
"""

from __future__ import annotations

from typing import Final

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from iam.notify.links import opens_alone
from iam.notify.models import OutgoingMessage

FOOTER: Final = "The link opens the page after you sign in. Opening it doesn’t decide anything."
ALONE: Final = "The link opens without signing in. It is only for you: don’t share it."
CHOICES: Final = "Change your notification settings"
_STYLES: Final = mark_safe(
    """:root { color-scheme: light dark; supported-color-schemes: light dark }
body { margin: 0; padding: 24px 12px; background: #f8f7f4; color: #211d18; font: 15px/1.5 system-ui, sans-serif }
.sheet { max-width: 560px; margin: 0 auto; padding: 24px; background: #fffefe; border: 1px solid #dcd9d2; border-radius: 11px }
.from { margin: 0 0 16px; font-size: 13px; font-weight: 600; color: #4e4a43 }
h1 { margin: 0 0 12px; font-size: 18px; line-height: 1.35; overflow-wrap: anywhere }
p { margin: 0 0 12px; overflow-wrap: anywhere }
.open { display: inline-block; margin: 8px 0 20px; padding: 9px 16px; border-radius: 7px; background: #005b81; color: #fbfeff;
  font-weight: 600; text-decoration: none }
.foot { margin: 0; padding-top: 14px; border-top: 1px solid #dcd9d2; font-size: 13px; color: #4e4a43 }
.foot a { color: #005982 }
@media (prefers-color-scheme: dark) {
  body { background: #11100d; color: #eeede8 }
  .sheet { background: #191715; border-color: #38352f }
  .from, .foot { color: #c3c1bb; border-color: #38352f }
  .open { background: #6abcd9; color: #05161f }
  .foot a { color: #81d0e9 }
}"""  # noqa: E501
)
_PAGE: Final = (
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
    'content="width=device-width">'
    '<meta name="color-scheme" content="light dark"><title>{subject}</title><style>{styles}</style></head>\n'
    '<body><div class="sheet" role="article" aria-label="{subject}"><p '
    'class="from">Gatehouse</p><h1>{subject}</h1>\n'
    '<p>{hello}</p>\n{text}\n<p><a class="open" href="{link}">Open in Gatehouse</a></p>\n'
    '<p class="foot">{footer}</p></div></body></html>\n'
)


def html_of(message: OutgoingMessage, *, link: str, choices: str) -> SafeString:
    """Return the mail's text as HTML, with all input escaped. `choices` is empty for people who can’t sign
    in.
    """
    hello = f"Hello {message.name}," if message.name else "Hello,"
    return format_html(
        _PAGE,
        subject=message.subject,
        styles=_STYLES,
        hello=hello,
        text=_paragraphs(message.text),
        link=link,
        footer=_footer(message, choices),
    )


def _footer(message: OutgoingMessage, choices: str) -> SafeString:
    if not choices:
        return format_html("{}", footer_of(message))
    return format_html('{} <a href="{}">{}</a>.', footer_of(message), choices, CHOICES)


def footer_of(message: OutgoingMessage) -> str:
    """Return the note about the link."""
    return ALONE if opens_alone(message.path) else FOOTER


def _paragraphs(text: str) -> SafeString:
    paragraphs = (part.strip().splitlines() for part in text.split("\n\n") if part.strip())
    return format_html_join(
        "\n",
        "<p>{}</p>",
        ((format_html_join(_BREAK, "{}", ((line,) for line in paragraph)),) for paragraph in paragraphs),
    )


_BREAK: Final = mark_safe("<br>")
