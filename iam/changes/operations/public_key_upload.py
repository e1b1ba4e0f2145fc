"""What operations share that upload the public half of a key pair for a user: a public text, of which AWS
makes a credential with an id."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from iam.aws.session import Aws
from iam.changes.operations.base import Image, Operation, QuotaUse
from iam.changes.operations.credential_status import deletion
from iam.changes.operations.quotas import quota_of
from iam.changes.operations.user_credential import (
    OfSort,
    UserParams,
    names_of,
    owned,
)
from iam.mirror.models import Entity
from iam.mirror.refresh.credentials import ReadCredentials


@dataclass(frozen=True, slots=True)
class TextUploadParams(UserParams):
    """The text, and the ids of the credentials of the kind that are there already, with blanks between."""

    BLANK: ClassVar[frozenset[str]] = UserParams.BLANK | {"known"}

    body: str
    known: str


class TextUpload(OfSort):
    """Uploads a text. It is sent once: what AWS shows of a new credential tells whether it is this text."""

    params_type = TextUploadParams
    per_user: ClassVar[int]
    quota_name: ClassVar[str]
    """In the account summary; blank where AWS does not tell it there."""

    inputs: TextUploadParams

    @classmethod
    def of(cls, user: Entity, *, body: str) -> Self:
        """The operation for a user of the mirror."""
        known = " ".join(sorted(owned(user, cls.spec.sort.kind)))
        # Browsers send lines with two characters at their end.
        params = TextUploadParams(**names_of(user), body=body.replace("\r\n", "\n").strip(), known=known)
        return cls(user.account, params)

    def desired_state(self) -> Image:
        """AWS assigns the id."""
        return {"ids": self.inputs.known.split(), "more": 1, "is_there": True}

    def satisfied(self, image: Image) -> bool:
        return bool(image["is_there"])

    def can_proceed(self, image: Image, *, before: Image) -> bool:
        return bool(image["ids"] == before["ids"])

    def image_of(self, user: Entity) -> Image:
        """The mirror keeps no such texts, so one more credential than at the planning counts as this."""
        ids = sorted(owned(user, self.kind))
        return {"ids": ids, "is_there": bool(self._new(ids))}

    def observe(self, aws: Aws) -> Image:
        """One call, and at most one for each credential that is new since the planning."""
        image = super().observe(aws)
        image["is_there"] = any(self.is_this(aws, credential_id) for credential_id in self._new(image["ids"]))
        return image

    def image_now(self, read: ReadCredentials) -> Image:
        return {"ids": sorted(getattr(record, self.spec.sort.id_field) for record in read.records)}

    @abstractmethod
    def is_this(self, aws: Aws, credential_id: str) -> bool:
        """Whether a credential is of this text. Raises AwsError."""

    def _new(self, ids: list[str]) -> list[str]:
        return [credential_id for credential_id in ids if credential_id not in self.inputs.known.split()]

    def initial_state(self) -> Image:
        """Nobody has any from birth."""
        return {"ids": [], "is_there": False}

    def excludes(self, slug: str, params: Mapping[str, Any]) -> bool:
        """Each is planned on the credentials that are there, so only one can be open at a time."""
        return slug == self.slug

    def quota(self) -> QuotaUse | None:
        """Credentials of the kind, active or not."""
        user = self.subject()
        if user is None:
            return None
        used = len(owned(user, self.kind))
        limit = quota_of(self.account, self.quota_name, default=self.per_user)
        refusal = f"{user.name} has {used} of them, and AWS allows {limit}. Delete an unused one first."
        return QuotaUse(
            f"{self.spec.sort.noun} count afterwards",
            used=used,
            after=used + 1,
            limit=limit,
            refusal=refusal,
        )

    def inverse(self, before: Image) -> Operation | None:
        """The one that came is deleted."""
        user = self.subject()
        new = self._new(sorted(owned(user, self.kind))) if user else []
        if len(new) != 1:
            return None
        return deletion(self, credential_id=new[0])
