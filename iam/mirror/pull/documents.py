"""Interns policy documents while a pull reads: early, since a document that nothing refers to harms
nobody.
"""

from __future__ import annotations

from iam.mirror.models import Document
from iam.mirror.pull import bulk
from iam.mirror.pull.transform.principals import document_digest


class PolicyDocuments:
    """Texts wait here until `flush` stores those that are new; only digests are kept after that."""

    def __init__(self) -> None:
        self._waiting: dict[str, str] = {}
        self._stored: set[str] = set()

    def intern(self, text: str) -> str:
        """The digest of a text that will be stored with the next flush."""
        digest = document_digest(text)
        if digest not in self._stored:
            self._waiting[digest] = text
        return digest

    def flush(self) -> None:
        """Store what waits and is not stored yet."""
        for chunk in bulk.chunks(self._waiting):
            stored = set(Document.objects.filter(digest__in=chunk).values_list("digest", flat=True))
            new = [(digest, self._waiting[digest]) for digest in chunk if digest not in stored]
            bulk.insert_missing(Document, columns=("digest", "text"), rows=new)
        self._stored.update(self._waiting)
        self._waiting.clear()
