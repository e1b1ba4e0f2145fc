"""botocore's descriptions of services and operations, loaded once per process without credentials
or network.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from botocore.exceptions import DataNotFoundError, UnknownServiceError
from botocore.model import OperationModel, ServiceModel, Shape

from iam.aws.session import new_session

_SPACES = "\u0020\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"


def operation_model(service: str, operation: str) -> OperationModel:
    """Return the description of an operation. ValueError if it does not exist."""
    model = _service_model(service)
    if operation not in model.operation_names:
        raise ValueError(f"{service} has no operation {operation!r}.")
    return model.operation_model(operation)


@lru_cache(maxsize=16)
def _service_model(service: str) -> ServiceModel:
    try:
        return new_session().get_service_model(service)
    except (UnknownServiceError, DataNotFoundError):
        raise ValueError(f"botocore knows no service {service!r}.") from None


def breaches(value: Any, shape: Shape, *, place: str = "") -> Iterator[str]:
    """Yield the limits of the model (length, pattern, enumeration) that a value of the right type violates.
    botocore's own validator does not check them.
    """
    if shape.type_name == "structure":
        for name, item in value.items():
            member_place = f"{place}.{name}" if place else name
            yield from breaches(item, shape.members[name], place=member_place)
    elif shape.type_name == "list":
        yield from _length(value, shape, place=place, unit="items")
        for position, item in enumerate(value):
            yield from breaches(item, shape.member, place=f"{place}[{position}]")
    elif shape.type_name == "string":
        yield from _length(value, shape, place=place, unit="characters")
        yield from _form(value, shape, place=place)
    elif shape.type_name in ("integer", "long") and value > shape.metadata.get("max", value):
        yield f"{place} is {value}; the most is {shape.metadata['max']}."


def _length(value: Any, shape: Shape, *, place: str, unit: str) -> Iterator[str]:
    longest = shape.metadata.get("max")
    if longest is not None and len(value) > longest:
        yield f"{place} has {len(value)} {unit}; the most is {longest}."


def _form(value: str, shape: Shape, *, place: str) -> Iterator[str]:
    allowed = shape.enum
    if allowed and value not in allowed:
        yield f"{place} is not one of {', '.join(allowed)}."
    pattern = shape.metadata.get("pattern")
    if pattern and not _compiled(pattern).fullmatch(value):
        yield f"{place} does not match the pattern {pattern}."


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    r"""Compile a pattern of AWS. These are Java patterns: \w is ASCII only, and \p{L}, \p{N} and \p{Z} are
    letters, numbers and spaces.
    """
    if r"\p{" not in pattern:
        return re.compile(pattern, re.ASCII)
    for java, python in ((r"\p{L}", r"\w"), (r"\p{N}", r"\w"), (r"\p{Z}", _SPACES)):
        pattern = pattern.replace(java, python)
    return re.compile(pattern)
