"""Renders policy documents as text: highlighted, numbered, marked, and two versions side by side."""

from __future__ import annotations

import contextlib
import difflib
import json
import re
from functools import lru_cache
from itertools import zip_longest

from django import template
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

TOKENS = re.compile(
    r'(?P<key>"(?:[^"\\]|\\.)*"(?=\s*:))|(?P<str>"(?:[^"\\]|\\.)*")|(?P<num>\b(?:true|false|null|\d+)\b)|(?P<pun>[{}\[\],:]+)'
)
ACTION = re.compile(r'"[a-z0-9-]+:[A-Za-z*?0-9]+"')


def pretty(text: str) -> str:
    """Return the document indented by two; text that isn’t JSON stays as AWS returned it.

    Invisible characters are written as JSON escapes.
    """
    with contextlib.suppress(ValueError, RecursionError):
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    return "".join(map(_seen, text)) if any(not line.isprintable() for line in text.split("\n")) else text


def _seen(letter: str) -> str:
    return letter if letter.isprintable() or letter in "\n\t" else json.dumps(letter)[1:-1]


@lru_cache(maxsize=8192)
def _tokens(line: str) -> SafeString:
    """Highlight a line; cached because policies have hundreds of lines that mostly recur."""
    out, at = [], 0
    for match in TOKENS.finditer(line):
        out.append(escape(line[at : match.start()]))
        at, kind, text = match.end(), match.lastgroup, match.group()
        if kind == "str":
            kind = {'"Allow"': "allow", '"Deny"': "deny"}.get(text) or (
                "act" if ACTION.fullmatch(text) else "str"
            )
        out.append(format_html('<i class="t-{}">{}</i>', kind, text))
    out.append(escape(line[at:]))
    return mark_safe("".join(out))  # noqa: S308 - every part is escaped above


@register.simple_tag
def policydoc(
    text: str, marks: str = "", start: int = 1, label: str = "Policy document", hit: str = "", id: str = ""
) -> SafeString:
    """Render a document with line numbers.

    `marks`, such as '12:bad 15:warn', add lint marks to lines; `hit`, such as '9-14', highlights a statement.
    """
    tone = dict(m.split(":") for m in marks.split())
    first, last = (int(x) for x in hit.split("-")) if hit else (0, -1)
    rows = []
    for number, line in enumerate(pretty(text).strip("\n").split("\n"), start):
        names = " ".join(
            c for c in ("mark" if str(number) in tone else "", "lit" if first <= number <= last else "") if c
        )
        css = format_html(' class="{}"', names) if names else ""
        data = format_html(' data-tone="{}"', tone[str(number)]) if str(number) in tone else ""
        rows.append(f'<span data-n="{number}"{css}{data}>{_tokens(line)}</span>')
    body = mark_safe("".join(rows))  # noqa: S308 - a number, and parts that are escaped above
    ident = format_html(' id="{}"', id) if id else ""
    return format_html(
        '<pre class="code"{} role="group" tabindex="0" aria-label="{}">{}</pre>', ident, label, body
    )


def _cell(side: str, lines: list[str], index: int | None, sign: str) -> SafeString:
    if index is None:
        return format_html('<code class="{} void" aria-hidden="true"></code>', side)
    spoken = format_html('<span class="sr">{}: </span>', sign) if sign else ""
    tokens = _tokens(lines[index])
    return format_html('<code class="{}" data-n="{}">{}{}</code>', side, index + 1, spoken, tokens)


@register.simple_tag
def sidediff(old: str, new: str) -> SafeString:
    """Render two versions side by side; in a narrow container they become a unified diff."""
    old_lines = pretty(old).strip("\n").split("\n")
    new_lines = pretty(new).strip("\n").split("\n")
    matcher = difflib.SequenceMatcher(None, old_lines, new_lines, autojunk=False)
    rows = []
    for change, old_begin, old_end, new_begin, new_end in matcher.get_opcodes():
        removed = "" if change == "equal" else "Removed"
        added = "" if change == "equal" else "Added"
        numbers = zip_longest(range(old_begin, old_end), range(new_begin, new_end))
        for old_number, new_number in numbers:
            left = _cell("old", old_lines, old_number, removed)
            right = _cell("new", new_lines, new_number, added)
            rows.append(format_html('<li class="{}">{}{}</li>', change, left, right))
    return format_html('<ol class="sidediff">{}</ol>', mark_safe("".join(rows)))  # noqa: S308 - escaped above
