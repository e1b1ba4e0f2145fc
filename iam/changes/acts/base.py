"""What an act is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from iam.changes.acts.fields import Field, Given
from iam.changes.models import Change
from iam.changes.operations import Operation
from iam.guard import Viewer
from iam.mirror.models import Account, Entity, Kind

Subject = Entity | Account
ACCOUNT: Final = "account"
"""The kind of an act that is about an account as a whole, or makes something in it."""
ACCESS: Final = "Access"
SETTINGS: Final = "Settings"
MAKE: Final = "Create"
END: Final = "Remove"
PARTS: Final = (MAKE, ACCESS, SETTINGS, END)
"""The parts of the menu of acts, in their order."""
SEALED: Final = "sealed"
"""The name under which a form sends what is secret."""


class Sender(Protocol):
    """Asks for what comes with a secret. Raises RefusedError."""

    def __call__(
        self, subject: Subject, fields: Given, *, secret: str, actor: Viewer, reason: str, key: str
    ) -> Change: ...


@dataclass(frozen=True, slots=True)
class Act:
    """A button: its words, whom it is about, what it asks, and the operations that the answers come to, in
    order.

    `build` raises RefusedError for answers that come to nothing. `title` has a place for the name of the
    subject. `is_open` says whether it is offered for a subject; one that is not can still be asked for, and
    is refused in words. `part` is where in the menu it stands. `begin` tells what the form begins with for
    one of several things of the subject, by its name. Only what `is_plain` is offered to somebody who does
    not see the account whole, such as a team lead. `sealed_label` names a text that is given with the reason
    only and never shown again; then `send` asks for it.
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
    part: str = SETTINGS
    begin: Callable[[Subject, str], dict[str, str]] | None = None
    is_plain: bool = False
    sealed_label: str = ""
    send: Sender | None = None

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
