"""Forms of acts, as a browser sends them."""

from __future__ import annotations

import html
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from console.changes.act_text import address_of
from iam.changes.acts import Subject
from tests.iam.changes.operations.key_pairs import private_key
from tests.iam.changes.site import Site

SEEN = re.compile(r'name="seen" value="([^"]*)"')


@dataclass
class Asking:
    """One person's form of one act."""

    client: Client
    page: str
    key: str

    def look(self, answers: dict[str, str]) -> Any:
        """Have it previewed."""
        return self.client.post(self.page, {**answers, "look": "1", "reason": "Why <not>", "key": self.key})

    def ask(self, answers: dict[str, str], *, seen: str, reason: str = "On call") -> Any:
        """Ask, having seen that."""
        return self.client.post(self.page, {**answers, "reason": reason, "key": self.key, "seen": seen})


def asking(site: Site, slug: str, subject: Subject, *, client: Client | None = None) -> Asking:
    """A form of the administrator, or of another."""
    return Asking(client or site.asker, address_of(slug, subject), str(uuid.uuid4()))


def text(answer: Any) -> str:
    """What the browser is told, without entities."""
    return html.unescape(answer.content.decode())


def seen_in(answer: Any) -> str:
    """What the preview would have one agree to."""
    match = SEEN.search(answer.content.decode())
    assert match, text(answer)[:3000]
    return match.group(1)


@pytest.fixture
def sealed_answers() -> Callable[[str], dict[str, str]]:
    """What is sent with the reason only."""
    return lambda slug: {"sealed": private_key(1)} if slug == "upload-certificate" else {}
