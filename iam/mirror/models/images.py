"""The images of accounts: what the index of a process is read from, so that it need not be made from the
tables of the mirror.
"""

from __future__ import annotations

from django.db import models

from iam.mirror.models.accounts import Account


class AccountImage(models.Model):
    """One account as `iam.policy.index.image` draws it, at a revision. Nothing depends on it: without it, an
    index is made from the tables.
    """

    account = models.OneToOneField(Account, on_delete=models.CASCADE, primary_key=True, related_name="image")
    revision = models.PositiveBigIntegerField(help_text="The revision of the account when it was drawn.")
    mark = models.CharField(
        max_length=32, help_text="A digest of the place in the organization, and of the code."
    )
    packed = models.BinaryField()
    drawn_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"image of {self.account_id} at {self.revision}"
