"""What people call things that AWS names tersely: the people behind IAM users, and who can assume a role."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from django.db.models import Exists, OuterRef, Q, Subquery

from iam.directory.models import Identity
from iam.mirror.models import Entity, Kind, TagSet, valid_at
from iam.search_words import folded

NAME_TAG: Final = "DisplayName"
"""The tag in which onboarding writes somebody's name."""
_NAME_TAGS = ("displayname", "fullname", "name")
_SEARCHED_TAGS = (*_NAME_TAGS, "email", "emailaddress", "mail", "owner")
_UNTAGGABLE: Final = re.compile(r"[^\w\s.:/=+@-]")
_TO_LETTERS: Final = str.maketrans({"'": "ʼ", "`": "ʼ", "’": "ˈ", "‘": "ˈ"})
_FROM_LETTERS: Final = str.maketrans({"ʼ": "'", "ˈ": "’"})
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html: a tag takes no apostrophe, and it takes
every letter. U+02BC stands for the straight one, and U+02C8 for the typographic one.
"""


def display_name(login: str, tags: Mapping[str, str] | None = None, *, person: str = "") -> str:
    """The name of anyone who has a login, as people write it: the tag DisplayName, FullName or Name, else the
    name of the person in the directory, else the login itself. A name is never made up from a login:
    "sean.obrien" may be Seán O'Brien. A tag that holds the name of the person, as far as a tag can, is
    spelled as the person is in the directory.
    """
    if tags:
        tags_by_key = {key.replace("-", "").replace("_", "").lower(): value for key, value in tags.items()}
        for key in _NAME_TAGS:
            name = name_in_tag(tags_by_key.get(key, ""))
            if name:
                return spelled(name, person=person)
    return person or login


def spelled(name: str, *, person: str) -> str:
    """A name from a tag as its person writes it, where both are the same but for the apostrophe, capitals,
    and signs that AWS refuses.
    """
    is_theirs = bool(person) and folded(name) == folded(name_in_tag(tag_for_name(person)))
    return person if is_theirs else name


def searched_tags(tags: Mapping[str, str] | None) -> str:
    """The words of the tags by which people look for a user, in lower case: names and email addresses; "" for
    none.
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
    """A name as a tag can hold it: with letters for the apostrophes, which AWS refuses, without any other
    sign that AWS refuses.
    """
    return _UNTAGGABLE.sub("", name.translate(_TO_LETTERS))[:256].strip()


def name_in_tag(value: str) -> str:
    """The name that a tag holds, on one line: without what cannot be seen and yet changes how the rest is
    read.
    """
    visible = "".join(letter for letter in value if letter.isprintable())
    return visible.translate(_FROM_LETTERS).strip()


def person_names(arns: Iterable[str]) -> dict[str, str]:
    """The names of the people to whom users were linked by hand, or for whom they were made, by ARN; one
    query.
    """
    wanted = {arn for arn in arns if ":user/" in arn}
    if not wanted:
        return {}
    # A user who was deleted and created again under the same name is somebody else.
    another = Entity.objects.filter(
        arn=OuterRef("user_arn"), kind=Kind.USER, gone_at__isnull=True, account__removed_at__isnull=True
    ).exclude(aws_id=OuterRef("aws_id"))
    rows = Identity.objects.filter(user_arn__in=wanted).exclude(Exists(another) & ~Q(aws_id=""))
    return dict(rows.values_list("user_arn", "person__name"))


def names_by_arn(arns: Iterable[str]) -> dict[str, str]:
    """What to call anyone who is behind each ARN: users by the names of their people, everything else by the
    end of its ARN; two queries.
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
    """The names of the people to whom users were linked by hand, or for whom they were made, by the number of
    the user; one query.
    """
    own = Identity.objects.filter(Q(aws_id="") | Q(aws_id=OuterRef("aws_id")), user_arn=OuterRef("arn"))
    rows = Entity.objects.filter(pk__in=list(users)).annotate(called=Subquery(own.values("person__name")[:1]))
    return dict(rows.filter(called__isnull=False).values_list("pk", "called"))


def with_people(names: Mapping[int, tuple[str, str]]) -> dict[int, str]:
    """What to call users of whom (login, name by their tags) is known, by their numbers: the person in the
    directory where no tag has a name, and in the person's own spelling where one has. One query.
    """
    people = people_of_users(names)
    called: dict[int, str] = {}
    for pk, (login, name) in names.items():
        person = people.get(pk, "")
        called[pk] = spelled(name, person=person) if name != login else person or login
    return called


def names_by_number(users: Mapping[int, str]) -> dict[int, str]:
    """What to call users of whom the numbers and the logins are known; two queries."""
    rows = TagSet.objects.filter(valid_at(None), entity__in=list(users))
    tags = dict(rows.values_list("entity_id", "tags"))
    people = people_of_users(users)
    return {pk: display_name(login, tags.get(pk), person=people.get(pk, "")) for pk, login in users.items()}


def names_by_entity(entities: Iterable[Entity]) -> dict[int, str]:
    """What to call each entity, by its number: users by the names of their people, everything else by its own
    name; two queries.
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
    """Who may assume a role, from the category of its state: `service:ec2` is EC2, `saml` is SAML, "" is
    Nobody.
    """
    if category.startswith("service:"):
        name = category.removeprefix("service:")
        return _SERVICE_WORDS.get(name, name)
    return TRUST_WORDS.get(category, category)
