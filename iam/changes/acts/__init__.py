"""What people can ask to have changed about one thing of an account, each with the few questions that it
asks.
"""

from iam.changes.acts.fields import Field, Given, read_fields
from iam.changes.acts.registry import ACTS, Act, Subject, acts_on
from iam.changes.acts.sight import check_names, choices_for

__all__ = ["ACTS", "Act", "Field", "Given", "Subject", "acts_on", "check_names", "choices_for", "read_fields"]
