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
        attributes = {name: value or "" for name, value in attrs}
        self.ids |= {attributes["id"]} if "id" in attributes else set()
        if tag == "a" and "href" in attributes:
            self.links.append(attributes["href"])
        if "hx-get" in attributes:
            self.links.append(attributes["hx-get"])
        if tag == "form":
            self._form = Form(attributes.get("action", ""), attributes.get("method", "get").lower())
            self.forms.append(self._form)
            if "id" in attributes:
                self._by_id[attributes["id"]] = self._form
        form = self._by_id.get(attributes["form"]) if "form" in attributes else self._form
        if form is None or "disabled" in attributes:
            return
        if tag == "input" and "name" in attributes:
            self._input(form, attributes)
        elif tag == "button" and attributes.get("type", "submit") == "submit":
            form.buttons.append((attributes.get("name", ""), attributes.get("value", "")))
        elif tag == "select":
            self._select = (attributes.get("name", ""), [], "multiple" in attributes)
        elif tag == "option" and self._select is not None:
            self._select[1].append((attributes.get("value", ""), "selected" in attributes))
        elif tag == "textarea":
            self._textarea, self._text = attributes.get("name", ""), ""

    def _input(self, form: Form, attributes: dict[str, str]) -> None:
        kind = attributes.get("type", "text")
        if kind == "submit":
            form.buttons.append((attributes["name"], attributes.get("value", "")))
        elif kind in ("checkbox", "radio"):
            if "checked" in attributes:
                form.fields.append((attributes["name"], attributes.get("value", "on")))
        elif kind != "file":
            form.fields.append((attributes["name"], attributes.get("value", "")))

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
