"""Describes the resources of a statement in words: "objects under s3://pay-ledger/exports/", "the SQS queue
jobs in eu-west-1". Without side effects.

A description is never wider or narrower than the ARN: a pattern without a plain name is shown as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from iam.phrases import joined
from iam.policy.catalogue import ResourceType, catalogue
from iam.policy.catalogue.arn_fields import ACCOUNT, PARTITION, REGION, values_of
from iam.policy.lint.overlaps import can_mean
from iam.policy.sentences.labels import service_name, type_names

EVERYTHING: Final = "*"
MAX_NAMES: Final = 4
"""Maximum number of names of one type to show. More are counted."""
SPECIAL: Final = frozenset("*?$")
S3: Final = "arn:aws:s3:::"
VERSIONS: Final = ":*"
WITH_VERSIONS: Final = " and its versions"
OWN_USER: Final = "${aws:username}"


@dataclass(frozen=True, slots=True)
class ResourcePhrase:
    """A resource or pattern in words. `before` precedes the names of all that share it ("objects in"), `many`
    replaces it for several.

    `after` follows the names: the Region, or another account.
    """

    before: str
    many: str
    name: str
    after: str = ""


@dataclass(frozen=True, slots=True)
class PhraseReader:
    """The reader of the names. `account_id` is the policy's account, `is_plain` is for members, who don't
    know s3:// names.
    """

    account_id: str = ""
    is_plain: bool = False


def places_in_words(arns: Sequence[str], kinds: Sequence[ResourceType], *, reader: PhraseReader) -> str:
    """Return all resources as one phrase, or an empty string."""
    places: list[ResourcePhrase] = []
    for arn in _without_versions(arns):
        place = place_of(arn, kinds, reader=reader)
        if place not in places:
            places.append(place)
    groups: dict[tuple[str, str], list[ResourcePhrase]] = {}
    for place in places:
        groups.setdefault((place.many, place.after), []).append(place)
    return join([_group(group) for group in groups.values()])


def _without_versions(arns: Sequence[str]) -> list[str]:
    """Return the ARNs without the second ARN of a Lambda function whose versions are included; the first is
    marked instead.
    """
    both = {arn for arn in arns if _service_of(arn) == "lambda" and f"{arn}{VERSIONS}" in arns}
    kept = [arn for arn in arns if not (arn.endswith(VERSIONS) and arn.removesuffix(VERSIONS) in both)]
    marked = []
    for arn in kept:
        if arn in both:
            marked.append(f"{arn}{WITH_VERSIONS}")
        else:
            marked.append(arn)
    return marked


def _group(places: list[ResourcePhrase]) -> str:
    first = places[0]
    names = [place.name for place in places if place.name]
    before = first.before if len(names) < 2 else first.many
    words = [before, join(names, most=MAX_NAMES), first.after]
    return " ".join(filter(None, words))


def join(names: Sequence[str], *, most: int = 0) -> str:
    """Join the names as "a", "a and b" or "a, b, c, d and 3 more"."""
    if most and len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most:,} more"
    return joined(names)


def place_of(arn: str, kinds: Sequence[ResourceType], *, reader: PhraseReader) -> ResourcePhrase:
    """Return an ARN of a policy in words, according to the resource types of the actions."""
    fitting = [kind for kind in kinds if can_mean(arn, kind.arn, has_variables=True)]
    if arn == EVERYTHING:
        return _everything(kinds)
    names = {kind.name for kind in fitting}
    if arn.startswith(S3) and names and names <= {"bucket", "object"}:
        return _s3_place(arn.removeprefix(S3), names, reader)
    log_group = _log_group(arn)
    if log_group:
        arn, fitting = log_group, list(_log_group_kinds())
    best = _best(arn, fitting)
    if best is None:
        return _matching(arn, fitting, reader)
    kind, values = best
    return _place(arn, kind, values, fitting, reader)


def _log_group(arn: str) -> str:
    """Return the ARN of a log group without the `:*` with which AWS includes its streams, or an empty string
    for any other ARN.
    """
    parts = arn.split(":", 6)
    if len(parts) < 7 or parts[2] != "logs" or parts[5] != "log-group":
        return ""
    name = parts[6].removesuffix(":*") if len(parts[6]) > 2 else parts[6]
    return "" if ":" in name else ":".join([*parts[:6], name])


def _log_group_kinds() -> Sequence[ResourceType]:
    service = catalogue().service("logs")
    return [service.resource_types["log-group"]] if service else []


def _matching(arn: str, fitting: Sequence[ResourceType], reader: PhraseReader) -> ResourcePhrase:
    """Describe an ARN that matches no type's format by its last part as written, or completely if it lacks
    segments.
    """
    parts = arn.split(":", 5)
    if len(parts) < 6 or not fitting or set(parts[2]) & SPECIAL:
        return ResourcePhrase("", "", arn)
    service, region, account, resource = parts[2:]
    after = _where({REGION: region or EVERYTHING, ACCOUNT: account or EVERYTHING}, reader)
    if len({kind.name for kind in fitting}) > 1:
        words = f"{service_name(service)} resources matching"
        return ResourcePhrase(words, words, resource, after)
    kind = fitting[0]
    plural = type_names(_service_of(kind.arn), kind.name)[1]
    fixed = kind.arn.split(":", 5)[-1].partition("${")[0]
    if not resource.startswith(fixed):
        words = f"{plural} matching"
        return ResourcePhrase(words, words, resource, after)
    name = resource.removeprefix(fixed)
    if name == EVERYTHING:
        words = f"all {plural}"
        return ResourcePhrase(words, words, "", after)
    words = f"{plural} named"
    return ResourcePhrase(words, words, name, after)


def _everything(kinds: Sequence[ResourceType]) -> ResourcePhrase:
    if len({kind.name for kind in kinds}) != 1:
        return ResourcePhrase("all resources", "all resources", "")
    (kind,) = {kind.name: kind for kind in kinds}.values()
    if kind.arn.startswith("arn:${Partition}:s3:::"):
        return _s3_everything({kind.name})
    _, many = type_names(_service_of(kind.arn), kind.name)
    return ResourcePhrase(f"all {many}", f"all {many}", "")


def _service_of(arn: str) -> str:
    parts = arn.split(":")
    return parts[2] if len(parts) > 2 else ""


def _best(arn: str, kinds: Iterable[ResourceType]) -> tuple[ResourceType, dict[str, str]] | None:
    """Return the type whose format the ARN has, preferring the longest format."""
    best: tuple[ResourceType, dict[str, str]] | None = None
    for kind in kinds:
        values = values_of(arn, kind.arn)
        if values is not None and (best is None or len(kind.arn) > len(best[0].arn)):
            best = (kind, values)
    return best


def _place(
    arn: str,
    kind: ResourceType,
    values: dict[str, str],
    fitting: Sequence[ResourceType],
    reader: PhraseReader,
) -> ResourcePhrase:
    service = _service_of(kind.arn)
    singular, many = type_names(service, kind.name)
    after = _where(values, reader)
    names = [value for field, value in values.items() if field not in (PARTITION, ACCOUNT, REGION)]
    name = _name(arn, kind)
    if not any(set(value) & SPECIAL for value in names):
        return ResourcePhrase(f"the {singular}", f"the {many}", name, after)
    if len(fitting) > 1:
        # A wildcard may reach into resources of another type, such as the indexes of a table.
        return _matching(arn, fitting, reader)
    words, shown_name = f"{many} named", name
    if kind.name == "user" and name in (OWN_USER, f"{EVERYTHING}/{OWN_USER}"):
        words, shown_name = "their own IAM user", ""
    elif all(value == EVERYTHING for value in names):
        words, shown_name = f"all {many}", ""
    elif reader.is_plain and name.endswith(EVERYTHING) and not set(name[:-1]) & SPECIAL:
        words, shown_name = f"{many} whose names start with", name[:-1]
    return ResourcePhrase(words, words, shown_name, after)


def _name(arn: str, kind: ResourceType) -> str:
    """Return the part of an ARN from the resource's first field on, such as `cluster/service`."""
    resource = kind.arn.split(":", 5)[-1]
    fixed = resource.partition("${")[0]
    return arn.split(":", 5)[-1].removeprefix(fixed)


def _where(values: dict[str, str], reader: PhraseReader) -> str:
    """Return the Region, and the account if it differs from the policy's."""
    words: list[str] = []
    region, account = values.get(REGION, EVERYTHING), values.get(ACCOUNT, EVERYTHING)
    if region != EVERYTHING:
        words.append(f"in {region}")
    if account not in (EVERYTHING, reader.account_id):
        words.append(f"of account {account}")
    return " ".join(words)


def _s3_everything(kinds: set[str]) -> ResourcePhrase:
    if kinds == {"object"}:
        return ResourcePhrase("objects in all S3 buckets", "objects in all S3 buckets", "")
    return ResourcePhrase("all S3 buckets", "all S3 buckets", "")


def _s3_place(resource: str, kinds: set[str], reader: PhraseReader) -> ResourcePhrase:
    """Describe a bucket or objects, from what follows `arn:aws:s3:::`. A pattern without a slash matches
    whole buckets and their content.
    """
    if "object" not in kinds:
        return _bucket(resource, reader)
    bucket, slash, key = resource.partition("/")
    objects = "files" if reader.is_plain else "objects"
    is_whole = key == EVERYTHING or (not slash and bucket.endswith(EVERYTHING))
    if is_whole and not set(bucket.removesuffix(EVERYTHING)) & SPECIAL:
        return _in_bucket(bucket, objects, reader)
    is_folder = key.endswith("/*") and not set(bucket + key[:-1]) & SPECIAL
    if is_folder:
        return _in_folder(bucket, key[:-1], objects, reader)
    if set(resource) & SPECIAL:
        words = f"{objects} matching"
        return ResourcePhrase(words, words, f"s3://{resource}")
    if reader.is_plain:
        return ResourcePhrase("the file", "the files", key, f"in the bucket {bucket}")
    return ResourcePhrase("the object", "the objects", f"s3://{resource}")


def _bucket(bucket: str, reader: PhraseReader) -> ResourcePhrase:
    if bucket == EVERYTHING:
        return _s3_everything({"bucket"})
    if set(bucket) & SPECIAL:
        return ResourcePhrase("S3 buckets named", "S3 buckets named", bucket)
    if reader.is_plain:
        return ResourcePhrase("the bucket", "the buckets", bucket)
    return ResourcePhrase("the bucket", "the buckets", f"s3://{bucket}")


def _in_bucket(bucket: str, objects: str, reader: PhraseReader) -> ResourcePhrase:
    if bucket == EVERYTHING:
        words = f"{objects} in all S3 buckets"
        return ResourcePhrase(words, words, "")
    if set(bucket) & SPECIAL:
        words = f"{objects} in S3 buckets named"
        return ResourcePhrase(words, words, bucket)
    if reader.is_plain:
        return ResourcePhrase(f"{objects} in the bucket", f"{objects} in the buckets", bucket)
    return ResourcePhrase(f"{objects} in", f"{objects} in", f"s3://{bucket}")


def _in_folder(bucket: str, folder: str, objects: str, reader: PhraseReader) -> ResourcePhrase:
    if reader.is_plain:
        words = f"{objects} in the folder"
        return ResourcePhrase(words, f"{objects} in the folders", folder, f"of the bucket {bucket}")
    return ResourcePhrase(f"{objects} under", f"{objects} under", f"s3://{bucket}/{folder}")


def place_of_all_objects(reader: PhraseReader) -> str:
    """Return the phrase for the objects of every bucket."""
    return f"{'files' if reader.is_plain else 'objects'} in all S3 buckets"
