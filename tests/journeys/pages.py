"""What a page leads to: its links, the addresses that it loads, and its forms as a browser would send them.
Parsed, not drawn.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode

LOADS = ("hx-get", "hx-post")


@dataclass(slots=True)
class Form:
    """A form with the values that it has before anybody types. `buttons` are (name, value) of those that send
    it.
    """

    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)

    @property
    def key(self) -> tuple[str, ...]:
        """What makes it another form than the next one: the names of its fields."""
        return (self.method, *sorted({name for name, _ in self.fields}))

    def bodies(self) -> list[str]:
        """One body for each button that sends it."""
        buttons = list(dict.fromkeys(self.buttons)) or [("", "")]
        return [urlencode([*self.fields, *([(name, value)] if name else [])]) for name, value in buttons]


class PageParser(HTMLParser):
    """Collects what a page leads to. `ids` are the places on it that a link can lead to."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.forms: list[Form] = []
        self.ids: set[str] = set()
        self._by_id: dict[str, Form] = {}
        self._form: Form | None = None
        self._select: tuple[str, list[tuple[str, bool]], bool] | None = None
        self._textarea: str | None = None
        self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.ids |= {given["id"]} if "id" in given else set()
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if "hx-get" in given:
            self.links.append(given["hx-get"])
        if tag == "form":
            self._form = Form(given.get("action", ""), given.get("method", "get").lower())
            self.forms.append(self._form)
            if "id" in given:
                self._by_id[given["id"]] = self._form
        form = self._by_id.get(given["form"]) if "form" in given else self._form
        if form is None or "disabled" in given:
            return
        if tag == "input" and "name" in given:
            self._input(form, given)
        elif tag == "button" and given.get("type", "submit") == "submit":
            form.buttons.append((given.get("name", ""), given.get("value", "")))
        elif tag == "select":
            self._select = (given.get("name", ""), [], "multiple" in given)
        elif tag == "option" and self._select is not None:
            self._select[1].append((given.get("value", ""), "selected" in given))
        elif tag == "textarea":
            self._textarea, self._text = given.get("name", ""), ""

    def _input(self, form: Form, given: dict[str, str]) -> None:
        kind = given.get("type", "text")
        if kind == "submit":
            form.buttons.append((given["name"], given.get("value", "")))
        elif kind in ("checkbox", "radio"):
            if "checked" in given:
                form.fields.append((given["name"], given.get("value", "on")))
        elif kind != "file":
            form.fields.append((given["name"], given.get("value", "")))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_data(self, data: str) -> None:
        if self._textarea is not None:
            self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select" and self._select is not None:
            name, options, is_multiple = self._select
            chosen = [value for value, is_chosen in options if is_chosen]
            if not chosen and options and not is_multiple:
                chosen = [options[0][0]]
            if self._form is not None and name:
                self._form.fields += [(name, value) for value in chosen]
            self._select = None
        elif tag == "textarea" and self._textarea is not None:
            if self._form is not None and self._textarea:
                self._form.fields.append((self._textarea, self._text.strip("\n")))
            self._textarea = None


def parse(text: str) -> PageParser:
    """What a page leads to."""
    parser = PageParser()
    parser.feed(text)
    return parser
