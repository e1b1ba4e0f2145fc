"""Defines an act: one thing that can be requested."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from iam.changes.models import Change
from iam.changes.operations import Operation
from iam.guard import Viewer
from iam.mirror.models import Account, Entity, Kind

Subject = Entity | Account
Given = dict[str, Any]
"""Answers of a form by field name."""
ACCOUNT: Final = "account"
"""The kind of acts on an account as a whole, including those that create something in it."""
SEALED: Final = "sealed"
"""The field name of the secret among the answers."""


class SecretSender(Protocol):
    """Requests changes that come with a secret. Raises RefusedError."""

    def __call__(
        self, subject: Subject, fields: Given, *, secret: str, actor: Viewer, reason: str, key: str
    ) -> Change: ...


@dataclass(frozen=True, slots=True)
class Act:
    """What can be requested about an entity or account, and the operations for the answers, in order.

    `build` raises RefusedError for answers that change nothing. `is_open` tells if the act is possible for a
    subject; if not, a request is refused with a reason. Only `is_plain` acts are offered to people who don't
    see the whole account, such as team leads. `send` requests acts with a secret, which is entered with the
    reason and never shown again.
    """

    slug: str
    kinds: tuple[str, ...]
    build: Callable[[Subject, Given], Sequence[Operation]]
    is_open: Callable[[Subject], bool] = lambda subject: True
    is_plain: bool = False
    send: SecretSender | None = None

    def is_about(self, subject: Subject) -> bool:
        """True if the subject is of a kind that the act supports."""
        return (ACCOUNT if isinstance(subject, Account) else subject.kind) in self.kinds


HOLDERS: Final = (Kind.USER.value, Kind.GROUP.value, Kind.ROLE.value)


def entity(subject: Subject) -> Entity:
    """The subject as an entity."""
    assert isinstance(subject, Entity)
    return subject


def account(subject: Subject) -> Account:
    """The account of the subject, or the subject itself."""
    return subject.account if isinstance(subject, Entity) else subject
