"""Defines what can be requested about an entity or account: when it is possible, and which operations it
takes.

Forms are defined in the console.
"""

from iam.changes.acts.base import Act, Given, Subject
from iam.changes.acts.registry import ACTS, acts_on

__all__ = ["ACTS", "Act", "Given", "Subject", "acts_on"]
