"""What a person who enrols a device reads: what was wrong with the codes, and what to do next."""

from __future__ import annotations

from typing import Final

from iam.people.enrolment.totp import STEP, Reading

TOLERATED: Final = 3 * STEP
"""A clock that is so many seconds wrong does: people take time to type, and AWS looks some steps back."""
NOT_SIX: Final = "A code has six digits. Type both as the app shows them."
TWICE: Final = "That is the same code twice. Wait until the app shows another one, up to 30 seconds, and type that as the next code."
SWAPPED: Final = "These codes are in the wrong order: the one that came first goes into the first field. Wait for the next two, and type them as they come."
NOT_IN_A_ROW: Final = (
    "Both codes are right, but not two in a row. Type one, wait until it changes, and type the next one."
)
WRONG: Final = "These are not codes of this device. Look whether the app shows them for the entry that you have just added."
LOCKED: Final = (
    "There were too many wrong codes, so this enrolment has ended, and its device is deleted. Nobody has it."
)
OVER: Final = "The 15 minutes are over, so the secret is destroyed, and the device with it. Begin again: your app needs the new secret."
BESIDE: Final = (
    "This link adds a first MFA device only, and {user} has one already. Sign in to Gatehouse to add another one. "
    "If you have lost yours, say so to whoever sent you the link: a second person makes sure that it is you."
)
HAS_ONE: Final = (
    "{user} has an MFA device already, and a link would add one beside it for whoever holds the link. For a lost device press “Lost” beside it "
    "on the page of {user}: a second person makes sure who it is, and then a link goes out. A further device {user} adds signed in to Gatehouse."
)
NOTHING_SENT: Final = "Nothing was sent to AWS."


def trouble_in(reading: Reading) -> str:
    """Why the codes are not sent to AWS; "" when they are."""
    if reading.skew is not None:
        return "" if abs(reading.skew) <= TOLERATED else _skewed(reading.skew)
    if reading.are_swapped:
        return SWAPPED
    return NOT_IN_A_ROW if reading.are_known else WRONG


def _skewed(seconds: int) -> str:
    side = "ahead" if seconds > 0 else "behind"
    return (
        f"The codes are right, but the clock of your device is {duration(abs(seconds))} {side}. "
        "Let it set its time by itself (Settings, Date and time, Automatic), and type the next two codes."
    )


def duration(seconds: int) -> str:
    """Such as "7 minutes and 30 seconds"."""
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    parts = [
        f"{number} {word}{'' if number == 1 else 's'}"
        for number, word in ((hours, "hour"), (minutes, "minute"), (left, "second"))
        if number
    ]
    return " and ".join(parts[:2])
