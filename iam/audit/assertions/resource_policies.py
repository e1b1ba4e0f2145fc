"""The services whose resource-based policies can give access within the account.

Source: "AWS services that work with IAM",
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-services-that-work-with-iam.html
"""

from __future__ import annotations

from typing import Final

SERVICES: Final = frozenset(
    {
        "acm-pca",
        "aoss",
        "apigateway",
        "backup",
        "codeartifact",
        "codebuild",
        "dynamodb",
        "ecr",
        "ecr-public",
        "elasticfilesystem",
        "es",
        "events",
        "execute-api",
        "glacier",
        "glue",
        "iot",
        "kinesis",
        "kms",
        "lambda",
        "lex",
        "logs",
        "mediastore",
        "network-firewall",
        "redshift-serverless",
        "rekognition",
        "s3",
        "s3-object-lambda",
        "s3-outposts",
        "s3express",
        "s3tables",
        "schemas",
        "secretsmanager",
        "serverlessrepo",
        "ses",
        "sns",
        "sqs",
        "ssm",
        "ssm-contacts",
        "ssm-incidents",
        "vpc-lattice",
    }
)


def takes_resource_policy(action: str) -> bool:
    """True if a resource-based policy could allow the action."""
    return action.partition(":")[0].lower() in SERVICES
