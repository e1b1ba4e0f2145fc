"""What can be requested about one thing of an account: for whom it is possible, and the operations that the
answers come to. How it is asked is for the console.
"""

from iam.changes.acts.base import Act, Given, Subject
from iam.changes.acts.registry import ACTS, acts_on

__all__ = ["ACTS", "Act", "Given", "Subject", "acts_on"]
