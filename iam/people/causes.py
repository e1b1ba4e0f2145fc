"""Causes of change sets that more than one package of people uses."""

from __future__ import annotations

from typing import Final

OF_MOVE: Final = "moving"
"""The cause of a set that changes someone's team. Its id is the move's. It can create users, as an onboarding
does, and end access, as an offboarding does.
"""
