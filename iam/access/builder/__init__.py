"""The permission builder: builds policy statements from services, actions, resources and conditions, and
reads them back. Pure.
"""

from iam.access.builder.build import BuiltDocument, build, grants_of
from iam.access.builder.parts import BuilderCondition, ServicePart, parts_from, parts_json
from iam.access.builder.read_back import BuilderReading, read_back

__all__ = [
    "BuilderCondition",
    "BuilderReading",
    "BuiltDocument",
    "ServicePart",
    "build",
    "grants_of",
    "parts_from",
    "parts_json",
    "read_back",
]
