"""What an act is."""

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
"""Answers by their names."""
ACCOUNT: Final = "account"
"""The kind of an act that is about an account as a whole, or makes something in it."""
SEALED: Final = "sealed"
"""The name of what is secret among the answers."""


class SecretSender(Protocol):
    """Asks for what comes with a secret. Raises RefusedError."""

    def __call__(
        self, subject: Subject, fields: Given, *, secret: str, actor: Viewer, reason: str, key: str
    ) -> Change: ...


@dataclass(frozen=True, slots=True)
class Act:
    """What can be requested about something of an account, and the operations that the answers come to, in
    order.

    `build` raises RefusedError for answers that come to nothing. `is_open` says whether it is possible for a
    subject; one that is not can still be requested, and is refused in words. Only what `is_plain` is for
    somebody who does not see the account whole, such as a team lead. `send` requests what comes with a
    secret, which is given with the reason only and never shown again.
    """

    slug: str
    kinds: tuple[str, ...]
    build: Callable[[Subject, Given], Sequence[Operation]]
    is_open: Callable[[Subject], bool] = lambda subject: True
    is_plain: bool = False
    send: SecretSender | None = None

    def is_about(self, subject: Subject) -> bool:
        """Whether the subject is of one of its kinds."""
        return (ACCOUNT if isinstance(subject, Account) else subject.kind) in self.kinds


HOLDERS: Final = (Kind.USER.value, Kind.GROUP.value, Kind.ROLE.value)


def entity(subject: Subject) -> Entity:
    """The subject of an act on an entity."""
    assert isinstance(subject, Entity)
    return subject


def account(subject: Subject) -> Account:
    """The account of a subject, or itself."""
    return subject.account if isinstance(subject, Entity) else subject
