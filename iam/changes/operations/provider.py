"""Shared parts of operations on identity providers. A provider is identified by its ARN, and people who sign
in with it can assume the roles that trust it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from iam.aws.records import OidcProviderRecord, SamlProviderRecord
from iam.aws.session import Aws
from iam.changes.operations.base import AwsCall, Image
from iam.changes.operations.facts import EntityInMirror, facts_of
from iam.changes.operations.identity import found_or_none
from iam.changes.operations.lifecycle import Create, Delete
from iam.changes.operations.subject import OnListed
from iam.changes.risks import TRUST_OPENED
from iam.mirror.models import Entity, EntityState, Kind, valid_at
from iam.phrases import first_names

Record = SamlProviderRecord | OidcProviderRecord


class OnProvider(OnListed):
    """An operation on one provider. AWS assigns no unique ID to providers, so the ARN is used instead."""

    excluded = ("",)
    has_identity = False
    get: ClassVar[Callable[..., Record]]
    """Reads a provider by its ARN."""
    facts: ClassVar[tuple[str, ...]]
    """The facts of a provider's image, including those that the operation doesn't change."""

    @property
    def arn(self) -> str:
        return self.inputs.subject_arn

    @property
    def subject_id(self) -> str:
        return self.arn

    @property
    def listed_id(self) -> str:
        return self.arn

    def image_of(self, subject: Entity) -> Image:
        return {"exists": True, **facts_of(EntityInMirror(subject), self.facts)}

    def image_now(self, now: Record) -> Image:
        return {"exists": True, **facts_of(now, self.facts)}

    def read_from_aws(self, aws: Aws) -> Record | None:
        return found_or_none(lambda: type(self).get(aws, arn=self.arn))

    def trusting(self) -> list[str]:
        states = EntityState.objects.filter(
            valid_at(None),
            account=self.account,
            kind=Kind.ROLE,
            document__text__contains=json.dumps(self.arn),
        )
        return list(states.order_by("sort_name").values_list("name", flat=True))

    def notes(self) -> tuple[str, ...]:
        roles = self.trusting()
        if not roles:
            return ("No role trusts it, so no one can sign in with it.",)
        who = "This role trusts it" if len(roles) == 1 else f"These {len(roles)} roles trust it"
        return (f"{who}: {first_names(roles)}. {self.consequence}",)

    @property
    def consequence(self) -> str:
        """What the operation means for people who sign in with the roles that trust the provider."""
        return "Anyone who signs in with the provider can assume them, as far as their trust policies allow."

    def risks(self) -> tuple[str, ...]:
        """Anyone who controls the provider can assume the roles that trust it. A removal lets no one in."""
        return (TRUST_OPENED,) if self.spec.adds and self.trusting() else ()


class CreateProvider(OnProvider, Create):
    """Creates a provider. Roles may not trust it yet."""

    def handle_response(self, call: AwsCall, response: Mapping[str, Any]) -> dict[str, Any]:
        """Return the ARN, which is known beforehand, as the ID."""
        return {"ids": {self.arn: self.arn}}


class UpdateProvider(OnProvider):
    """Changes facts of a provider. Its other facts don't matter."""

    def satisfied(self, image: Image) -> bool:
        wanted = self.desired_state()
        return {fact: image.get(fact) for fact in wanted} == wanted

    def can_proceed(self, image: Image, *, before: Image) -> bool:
        return all(image.get(fact) == before[fact] for fact in self.spec.state)


class DeleteProvider(OnProvider, Delete):
    @property
    def consequence(self) -> str:
        return "No one can sign in with it any more. The trust policies don’t change."
