"""Deliberate problems in the data, staging and sandbox accounts."""

from __future__ import annotations

from typing import Any

from console.demo.organisation.documents import (
    GITHUB,
    ORGANISATION_ID,
    account_trust,
    allow,
    aws_managed,
    deny_but,
    document,
    eks_provider,
    service_trust,
    trusts,
)
from console.demo.organisation.jobs import job_policy
from console.demo.organisation.outside import anywhere_trust, pod_identity_trust
from console.demo.organisation.people import ACCOUNT_IDS
from console.demo.organisation.specs import (
    AnchorSpec,
    AnywhereSpec,
    DelegationSpec,
    InstanceSpec,
    PlantedTrouble,
    PodIdentitySpec,
    PolicySpec,
    ProfileSpec,
    ProviderSpec,
    RoleSpec,
)

BRIGHTWATER = "339011276654"
TOKEN = "sts:GetWebIdentityToken"  # noqa: S105 - an action, not a secret
TO_WAREHOUSE: dict[str, Any] = {
    "ForAllValues:StringEquals": {"sts:IdentityTokenAudience": "https://warehouse.example"}
}
LAB = {"Team": "qa", "Owner": "qa@northline.example"}
ADMINISTRATOR = aws_managed("AdministratorAccess")
DATA, STAGING, SANDBOX = ACCOUNT_IDS["data"], ACCOUNT_IDS["staging"], ACCOUNT_IDS["sandbox"]


def data() -> PlantedTrouble:
    """Return the problems in data: a partner's whole account is trusted, PassRole on everything, and policies
    that can be rewritten by those they limit.
    """
    lake = ["arn:aws:s3:::lake-clean/*", "arn:aws:s3:::lake-raw/*"]
    submit = ("batch:SubmitJob", "batch:RegisterJobDefinition")
    policies = (
        job_policy(
            "BatchSubmit",
            "Submits jobs with any role",
            "machine-learning",
            document(allow("Submit", submit), allow("Pass", "iam:PassRole")),
        ),
        job_policy(
            "PolicyTuning",
            "Tunes the job policies of the data team",
            "data-platform",
            document(
                allow("Look", ("iam:GetPolicy*", "iam:ListPolicyVersions")),
                allow("Tune", "iam:CreatePolicyVersion", f"arn:aws:iam::{DATA}:policy/jobs/*"),
            ),
        ),
    )
    roles = (
        RoleSpec(
            "legacy-etl",
            account_trust(BRIGHTWATER),
            820,
            "/partners/",
            2,
            inline={"etl-write": document(allow("Write", ("s3:GetObject", "s3:PutObject"), lake))},
            tags={"Team": "data-platform"},
            description="Brightwater Analytics: data import",
        ),
        RoleSpec(
            "brightwater-reader",
            account_trust(BRIGHTWATER, external_id="gh-bw-7c1e93f0a4"),
            95,
            "/partners/",
            1,
            policies=("ContractorRead",),
            tags={"Team": "data-platform"},
            description="Brightwater Analytics: reports",
        ),
        RoleSpec(
            "glue-nightly",
            service_trust("glue"),
            610,
            "/workloads/",
            0.3,
            policies=(aws_managed("service-role/AWSGlueServiceRole"), "LakeWrite"),
            tags={"Team": "data-platform"},
            description="Runs the nightly Glue jobs",
        ),
        RoleSpec(
            "emr-legacy",
            service_trust("elasticmapreduce"),
            1400,
            "/legacy/",
            190,
            policies=(aws_managed("service-role/AmazonElasticMapReduceRole"),),
            tags={"Team": "data-platform"},
            description="Cluster from before the data lake",
        ),
        RoleSpec(
            "forecast-export",
            service_trust("lambda"),
            160,
            "/workloads/",
            0.7,
            inline={"sign-in": document(allow("Tokens", TOKEN))},
            tags={"Team": "data-platform"},
            description="Sends forecasts to a service outside of AWS, signed in with a token of AWS",
        ),
        # The same with a condition on the audience: must not be reported.
        RoleSpec(
            "warehouse-export",
            service_trust("lambda"),
            140,
            "/workloads/",
            0.8,
            inline={"sign-in": document(allow("Tokens", TOKEN, **TO_WAREHOUSE))},
            tags={"Team": "data-platform"},
            description="Fills a warehouse outside of AWS, signed in with a token of AWS for it alone",
        ),
        # Any principal, but only from inside the organization: must not be reported as open.
        RoleSpec(
            "lake-reader",
            trusts("*", StringEquals={"aws:PrincipalOrgID": ORGANISATION_ID}),
            280,
            "/shared/",
            0.2,
            policies=("AnalystRead",),
            tags={"Team": "data-platform"},
            description="Data lake read access for all Northline accounts",
        ),
    )
    return PlantedTrouble(
        policies=policies,
        roles=roles,
        providers=(ProviderSpec("saml", "Brightwater", 400, expires_in=18, tags={"Team": "data-platform"}),),
        delegations=(
            DelegationSpec(
                BRIGHTWATER,
                "Brightwater Analytics",
                "Connects the reports to the data lake.",
                document(allow("Read", ("s3:GetObject", "s3:ListBucket"), lake)),
                "PENDING_APPROVAL",
                filed=1.5,
                changed=1.2,
                owner=f"arn:aws:iam::{DATA}:user/people/priya.raman",
                duration=2 * 3600,
            ),
        ),
        issues_tokens=True,
        attached=(("ml-research", "BatchSubmit"), ("data-platform", "PolicyTuning")),
    )


def staging() -> PlantedTrouble:
    """Return the problems in staging: trust policies without a subject, a build server and pods with full
    access, access for any certificate, and users who can attach policies to themselves.
    """
    issuer = eks_provider(STAGING)
    any_branch = trusts(
        {"Federated": f"arn:aws:iam::{STAGING}:oidc-provider/{GITHUB}"},
        "sts:AssumeRoleWithWebIdentity",
        StringEquals={f"{GITHUB}:aud": "sts.amazonaws.com"},
    )
    any_pod = trusts(
        {"Federated": f"arn:aws:iam::{STAGING}:oidc-provider/{issuer}"},
        "sts:AssumeRoleWithWebIdentity",
        StringEquals={f"{issuer}:aud": "sts.amazonaws.com"},
    )
    own_policies = allow(
        "Unblock", "iam:AttachUserPolicy", f"arn:aws:iam::{STAGING}:user/people/${{aws:username}}"
    )
    policies = (
        PolicySpec(
            "LegacyFullAccess",
            ((document(allow("All", "*")), 1200),),
            "/legacy/",
            "Build server permissions",
        ),
        job_policy("QaUnblock", "Self-service permissions for testers", "qa", document(own_policies)),
    )
    roles = (
        RoleSpec(
            "jenkins",
            service_trust("ec2"),
            1190,
            "/machines/",
            0.01,
            policies=("LegacyFullAccess", aws_managed("service-role/AmazonEC2RoleforSSM")),
            tags={"Team": "platform"},
            description="The old build server",
        ),
        RoleSpec(
            "pages-preview",
            any_branch,
            210,
            "/pipelines/",
            0.6,
            policies=("WebDev",),
            tags={"Team": "web"},
            description="Previews of pull requests, from any repository on GitHub",
        ),
        RoleSpec(
            "eks-any-pod",
            any_pod,
            350,
            "/pods/",
            0.1,
            policies=("QaRun",),
            tags={"Team": "qa"},
            description="Default role for pods",
        ),
        RoleSpec(
            "lab-device",
            anywhere_trust(),
            270,
            "/workloads/",
            0.4,
            policies=("WebDev",),
            tags=LAB,
            description="Test devices in the lab",
        ),
        RoleSpec(
            "ci-deployer",
            pod_identity_trust(),
            190,
            "/pods/",
            0.1,
            policies=(ADMINISTRATOR,),
            tags=LAB,
            description="Deploys to staging from the cluster",
        ),
    )
    return PlantedTrouble(
        policies=policies,
        roles=roles,
        profiles=(ProfileSpec("jenkins", "jenkins", 1190, "/machines/", {"Team": "platform"}),),
        instances=(
            InstanceSpec(
                "jenkins", "m5.2xlarge", "jenkins", 720, address="10.27.0.9", tags={"Team": "platform"}
            ),
        ),
        anchors=(AnchorSpec("lab-ca", 280),),
        anywhere=(
            AnywhereSpec("lab-devices", ("lab-device",), 270, duration=43200, accepts_session_name=True),
        ),
        pods=(PodIdentitySpec("staging", "ci", "deployer", "ci-deployer", 190, tags=LAB),),
        attached=(("qa", "QaUnblock"),),
    )


def sandbox() -> PlantedTrouble:
    """Return the problems in the sandbox: a role open to the world, everything except IAM, and a sign-in
    without an audience.
    """
    without_audience = trusts(
        {"Federated": f"arn:aws:iam::{SANDBOX}:saml-provider/Okta"}, "sts:AssumeRoleWithSAML"
    )
    not_identities = {
        "Sid": "AllButIdentities",
        "Effect": "Allow",
        "NotAction": ["iam:*", "organizations:*", "account:*"],
        "Resource": "*",
    }
    policies = (
        job_policy("BuildersPower", "Everything but identities", "platform", document(not_identities)),
        job_policy(
            "VendorTrial",
            "Marketplace trials; denied by the sandbox SCP",
            "platform",
            document(allow("Buy", "aws-marketplace:*")),
        ),
        job_policy("TrailOps", "CloudTrail tests", "security", document(allow("Trail", "cloudtrail:*"))),
        # NotAction in a Deny statement allows nothing: must not be reported.
        job_policy(
            "OnlyEurope",
            "Denies everything outside Europe except global services",
            "platform",
            document(
                deny_but(
                    "Elsewhere",
                    ("iam:*", "sts:*"),
                    StringNotEquals={"aws:RequestedRegion": "eu-west-1"},
                )
            ),
        ),
    )
    return PlantedTrouble(
        policies=policies,
        roles=(
            RoleSpec(
                "trail-tester",
                service_trust("lambda"),
                300,
                "/workloads/",
                6,
                policies=("TrailOps",),
                tags={"Team": "security"},
                description="Chaos tests for CloudTrail",
            ),
            RoleSpec(
                "public-metrics-reader",
                trusts({"AWS": "*"}),
                150,
                "/shared/",
                40,
                inline={"read": document(allow("Read", "cloudwatch:GetMetricData"))},
                description="For the public dashboard of the hackathon",
            ),
            RoleSpec(
                "sso-legacy",
                without_audience,
                900,
                "/sso/",
                130,
                policies=(aws_managed("ReadOnlyAccess"),),
                description="First Okta trial",
            ),
        ),
        attached=(
            ("builders", "BuildersPower"),
            ("builders", "VendorTrial"),
            ("builders", "OnlyEurope"),
        ),
    )
