"""Roles outside workloads: SAML sign-in, partners, other accounts, AWS services and cluster pods."""

from __future__ import annotations

from console.demo.organisation.documents import (
    account_trust,
    allow,
    arn,
    aws_managed,
    document,
    eks_provider,
    pod_trust,
    saml_trust,
    service_trust,
)
from console.demo.organisation.people import ACCOUNT_AGES, ACCOUNT_IDS
from console.demo.organisation.specs import Document, ProviderSpec, RoleSpec
from console.demo.standin.ids import digest

PLATFORM = {"Team": "platform", "Owner": "platform@northline.example", "ManagedBy": "terraform"}
MONITORING_VENDOR = "730184420961"
BACKUP_VENDOR = "291558073346"
AUDITORS = "157736420985"

SSO = {
    "sso-administrator": (
        "AdministratorAccess",
        "Administrator access, with approval in the corporate directory",
    ),
    "sso-read-only": ("ReadOnlyAccess", "Read access to everything"),
    "sso-billing": ("AWSBillingReadOnlyAccess", "Read access to billing"),
    "sso-support": ("AWSSupportAccess", "AWS Support cases"),
    "sso-security-audit": ("SecurityAudit", "Audits the account"),
}
LINKED = {
    "production": (
        "autoscaling",
        "eks",
        "ecs",
        "elasticloadbalancing",
        "rds",
        "organizations",
        "guardduty",
        "support",
    ),
    "data": ("autoscaling", "eks", "redshift", "organizations", "guardduty", "support"),
    "staging": ("autoscaling", "eks", "ecs", "elasticloadbalancing", "organizations", "support"),
    "sandbox": ("organizations", "support", "ecs"),
    "management": ("organizations", "support", "sso"),
}
# The second half of the role's name, and the policy that AWS attaches to the role.
LINKED_NAMES = {
    "autoscaling": ("AutoScaling", "AutoScalingServiceRolePolicy"),
    "eks": ("AmazonEKS", "AmazonEKSServiceRolePolicy"),
    "ecs": ("ECS", "AmazonECSServiceRolePolicy"),
    "elasticloadbalancing": ("ElasticLoadBalancing", "AWSElasticLoadBalancingServiceRolePolicy"),
    "rds": ("RDS", "AmazonRDSServiceRolePolicy"),
    "organizations": ("Organizations", "AWSOrganizationsServiceTrustPolicy"),
    "guardduty": ("AmazonGuardDuty", "AmazonGuardDutyServiceRolePolicy"),
    "support": ("Support", "AWSSupportServiceRolePolicy"),
    "redshift": ("Redshift", "AmazonRedshiftServiceLinkedRolePolicy"),
    "sso": ("SSO", "AWSSSOServiceRolePolicy"),
}
PODS = {
    "production": (
        "kube-system:cluster-autoscaler",
        "kube-system:load-balancer-controller",
        "external-dns:external-dns",
        "cert-manager:cert-manager",
        "monitoring:prometheus",
        "secrets:external-secrets",
    ),
    "staging": (
        "kube-system:cluster-autoscaler",
        "kube-system:load-balancer-controller",
        "external-dns:external-dns",
        "secrets:external-secrets",
    ),
    "data": (
        "kube-system:cluster-autoscaler",
        "airflow:scheduler",
        "airflow:worker",
        "secrets:external-secrets",
    ),
}
POD_RIGHTS: dict[str, tuple[str, ...]] = {
    "cluster-autoscaler": ("autoscaling:DescribeAutoScalingGroups", "autoscaling:SetDesiredCapacity"),
    "load-balancer-controller": (
        "elasticloadbalancing:*",
        "ec2:Describe*",
        "ec2:AuthorizeSecurityGroupIngress",
    ),
    "external-dns": ("route53:ChangeResourceRecordSets", "route53:ListHostedZones"),
    "cert-manager": ("route53:ChangeResourceRecordSets", "route53:GetChange"),
    "prometheus": ("cloudwatch:GetMetricData", "cloudwatch:ListMetrics", "tag:GetResources"),
    "external-secrets": ("secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"),
    "scheduler": ("glue:StartJobRun", "glue:GetJobRun", "emr-serverless:StartJobRun"),
    "worker": ("s3:GetObject", "s3:PutObject", "s3:ListBucket"),
}


def of_account(account_name: str) -> tuple[RoleSpec, ...]:
    """Return all roles of an account that belong to no workload."""
    account = ACCOUNT_IDS[account_name]
    roles = [*_linked(account_name), *_pods(account_name, account)]
    if account_name != "management":
        roles += [*_sso(account_name, account), *_across(account_name), *_services(account_name, account)]
    return tuple(roles)


def providers(account_name: str) -> tuple[ProviderSpec, ...]:
    """Return the identity providers of an account: the corporate directory, GitHub, and the cluster if there
    is one.
    """
    if account_name == "management":
        return ()
    account = ACCOUNT_IDS[account_name]
    providers_made = [
        ProviderSpec("saml", "Okta", 1100, expires_in=820, tags=PLATFORM),
        ProviderSpec("oidc", "token.actions.githubusercontent.com", 760, tags=PLATFORM),
    ]
    if account_name in PODS:
        providers_made.append(ProviderSpec("oidc", eks_provider(account), 640, tags=PLATFORM))
    return tuple(providers_made)


def _age(*parts: str) -> int:
    return 150 + int(digest("shared role", *parts)[:6], 16) % 1000


def _used(*parts: str) -> float:
    return 0.03 + int(digest("shared use", *parts)[:6], 16) % 480 / 24


def _sso(account_name: str, account: str) -> list[RoleSpec]:
    return [
        RoleSpec(
            name=name,
            trust=saml_trust(account),
            path="/sso/",
            age=_age(name, account_name),
            used=_used(name, account_name),
            policies=(aws_managed(policy),),
            tags=PLATFORM | {"SignIn": "okta"},
            description=why,
            longest_session=14400,
        )
        for name, (policy, why) in SSO.items()
        if not (account_name == "sandbox" and name in {"sso-support", "sso-security-audit"})
    ]


def _across(account_name: str) -> list[RoleSpec]:
    """Return roles for partners and for Northline's other accounts."""
    metrics = document(
        allow("Metrics", ("cloudwatch:GetMetricData", "cloudwatch:ListMetrics", "tag:GetResources"))
    )
    snapshots = document(allow("Copy", ("backup:StartCopyJob", "backup:ListRecoveryPointsByBackupVault")))
    lake = document(allow("Deliver", ("s3:PutObject",), "arn:aws:s3:::lake-raw/*"))
    rows: list[tuple[str, Document, Document, str]] = [
        (
            "vendor-monitoring",
            account_trust(MONITORING_VENDOR, external_id=f"nl-{account_name}-7f21"),
            metrics,
            "Skyglass Monitoring: metrics",
        ),
        (
            "vendor-backup",
            account_trust(BACKUP_VENDOR, external_id=f"nl-bk-{account_name}"),
            snapshots,
            "Deepvault: off-site backups",
        ),
        (
            "external-audit",
            account_trust(AUDITORS, external_id=f"harrow-{account_name}-2026"),
            document(allow("Evidence", ("cloudtrail:Get*", "config:Get*", "config:List*"))),
            "Harrow & Finch, the PCI assessors",
        ),
        (
            "security-responder",
            account_trust(ACCOUNT_IDS["management"], mfa=True),
            document(allow("Isolate", ("ec2:ModifyInstanceAttribute", "iam:UpdateAccessKey"))),
            "Incident response: isolates compromised resources",
        ),
    ]
    if account_name == "data":
        rows.append(
            (
                "lake-writer",
                account_trust(ACCOUNT_IDS["production"]),
                lake,
                "Event delivery from production to the data lake",
            )
        )
    if account_name == "staging":
        rows.append(
            (
                "release-promoter",
                account_trust(ACCOUNT_IDS["production"]),
                document(allow("Images", ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"))),
                "Image access from production",
            )
        )
    roles: list[RoleSpec] = []
    for name, trust, rights, why in rows:
        path = "/partners/" if name.startswith(("vendor", "external")) else "/shared/"
        roles.append(
            RoleSpec(
                name,
                trust,
                _age(name, account_name),
                path,
                _used(name, account_name),
                inline={"access": rights},
                tags=PLATFORM,
                description=why,
            )
        )
    opened = RoleSpec(
        name="OrganizationAccountAccessRole",
        trust=account_trust(ACCOUNT_IDS["management"]),
        age=ACCOUNT_AGES[account_name],
        used=210,
        policies=(aws_managed("AdministratorAccess"),),
        description="Created by AWS Organizations with the account",
    )
    return [*roles, opened]


def _services(account_name: str, account: str) -> list[RoleSpec]:
    """Return roles for AWS services, limited to this account's resources where possible."""
    here = {"StringEquals": {"aws:SourceAccount": account}}
    topic = document(allow("Publish", "sns:Publish", arn("sns", account, "config-changes")))
    stream = document(
        allow(
            "Write", ("logs:CreateLogStream", "logs:PutLogEvents"), arn("logs", account, "log-group:trail:*")
        )
    )
    return [
        RoleSpec(
            "config-recorder",
            service_trust("config", **here),
            _age("config", account_name),
            "/services/",
            0.02,
            policies=(aws_managed("service-role/AWS_ConfigRole"),),
            inline={"notify": topic},
            tags=PLATFORM,
            description="AWS Config recorder",
        ),
        RoleSpec(
            "trail-to-logs",
            service_trust("cloudtrail", **here),
            _age("trail", account_name),
            "/services/",
            0.02,
            inline={"write": stream},
            tags=PLATFORM,
            description="CloudTrail to CloudWatch Logs",
        ),
        RoleSpec(
            "backup-service",
            service_trust("backup"),
            _age("backup", account_name),
            "/services/",
            0.9,
            policies=(aws_managed("service-role/AWSBackupServiceRolePolicyForBackup"),),
            tags=PLATFORM,
            description="AWS Backup nightly backups",
        ),
        RoleSpec(
            "flow-logs",
            service_trust("vpc-flow-logs", **here),
            _age("flow", account_name),
            "/services/",
            0.05,
            inline={"write": stream},
            tags=PLATFORM,
            description="VPC flow logs",
        ),
        RoleSpec(
            "rds-monitoring",
            service_trust("monitoring.rds", **here),
            _age("rds", account_name),
            "/services/",
            0.03,
            policies=(aws_managed("service-role/AmazonRDSEnhancedMonitoringRole"),),
            tags=PLATFORM,
            description="RDS enhanced monitoring",
        ),
    ]


def _linked(account_name: str) -> list[RoleSpec]:
    roles: list[RoleSpec] = []
    for service in LINKED[account_name]:
        name, policy = LINKED_NAMES[service]
        roles.append(
            RoleSpec(
                name=f"AWSServiceRoleFor{name}",
                trust=service_trust(service),
                path=f"/aws-service-role/{service}.amazonaws.com/",
                age=_age("linked", service, account_name),
                used=_used("linked", service, account_name),
                policies=(aws_managed(f"aws-service-role/{policy}"),),
                description=f"Allows {name} to call AWS services on your behalf",
                linked=f"{service}.amazonaws.com",
            )
        )
    return roles


def _pods(account_name: str, account: str) -> list[RoleSpec]:
    roles: list[RoleSpec] = []
    for pod in PODS.get(account_name, ()):
        _, _, name = pod.partition(":")
        roles.append(
            RoleSpec(
                name=f"pod-{name}",
                trust=pod_trust(account, pod),
                path="/pods/",
                age=_age("pod", name, account_name),
                used=0.01,
                inline={"rights": document(allow("Rights", POD_RIGHTS[name]))},
                boundary="WorkloadBoundary",
                tags=PLATFORM,
                description=f"The pod {name} of the {account_name} cluster",
            )
        )
    return roles
