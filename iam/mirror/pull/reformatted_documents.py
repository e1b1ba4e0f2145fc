"""Recognizes documents that are formatted differently but have the same content, which is no change.

The AWS CLI prints documents as JSON, so an export has lost their original formatting. A sync after an upload,
or an upload after a sync, has each document in another format.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import chain
from typing import Any

from iam.mirror.models import Document
from iam.mirror.pull import bulk

Pair = tuple[str, str]


def _ordered(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object that keeps the order of its keys, and duplicate keys."""
    return {"pairs": [[name, value] for name, value in pairs]}


def content_of(text: str) -> str:
    """The document without differences in white space and escapes; a text that isn't JSON stays unchanged."""
    try:
        return json.dumps(json.loads(text, object_pairs_hook=_ordered))
    except (ValueError, RecursionError):
        return text


def say_the_same(pairs: Iterable[Pair]) -> set[Pair]:
    """Those pairs of document digests whose documents have the same content. One query per 500 documents."""
    wanted = set(pairs)
    texts: dict[str, str] = {}
    for chunk in bulk.chunks(set(chain.from_iterable(wanted))):
        texts |= dict(Document.objects.filter(digest__in=chunk).values_list("digest", "text"))
    return {
        (old, new)
        for old, new in wanted
        if old in texts and new in texts and content_of(texts[old]) == content_of(texts[new])
    }
