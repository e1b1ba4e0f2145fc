"""Stores policy documents while a pull reads. Storing them early is harmless: a document may be
unreferenced.
"""

from __future__ import annotations

from iam.mirror.models import Document
from iam.mirror.pull import bulk
from iam.mirror.pull.transform.principals import document_digest


class PolicyDocuments:
    """Collects texts until `flush` stores the new ones; after that, only digests are kept."""

    def __init__(self) -> None:
        self._waiting: dict[str, str] = {}
        self._stored: set[str] = set()

    def intern(self, text: str) -> str:
        """Return the digest of a text, which the next flush stores."""
        digest = document_digest(text)
        if digest not in self._stored:
            self._waiting[digest] = text
        return digest

    def flush(self) -> None:
        """Store the collected texts that are not stored yet."""
        for chunk in bulk.chunks(self._waiting):
            stored = set(Document.objects.filter(digest__in=chunk).values_list("digest", flat=True))
            new = [(digest, self._waiting[digest]) for digest in chunk if digest not in stored]
            bulk.insert_missing(Document, columns=("digest", "text"), rows=new)
        self._stored.update(self._waiting)
        self._waiting.clear()
