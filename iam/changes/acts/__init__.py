"""What people can ask to have changed about one thing of an account, each with the few questions that it asks."""

from iam.changes.acts.fields import Field, Given, read_fields
from iam.changes.acts.registry import ACTS, Act, Subject, acts_on

__all__ = ["ACTS", "Act", "Field", "Given", "Subject", "acts_on", "read_fields"]
