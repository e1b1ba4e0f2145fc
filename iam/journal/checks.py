"""The start-up check that the triggers which protect the journal are in place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error
from django.db import connections

from iam.journal import triggers

REMEDY = (
    "Someone, or a rebuild of the table, removed them. Find out who, verify the journal, then restore them "
    "with "
    "`manage.py verify_journal --restore-triggers`."
)
FOREIGN_REMEDY = (
    "Gatehouse did not make this, and it can hide or alter entries. Find out who did, drop it as the owner "
    "of the database, then run "
    "`manage.py verify_journal`."
)


class JournalUnprotectedError(Exception):
    """The process must not start because the journal's tables are missing or could be altered."""


def journal_is_append_only(*, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Django system check for the databases that a command uses. A database that isn't migrated
    yet passes.
    """
    messages: list[CheckMessage] = []
    for alias in databases or ():
        connection = connections[alias]
        if not triggers.tables_exist(connection):
            continue
        if intruders := triggers.foreign(connection):
            messages.append(Error(_foreign_sentence(intruders), hint=FOREIGN_REMEDY, id="journal.E002"))
        if absent := triggers.missing(connection):
            messages.append(
                Error(
                    f"The journal is not protected: {', '.join(absent)} missing or altered.",
                    hint=REMEDY,
                    id="journal.E001",
                )
            )
    return messages


def _foreign_sentence(intruders: Sequence[str]) -> str:
    return f"The journal is not protected: foreign objects on its tables ({', '.join(intruders)})."


def assert_protected(alias: str = "default") -> None:
    """Check the triggers when a web server or worker starts. Raises JournalUnprotectedError with a sentence
    for the operator.
    """
    connection = connections[alias]
    if not triggers.tables_exist(connection):
        raise JournalUnprotectedError("The tables of the journal are missing: run `manage.py migrate` first.")
    if absent := triggers.missing(connection):
        raise JournalUnprotectedError(
            f"The journal is not protected: {', '.join(absent)} missing or altered. {REMEDY}"
        )
    if intruders := triggers.foreign(connection):
        raise JournalUnprotectedError(f"{_foreign_sentence(intruders)} {FOREIGN_REMEDY}")
