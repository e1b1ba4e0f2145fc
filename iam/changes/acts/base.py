"""What an act is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from iam.changes.acts.fields import Field, Given
from iam.changes.operations import Operation
from iam.mirror.models import Account, Entity, Kind

Subject = Entity | Account
ACCOUNT: Final = "account"
"""The kind of an act that is about an account as a whole, or makes something in it."""


@dataclass(frozen=True, slots=True)
class Act:
    """A button: its words, whom it is about, what it asks, and the operations that the answers come to, in order.

    `build` raises RefusedError for answers that come to nothing. `title` has a place for the name of the subject. `is_open` says whether
    it is offered for a subject; one that is not can still be asked for, and is refused in words.
    """

    slug: str
    button: str
    title: str
    kinds: tuple[str, ...]
    build: Callable[[Subject, Given], Sequence[Operation]]
    fields: tuple[Field, ...] = ()
    is_danger: bool = False
    is_open: Callable[[Subject], bool] = lambda subject: True
    note: str = ""

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
