"""Messages for a person who enrolls a device: what was wrong with the codes, and what to do next."""

from __future__ import annotations

from typing import Final

from iam.changes.errors import FieldChecks
from iam.people.enrolment.totp import STEP, CodeReading

TOLERATED: Final = 3 * STEP
"""Tolerated clock drift in seconds: people take time to type, and AWS looks some steps back."""
NOT_SIX: Final = "A code has 6 digits. Enter both codes as the app shows them."
TWICE: Final = "You entered the same code twice. Wait up to 30 seconds for the next code and enter it."
SWAPPED: Final = (
    "These codes are in the wrong order. Wait for the next two codes and enter them in the order in which "
    "they appear."
)
NOT_IN_A_ROW: Final = (
    "Both codes are right, but they don’t follow each other. Enter one, wait until it changes, and enter "
    "the next one."
)
WRONG: Final = (
    "These codes aren’t from this device. Check that the app shows them for the entry that you just added."
)
LOCKED: Final = "Too many wrong codes. This enrollment ended and its device was deleted. Start again."
LOCKED_LINK: Final = (
    "Too many wrong codes. This enrollment ended, its device is deleted, and your link no longer works."
)
SEED_EXPIRED: Final = (
    "The 15 minutes are over, so the code was deleted. Start again: your app needs to scan the new one."
)
BESIDE: Final = (
    "This link can only add a first MFA device, and {user} already has one. Sign in to Gatehouse to add "
    "another one. "
    "If you lost your device, tell the person who sent you the link. A second person confirms that it is you."
)
HAS_ONE: Final = (
    "{user} already has an MFA device, and a link would let anyone who holds it add another one. For a lost "
    "device, choose “Report as lost” next to it "
    "on the page of {user}: a second person confirms who it is, and then a link is sent. To add another "
    "device, {user} signs in to Gatehouse."
)
NOTHING_SENT: Final = "Nothing was sent to AWS."


def check_codes(first: str, second: str, *, shower: str = "the app") -> None:
    """Raise FieldError for each of two codes that is invalid. `shower` names what shows the codes."""
    checks = FieldChecks()
    for field, code in (("first", first), ("second", second)):
        if len(code) != 6 or not code.isascii() or not code.isdigit():
            checks.add(field, NOT_SIX.replace("the app", shower))
    if first == second:
        checks.add("second", TWICE)
    checks.finish()


def trouble_in(reading: CodeReading) -> str:
    """Return why the codes are not sent to AWS, or an empty string if they are."""
    if reading.skew is not None:
        return "" if abs(reading.skew) <= TOLERATED else _skewed(reading.skew)
    if reading.are_swapped:
        return SWAPPED
    return NOT_IN_A_ROW if reading.are_known else WRONG


def _skewed(seconds: int) -> str:
    side = "ahead" if seconds > 0 else "behind"
    return (
        f"The codes are right, but the clock of your device is {duration(abs(seconds))} {side}. "
        "Set its time automatically (Settings, Date and time), and enter the next two codes."
    )


def duration(seconds: int) -> str:
    """Return the duration in words, such as "7 minutes and 30 seconds"."""
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    parts = [
        f"{number} {word}{'' if number == 1 else 's'}"
        for number, word in ((hours, "hour"), (minutes, "minute"), (left, "second"))
        if number
    ]
    return " and ".join(parts[:2])
