"""For each code of the lint: a policy that has it, where, and a policy close to it that has not. Facts are of
the AWS pages.
"""

from __future__ import annotations

from tests.iam.policy.lint.cases_conditions import CONDITIONS, VARIABLES
from tests.iam.policy.lint.cases_documents import ACTIONS, ARNS, DOCUMENTS, REDUNDANT
from tests.iam.policy.lint.cases_principals import PRINCIPALS, RISKS
from tests.iam.policy.lint.cases_values import VALUES

CASES = [*DOCUMENTS, *ACTIONS, *ARNS, *CONDITIONS, *VALUES, *VARIABLES, *PRINCIPALS, *RISKS, *REDUNDANT]
