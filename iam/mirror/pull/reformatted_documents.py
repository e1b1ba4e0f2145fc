"""Documents that are written differently but say the same: no change of the account's.

An export has lost the wording of its documents, since the AWS CLI prints them as JSON. A sync after an
upload, or an upload after a sync, brings each of them in another wording.
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
    """An object with the order of its keys, and with those that are there twice."""
    return {"pairs": [[name, value] for name, value in pairs]}


def content_of(text: str) -> str:
    """A document without its white space and escapes; one that isn't JSON says what its text is."""
    try:
        return json.dumps(json.loads(text, object_pairs_hook=_ordered))
    except (ValueError, RecursionError):
        return text


def say_the_same(pairs: Iterable[Pair]) -> set[Pair]:
    """Those pairs of document digests whose documents say the same. One query for each 500 documents."""
    wanted = set(pairs)
    texts: dict[str, str] = {}
    for chunk in bulk.chunks(set(chain.from_iterable(wanted))):
        texts |= dict(Document.objects.filter(digest__in=chunk).values_list("digest", "text"))
    return {
        (old, new)
        for old, new in wanted
        if old in texts and new in texts and content_of(texts[old]) == content_of(texts[new])
    }
