"""Display names for what AWS names tersely: the people behind IAM users, and who can assume a role."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from iam.compiled_queries import CompiledQuery
from iam.directory.models import Identity
from iam.mirror.models import Entity, Kind, TagSet, valid_at
from iam.mirror.queries.lists.rows import ROWS, filled, fits_statement
from iam.search_words import folded

NAME_TAG: Final = "DisplayName"
"""The tag in which onboarding stores a person's name."""
_NAME_TAGS = ("displayname", "fullname", "name")
_SEARCHED_TAGS = (*_NAME_TAGS, "email", "emailaddress", "mail", "owner")
_UNTAGGABLE: Final = re.compile(r"[^\w\s.:/=+@-]")
_TO_LETTERS: Final = str.maketrans({"'": "ʼ", "`": "ʼ", "’": "ˈ", "‘": "ˈ"})
_FROM_LETTERS: Final = str.maketrans({"ʼ": "'", "ˈ": "’"})
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html: a tag can contain any letter but no
apostrophe. U+02BC stands for the straight one, and U+02C8 for the typographic one.
"""


def display_name(login: str, tags: Mapping[str, str] | None = None, *, person: str = "") -> str:
    """Return the display name of a user: the tag DisplayName, FullName or Name, or else the person's name in
    the directory, or else the user name itself. Names are never derived from a user name: "sean.obrien" may
    be Seán O'Brien. If a tag has the person's name, as far as a tag can, the directory's spelling is used.
    """
    if tags:
        tags_by_key = {key.replace("-", "").replace("_", "").lower(): value for key, value in tags.items()}
        for key in _NAME_TAGS:
            name = name_in_tag(tags_by_key.get(key, ""))
            if name:
                return spelled(name, person=person)
    return person or login


def spelled(name: str, *, person: str) -> str:
    """Return the person's spelling of a name from a tag, if both differ only in apostrophes, case, and
    characters that AWS rejects.
    """
    is_theirs = bool(person) and folded(name) == folded(name_in_tag(tag_for_name(person)))
    return person if is_theirs else name


def searched_tags(tags: Mapping[str, str] | None) -> str:
    """Return the words of the tags by which people search for a user, in lower case: names and email
    addresses.
    """
    if not tags:
        return ""
    values = (
        name_in_tag(value)
        for key, value in tags.items()
        if key.replace("-", "").replace("_", "").lower() in _SEARCHED_TAGS
    )
    return " ".join(value.lower() for value in values if value)


def tag_for_name(name: str) -> str:
    """Return a name as a tag can contain it: letters replace apostrophes, and other characters that AWS
    rejects are removed.
    """
    return _UNTAGGABLE.sub("", name.translate(_TO_LETTERS))[:256].strip()


def name_in_tag(value: str) -> str:
    """Return the name in a tag, without invisible characters that would change how the rest is displayed."""
    visible = "".join(letter for letter in value if letter.isprintable())
    return visible.translate(_FROM_LETTERS).strip()


def person_names(arns: Iterable[str]) -> dict[str, str]:
    """Return the names of the people linked to users, by hand or by onboarding, by ARN. One query."""
    wanted = {arn for arn in arns if ":user/" in arn}
    if not wanted:
        return {}
    # A user that was deleted and created again under the same name is someone else.
    another = Entity.objects.filter(
        arn=OuterRef("user_arn"), kind=Kind.USER, gone_at__isnull=True, account__removed_at__isnull=True
    ).exclude(aws_id=OuterRef("aws_id"))
    rows = Identity.objects.filter(user_arn__in=wanted).exclude(Exists(another) & ~Q(aws_id=""))
    return dict(rows.values_list("user_arn", "person__name"))


def names_by_arn(arns: Iterable[str]) -> dict[str, str]:
    """Return the display name for each ARN: people's names for users, the end of the ARN for everything else.
    Two queries.
    """
    wanted = list(dict.fromkeys(arns))
    users = [arn for arn in wanted if ":user/" in arn]
    tags: dict[str, Mapping[str, str]] = {}
    people: dict[str, str] = {}
    if users:
        rows = TagSet.objects.filter(valid_at(None), entity__arn__in=users, entity__gone_at__isnull=True)
        tags = dict(rows.values_list("entity__arn", "tags"))
        people = person_names(users)
    return {
        arn: display_name(arn.rpartition("/")[2], tags.get(arn), person=people.get(arn, "")) for arn in wanted
    }


def people_of_users(users: Iterable[int]) -> dict[int, str]:
    """Return the names of the people linked to users, by hand or by onboarding, by user id. One query."""
    pks = list(users)
    rows = _PEOPLE.rows(**filled(pks)) if fits_statement(pks) else _people(pks)
    return dict(rows)


def _people(users: Sequence[Any]) -> QuerySet[Entity, Any]:
    own = Identity.objects.filter(Q(aws_id="") | Q(aws_id=OuterRef("aws_id")), user_arn=OuterRef("arn"))
    rows = Entity.objects.filter(pk__in=users).annotate(called=Subquery(own.values("person__name")[:1]))
    return rows.filter(called__isnull=False).values_list("pk", "called")


_PEOPLE: Final = CompiledQuery(lambda: _people(ROWS))


def with_people(names: Mapping[int, tuple[str, str]]) -> dict[int, str]:
    """Return the display names of users whose (user name, name by tags) is known, by id: the linked person if
    no tag has a name, and in the person's own spelling if one has. One query.
    """
    people = people_of_users(names)
    called: dict[int, str] = {}
    for pk, (login, name) in names.items():
        person = people.get(pk, "")
        called[pk] = spelled(name, person=person) if name != login else person or login
    return called


def names_by_number(users: Mapping[int, str]) -> dict[int, str]:
    """Return the display names of users by id and user name. Two queries."""
    pks = list(users)
    rows = _TAGS.rows(**filled(pks)) if fits_statement(pks) else _tags(pks)
    tags = dict(rows)
    people = people_of_users(pks)
    return {pk: display_name(login, tags.get(pk), person=people.get(pk, "")) for pk, login in users.items()}


def _tags(users: Sequence[Any]) -> QuerySet[TagSet, Any]:
    return TagSet.objects.filter(valid_at(None), entity__pk__in=users).values_list("entity_id", "tags")


_TAGS: Final = CompiledQuery(lambda: _tags(ROWS))


def names_by_entity(entities: Iterable[Entity]) -> dict[int, str]:
    """Return the display name of each entity by id: people's names for users, its own name for everything
    else. Two queries.
    """
    wanted = list(entities)
    users = {entity.pk: entity.name for entity in wanted if entity.kind == Kind.USER}
    return {entity.pk: entity.name for entity in wanted} | names_by_number(users)


TRUST_WORDS = {
    "any": "Anyone",
    "oidc": "OpenID Connect",
    "saml": "SAML",
    "cross-account": "Another account",
    "account": "This account",
    "service-linked": "AWS, service-linked",
    "": "No one",
}
_SERVICE_WORDS = {
    "apigateway": "API Gateway",
    "application-autoscaling": "Auto Scaling",
    "backup": "AWS Backup",
    "batch": "AWS Batch",
    "cloudformation": "CloudFormation",
    "cloudtrail": "CloudTrail",
    "codebuild": "CodeBuild",
    "codedeploy": "CodeDeploy",
    "codepipeline": "CodePipeline",
    "config": "AWS Config",
    "dms": "DMS",
    "ec2": "EC2",
    "ecs": "ECS",
    "ecs-tasks": "ECS tasks",
    "edgelambda": "Lambda@Edge",
    "eks": "EKS",
    "eks-fargate-pods": "EKS on Fargate",
    "elasticmapreduce": "EMR",
    "events": "EventBridge",
    "firehose": "Firehose",
    "glue": "Glue",
    "iot": "IoT",
    "kinesisanalytics": "Kinesis Analytics",
    "lambda": "Lambda",
    "monitoring": "CloudWatch",
    "monitoring.rds": "RDS monitoring",
    "pipes": "EventBridge Pipes",
    "pods": "EKS pods",
    "rds": "RDS",
    "redshift": "Redshift",
    "rolesanywhere": "IAM Roles Anywhere",
    "s3": "S3",
    "sagemaker": "SageMaker",
    "scheduler": "EventBridge Scheduler",
    "sns": "SNS",
    "ssm": "Systems Manager",
    "states": "Step Functions",
    "transfer": "Transfer Family",
    "vpc-flow-logs": "VPC Flow Logs",
}


def trusted_by(category: str) -> str:
    """Return who can assume a role, from the category of its state: EC2 for `service:ec2`, SAML for `saml`,
    "No one" for an empty one.
    """
    if category.startswith("service:"):
        name = category.removeprefix("service:")
        return _SERVICE_WORDS.get(name, name)
    return TRUST_WORDS.get(category, category)
