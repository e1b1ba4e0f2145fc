"""The images of accounts, from which a process loads its index without building it from the
mirror's tables.
"""

from __future__ import annotations

from django.db import models

from iam.mirror.models.accounts import Account


class AccountImage(models.Model):
    """The image of an account made by `iam.policy.index.image`, at a revision. It is a cache: without it, the
    index is built from the tables.
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
