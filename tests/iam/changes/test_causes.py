"""Each kind of cause says in one place what is special about its sets."""

from __future__ import annotations

import pytest

from iam.changes.causes import KINDS, NOTHING_SPECIAL, CauseKind, kind_of, register
from iam.changes.models import OF_GRANT, OF_OFFBOARDING, ChangeSet


def test_a_kind_is_registered_once() -> None:
    before = dict(KINDS)
    with pytest.raises(ValueError, match="registered already"):
        register(OF_GRANT, CauseKind())
    assert before == KINDS


def test_each_set_finds_what_its_cause_says() -> None:
    assert kind_of(ChangeSet(cause_kind=OF_GRANT)).ends is not None
    assert kind_of(ChangeSet(cause_kind=OF_OFFBOARDING)).reach is not None
    assert kind_of(ChangeSet()) is NOTHING_SPECIAL
