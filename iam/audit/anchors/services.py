"""Writes the newest head of the chain to every place, and reads all anchors back."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import structlog

from iam.audit.anchors.models import AnchorWrite
from iam.audit.anchors.places import AnchorPlaceError, configured_places
from iam.journal.anchors import AnchorNote, ReadAnchors, sign_head
from iam.journal.signing_keys import NoSigningKeyError, signer

logger = structlog.get_logger(__name__)
KEPT: Final = 1_000
"""The number of attempts to keep."""


def write_anchors(*, now: datetime) -> int:
    """Write an anchor to each place that lacks the newest block. Returns how many were written.

    A failing place does not affect the others.
    """
    try:
        places, key = configured_places(), signer()
    except (AnchorPlaceError, NoSigningKeyError) as error:
        logger.error("journal.anchor_not_written", error=str(error))
        return 0
    head = sign_head(key)
    if head is None:
        return 0
    block, note = head
    written = 0
    for place in places:
        newest = AnchorWrite.objects.filter(place=place.name, error="").order_by("-id").first()
        if newest and newest.sequence >= block.sequence:
            continue
        why = ""
        try:
            place.write(block, note, now=now)
            written += 1
        except AnchorPlaceError as failure:
            why = str(failure)[:512]
            logger.error("journal.anchor_not_written", place=place.name, error=why)
        AnchorWrite.objects.create(place=place.name, sequence=block.sequence, at=now, error=why)
    old = AnchorWrite.objects.order_by("-id").values_list("pk", flat=True)[KEPT : KEPT + 1]
    AnchorWrite.objects.filter(pk__lte=max(old, default=0)).delete()
    return written


def read_anchors() -> ReadAnchors:
    """The notes of all readable places, and why others can't be read."""
    notes: list[AnchorNote] = []
    problems: list[str] = []
    try:
        places = configured_places()
    except AnchorPlaceError as error:
        return ReadAnchors(problems=(str(error),))
    for place in places:
        try:
            notes += place.read()
        except AnchorPlaceError as error:
            # The folder exists once the first anchor is written.
            if AnchorWrite.objects.filter(place=place.name, error="").exists():
                problems.append(str(error))
    return ReadAnchors(tuple(notes), tuple(problems))


def newest_writes() -> list[AnchorWrite]:
    """The last attempt at each configured place."""
    try:
        names = [place.name for place in configured_places()]
    except AnchorPlaceError:
        return []
    newest = [AnchorWrite.objects.filter(place=name).order_by("-id").first() for name in names]
    return [write for write in newest if write is not None]
