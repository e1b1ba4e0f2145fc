"""Template loader that removes indentation once: templates are laid out for readers, pages for the network.

White space next to a block element is invisible and is removed; any other run with a line break becomes one
space, as a browser shows it. `<pre>`, `<textarea>`, scripts and template tags keep their layout.
"""

from __future__ import annotations

import re
from typing import Final

from django.template import Origin
from django.template.loaders.filesystem import Loader as FilesystemLoader

_BLOCK: Final = (
    "html|head|body|div|section|header|footer|main|nav|aside|article|p|h[1-6]|ul|ol|li|dl|dt|dd|table|thead|tbody|tfoot|tr|td|th"
    "|caption|colgroup|col|form|fieldset|legend|details|summary|blockquote|figure|figcaption|hr|option|optgroup|meta|link|script"
    "|title|select|datalist"
)
_KEPT: Final = re.compile(
    r"(<(pre|textarea|script)\b.*?</\2\s*>|{%\s*(comment|verbatim)\b.*?{%\s*end\3\s*%}|{%.*?%}|{{.*?}}|{#.*?#})",
    re.DOTALL | re.IGNORECASE,
)
_AROUND_BLOCK: Final = re.compile(rf"\s*\n\s*(?=</?(?:{_BLOCK})\b|<!doctype)", re.IGNORECASE)
_AFTER_BLOCK: Final = re.compile(
    rf"(</?(?:{_BLOCK})(?=[\s>])(?:[^<>\"']|\"[^\"]*\"|'[^']*')*>)\s*\n\s*", re.IGNORECASE
)
_RUN: Final = re.compile(r"\s*\n\s*")
_MARK: Final = "\x00{}\x00"
_MARKED: Final = re.compile("\x00(\\d+)\x00")


def compact(source: str) -> str:
    """Return the template without indentation; browsers display the result in the same way."""
    kept: list[str] = []

    def keep(match: re.Match[str]) -> str:
        kept.append(match.group(0))
        return _MARK.format(len(kept) - 1)

    text = _KEPT.sub(keep, source)
    text = _AROUND_BLOCK.sub("", text)
    text = _AFTER_BLOCK.sub(r"\1", text)
    text = _RUN.sub(" ", text)
    return _MARKED.sub(lambda match: kept[int(match.group(1))], text.strip())


class CompactLoader(FilesystemLoader):
    """Finds templates in the same folders as Django's loader and compacts them."""

    def get_contents(self, origin: Origin) -> str:
        """Return the compacted source of a template."""
        return compact(super().get_contents(origin))
