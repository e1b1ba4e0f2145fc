"""The tables of the journal: entries, and the blocks of the hash chain that hold them. Except for
verifications, rows are never altered.
"""

from __future__ import annotations

import json
from typing import Any

from django.db import models


class Entry(models.Model):
    """An action by a person or by Gatehouse. The actor's name is copied, so that the record outlives the
    person.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    kind = models.CharField(max_length=64)
    actor_id = models.UUIDField(null=True)
    actor_label = models.CharField(max_length=128)
    actor_email = models.CharField(max_length=254, blank=True)
    subject = models.CharField(max_length=2048, blank=True)
    account_id = models.CharField(max_length=12, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    ip = models.CharField(max_length=45, blank=True)
    # Text, not a JSON column: PostgreSQL would rewrite numbers and key order, and the hash covers these very
    # bytes.
    data_json = models.TextField(default="{}")

    class Meta:
        verbose_name_plural = "entries"
        indexes = [
            models.Index(fields=["at"], name="entry_at"),
            models.Index(fields=["kind", "-id"], name="entry_by_kind"),
            models.Index(fields=["actor_id", "-id"], name="entry_by_actor"),
            models.Index(fields=["account_id", "-id"], name="entry_by_account"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} by {self.actor_label}"

    @property
    def data(self) -> dict[str, Any]:
        """The entry's data besides its columns, parsed from JSON."""
        loaded: dict[str, Any] = json.loads(self.data_json)
        return loaded


class JournalBlock(models.Model):
    """A block of the chain. Its hash covers the previous hash and every entry in the block. An empty block
    attests that nothing was written.

    The primary key decides between two chainers that make a block with the same number: the database accepts
    one.
    """

    sequence = models.BigIntegerField(primary_key=True)
    previous = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    count = models.PositiveIntegerField()
    total = models.BigIntegerField(help_text="Entries in this block and all before it.")
    highest = models.BigIntegerField(help_text="The highest entry id in this block and all before it.")

    class Meta:
        db_table = "journal_block"
        indexes = [models.Index(fields=["made_at"], name="block_made_at")]

    def __str__(self) -> str:
        return f"block {self.sequence}"


class JournalVerification(models.Model):
    """A recomputation of the whole chain, with the times at which it was requested, began and ended. This is
    the only table here that is not append-only.
    """

    asked_at = models.DateTimeField()
    began_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    holds = models.BooleanField(null=True)
    sequence = models.BigIntegerField(default=0, help_text="The last block that holds.")
    entries = models.BigIntegerField(default=0)
    sentence = models.CharField(max_length=1024, blank=True, help_text="The first broken place.")
    anchors = models.PositiveIntegerField(null=True, help_text="Anchors it was checked against.")
    anchor_problem = models.CharField(
        max_length=1024,
        blank=True,
        help_text="The first anchor or place that can’t be verified.",
    )
    records = models.PositiveIntegerField(
        null=True,
        help_text="Frozen records, such as signed-off reviews, compared with the journal.",
    )
    record_problem = models.CharField(
        max_length=1024, blank=True, help_text="The first record that isn’t as the journal says."
    )
    record_problems = models.PositiveIntegerField(default=0)
    warnings = models.PositiveIntegerField(
        default=0, help_text="Dating problems that nobody has acknowledged."
    )
    warning = models.CharField(max_length=1024, blank=True, help_text="The first of them.")

    class Meta:
        db_table = "journal_verification"
        indexes = [models.Index(fields=["-id"], name="verification_newest")]

    def __str__(self) -> str:
        return f"verification {self.pk}: {self.holds}"

    @property
    def more_record_problems(self) -> int:
        """The number of record problems besides the first."""
        return max(0, self.record_problems - 1)

    @property
    def seconds(self) -> float:
        """The duration of the verification in seconds; 0 until it ends."""
        if not (self.began_at and self.ended_at):
            return 0.0
        return (self.ended_at - self.began_at).total_seconds()


class JournalLink(models.Model):
    """The position of an entry in the chain, and its hash. Each entry is listed because ids become visible
    out of order.
    """

    # No constraint: position and hash stay when retention removes the entry.
    entry = models.OneToOneField(
        Entry, on_delete=models.DO_NOTHING, primary_key=True, related_name="link", db_constraint=False
    )
    block = models.ForeignKey(JournalBlock, on_delete=models.DO_NOTHING, related_name="links")
    position = models.PositiveIntegerField()
    hash = models.CharField(max_length=64)

    class Meta:
        db_table = "journal_link"

    def __str__(self) -> str:
        return f"entry {self.entry_id} in block {self.block_id}"


class JournalCut(models.Model):
    """A record of the entries that retention has removed. Only `note` is authoritative, a signed note that
    contains the columns up to `digest`. The newest row also covers everything removed before.
    """

    block = models.BigIntegerField(help_text="Entries in later blocks are all there.")
    block_hash = models.CharField(max_length=64)
    removed = models.BigIntegerField(help_text="Entries that are gone, with those of earlier removals.")
    digest = models.CharField(max_length=64, help_text="SHA-256 over their numbers and hashes, in order.")
    note = models.TextField()
    before = models.DateTimeField(help_text="Entries that are older were removed, but for some kinds.")
    at = models.DateTimeField()
    count = models.BigIntegerField(help_text="Entries of this removal alone.")
    export = models.CharField(max_length=1024, help_text="The file with what was removed.")
    export_sha256 = models.CharField(max_length=64)

    class Meta:
        db_table = "journal_cut"

    def __str__(self) -> str:
        return f"cut at block {self.block}"
