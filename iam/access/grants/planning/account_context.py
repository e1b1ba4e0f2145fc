"""The account that a part of a grant is planned for, and the permissions given there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final

from iam.access.grants.documents import timed, written
from iam.access.grants.terms import GrantTerms, TermsError, WhatKind
from iam.access.templates.body import TemplateError
from iam.access.templates.queries import document_for
from iam.changes.errors import RefusedError
from iam.guard import Viewer
from iam.mirror.models import Account, Entity, Kind, PolicyVersion, valid_at

PATH: Final = "/gatehouse/"
"""The IAM path of everything that grants create."""
DESCRIPTION: Final = "Made by Gatehouse for a grant of access"


@dataclass(frozen=True)
class GrantSite:
    """One account of a grant, with what planning needs to know.

    `mark` makes the names of created resources unique, `title` describes them; `end` is the end date (None:
    permanent).
    """

    account: Account
    terms: GrantTerms
    viewer: Viewer
    mark: str
    title: str
    end: datetime | None

    @property
    def number(self) -> str:
        """The account ID."""
        return self.account.account_id

    @cached_property
    def is_whole(self) -> bool:
        """True if the viewer can request changes to the whole account, and so to resources that are created
        in it.
        """
        return self.viewer.asks.sees_account(self.number)

    @cached_property
    def documents(self) -> tuple[str, ...]:
        """The given permissions as policy documents without an end date. Raises TermsError."""
        what = self.terms.what
        if what.kind is WhatKind.STATEMENTS:
            return what.documents
        if what.kind is WhatKind.TEMPLATE:
            try:
                body = document_for(
                    what.template,
                    version=what.version,
                    parameters=what.parameters,
                    account_id=self.number,
                    partition=self.account.partition,
                )
            except TemplateError as error:
                raise TermsError(str(error), part="what") from None
            return (written(body),)
        return (self.policy_text,) if self.policy_text else ()

    @cached_property
    def documents_until(self) -> tuple[str, ...]:
        """The given permissions as policy documents, with the end date in each. Raises TermsError."""
        if self.end is None:
            return self.documents
        try:
            return tuple(timed(text, end=self.end) for text in self.documents)
        except ValueError as error:
            raise TermsError(str(error), part="what") from None

    def local_arn(self, arn: str) -> str:
        """The ARN with the same path and name in this account and its partition."""
        parts = arn.split(":", 5)
        owner = "aws" if parts[4] == "aws" else self.number
        return ":".join([parts[0], self.account.partition, *parts[2:4], owner, parts[5]])

    def current_entity(self, kind: Kind, arn: str) -> Entity | None:
        """The existing entity with the same path and name in this account, or None."""
        entities = Entity.objects.filter(
            account=self.account, kind=kind, arn=self.local_arn(arn), gone_at__isnull=True
        )
        return entities.select_related("account").first()

    def required_entity(self, kind: Kind, arn: str) -> Entity:
        """The existing entity with the same path and name in this account. Raises RefusedError if there is
        none.
        """
        entity = self.current_entity(kind, arn)
        if entity is None:
            raise RefusedError(
                f"The account has no {kind.label.lower().removeprefix('iam ')} {arn.rpartition('/')[2]}."
            )
        return entity

    @cached_property
    def policy_arn(self) -> str:
        """The ARN of the given managed policy in this account."""
        return self.local_arn(self.terms.what.policy_arn)

    @cached_property
    def policy_text(self) -> str:
        """The default version of the given managed policy; "" if unknown.

        For an AWS managed policy, any account's copy counts.
        """
        rows = PolicyVersion.objects.filter(valid_at(None), is_default=True, policy__arn=self.policy_arn)
        policy_text = rows.order_by("-observed_at").values_list("document__text", flat=True).first()
        return policy_text or ""
