"""Causes of sets that more than one package of people has to do with."""

from __future__ import annotations

from typing import Final

OF_MOVE: Final = "moving"
"""The cause of a set that moves somebody; its id is the move's. It may make users, as an onboarding does, and
end access, as a leaving does.
"""
