"""What operations on an identity provider share: it is known by its ARN, and roles that trust it let its
people in."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar, Final
from uuid import UUID

from iam.aws.records import OidcProviderRecord, SamlProviderRecord
from iam.aws.session import Aws
from iam.changes.operations.base import AccessEffect, AwsCall, Image, QuotaUse
from iam.changes.operations.identity import found_or_none
from iam.changes.operations.lifecycle import Create, Delete
from iam.changes.operations.subject import ABSENT, OnSubject, SubjectParams
from iam.changes.risks import TRUST_OPENED
from iam.mirror.models import EntityState, Kind, valid_at
from iam.mirror.pull.facts import FoundEntity
from iam.mirror.refresh import reread_listed

NAMED: Final = 5
"""So many roles a receipt names."""
Record = SamlProviderRecord | OidcProviderRecord


class OnProvider(OnSubject):
    """An operation on one provider. AWS gives providers no unique id, so that the ARN stands for it."""

    get: ClassVar[Callable[..., Record]]
    """Reads one by its ARN."""

    inputs: SubjectParams
    _seen: tuple[datetime, Record | None] | None = None

    @property
    def arn(self) -> str:
        """The provider's ARN."""
        return self.inputs.subject_arn

    @property
    def subject_id(self) -> str:
        """The ARN."""
        return self.arn

    def excludes(self, slug: str, params: Mapping[str, Any]) -> bool:
        """One change of a provider is open at a time."""
        return True

    def identity_error(self, aws: Aws) -> str:
        """What is observed tells whether it is the one that was approved."""
        return ""

    def observe(self, aws: Aws) -> Image:
        """One call."""
        at = datetime.now(tz=UTC)
        record_now = found_or_none(lambda: type(self).get(aws, arn=self.arn))
        self._seen = (at, record_now)
        return dict(ABSENT) if record_now is None else self.image_shown(record_now)

    def read_back(self, aws: Aws, *, cause_id: UUID | None) -> None:
        """The last observation is what goes into the mirror, so this costs no call after one."""
        if self._seen is None:
            self.observe(aws)
        assert self._seen is not None
        at, record = self._seen
        aws_entity = None if record is None else self.found_of(record)
        reread_listed(
            self.account,
            kind=self.subject_kind,
            name=self.inputs.name,
            aws_id=self.arn,
            aws_entity=aws_entity,
            at=at,
            cause_id=cause_id,
        )

    @abstractmethod
    def image_shown(self, record: Any) -> Image:
        """The image of what AWS shows."""

    @abstractmethod
    def found_of(self, record: Any) -> FoundEntity:
        """What the loader of the mirror takes."""

    def image_now(self, now: Any) -> Image:
        return self.image_shown(now)

    def trusting(self) -> list[str]:
        """The names of the roles whose trust policy names the provider."""
        states = EntityState.objects.filter(
            valid_at(None),
            account=self.account,
            kind=Kind.ROLE,
            document__text__contains=json.dumps(self.arn),
        )
        return list(states.order_by("sort_name").values_list("name", flat=True))

    def effect(self) -> AccessEffect:
        """Which roles it leads to."""
        roles = self.trusting()
        if not roles:
            return AccessEffect(notes=("No role trusts it, so no one can sign in with it.",))
        more = f" and {len(roles) - NAMED} more" if len(roles) > NAMED else ""
        who = "This role trusts it" if len(roles) == 1 else f"These {len(roles)} roles trust it"
        return AccessEffect(notes=(f"{who}: {', '.join(roles[:NAMED])}{more}. {self.consequence}",))

    @property
    def consequence(self) -> str:
        """What it means to the people who come in by the roles that trust it."""
        return "Anyone who signs in with the provider can assume them, as far as their trust policies allow."

    def risks(self) -> tuple[str, ...]:
        """Anyone who speaks for the provider may assume the roles that trust it."""
        return (TRUST_OPENED,) if self.trusting() else ()


class CreateProvider(OnProvider, Create):
    """Makes a provider, which no role need trust yet."""

    def handle_response(
        self, call: AwsCall, response: Mapping[str, Any], *, change_id: UUID
    ) -> dict[str, Any]:
        """The ARN is known beforehand, and stands for an id."""
        return {"ids": {self.arn: self.arn}}

    def quota(self) -> QuotaUse | None:
        """Providers of the kind: now, afterwards, and what AWS allows."""
        quota = super().quota()
        return quota and replace(quota, what=f"{self.noun}s afterwards")


class DeleteProvider(OnProvider, Delete):
    """Deletes a provider."""

    @property
    def consequence(self) -> str:
        return "No one can sign in with it any more. The trust policies don’t change."

    def risks(self) -> tuple[str, ...]:
        """Nobody is let in by it."""
        return ()

    def identity_error(self, aws: Aws) -> str:
        return ""
