"""Documented escalation paths beyond those of `test_public_lists`: what each is called, the actions that it
takes, and who gains what.

Facts from pathfinding.cloud, HackTricks Cloud ("AWS - Privilege Escalation"), the AWS guides on permissions
boundaries, IAM Identity Center and federation, and the guides of the services to which a role is passed.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Documented(NamedTuple):
    """A path. `gains` says whose permissions the caller has afterwards; `method` is what the finder calls the
    step.
    """

    name: str
    actions: tuple[str, ...]
    gains: str
    method: str


NEW_ROLE, NEW_USER, ITSELF = (
    "a role that it creates",
    "a user that it creates",
    "itself, with every permission",
)
PASSED, RUNNING, DIRECTORY = (
    "the role that it passes",
    "the role of what runs",
    "whoever signs in by IAM Identity Center",
)
TRUSTING = "a role that trusts the identity provider"
PASS: Final = "iam:PassRole"


def _row(name: str, gains: str, method: str, *actions: str) -> Documented:
    return Documented(name, actions, gains, method)


PATHS: Final = (
    _row("new role with inline policy", NEW_ROLE, "iam-create-role-put", "iam:CreateRole",
        "iam:PutRolePolicy"),
    _row("new role with managed policy", NEW_ROLE, "iam-create-role-attach", "iam:CreateRole",
        "iam:AttachRolePolicy", "sts:AssumeRole"),
    _row("new user with inline policy and key", NEW_USER, "iam-create-user-put", "iam:CreateUser",
        "iam:PutUserPolicy", "iam:CreateAccessKey"),
    _row("new user with managed policy and key", NEW_USER, "iam-create-user-attach", "iam:CreateUser",
        "iam:AttachUserPolicy", "iam:CreateAccessKey"),
    _row("new user with inline policy and password", NEW_USER, "iam-create-user-put", "iam:CreateUser",
        "iam:PutUserPolicy", "iam:CreateLoginProfile"),
    _row("new user with managed policy and password", NEW_USER, "iam-create-user-attach", "iam:CreateUser",
        "iam:AttachUserPolicy", "iam:CreateLoginProfile"),
    _row("new user in a group with more", NEW_USER, "iam-create-user", "iam:CreateUser",
        "iam:AddUserToGroup", "iam:CreateAccessKey"),
    _row("new group with inline policy", ITSELF, "iam-create-group-put", "iam:CreateGroup",
        "iam:PutGroupPolicy", "iam:AddUserToGroup"),
    _row("new group with managed policy", ITSELF, (
        "iam-create-group-attach"
    ), "iam:CreateGroup", "iam:AttachGroupPolicy", "iam:AddUserToGroup"),
    _row("new role for a new function", NEW_ROLE, "iam-create-role-attach", "iam:CreateRole",
        "iam:AttachRolePolicy", PASS, "lambda:CreateFunction", "lambda:InvokeFunction"),
    _row("new instance profile", PASSED, (
        "pass-role-ec2-instance-new-profile"
    ), PASS, "iam:CreateInstanceProfile", "iam:AddRoleToInstanceProfile", "ec2:RunInstances"),
    _row("role of an instance profile in use", PASSED, "pass-role-profile-role", PASS, (
        "iam:AddRoleToInstanceProfile"
    ), "iam:RemoveRoleFromInstanceProfile", "ssm:StartSession"),
    _row("SAML provider replaced", TRUSTING, "iam-update-saml-provider", "iam:UpdateSAMLProvider"),
    _row("SAML provider created", TRUSTING, "iam-create-saml-provider", "iam:CreateSAMLProvider"),
    _row("OpenID Connect provider created", TRUSTING, (
        "iam-create-oidc-provider"
    ), "iam:CreateOpenIDConnectProvider"),
    _row("client added to OpenID Connect provider", TRUSTING, "iam-add-client-id", (
        "iam:AddClientIDToOpenIDConnectProvider"
    )),
    _row("thumbprint of OpenID Connect provider", TRUSTING, "iam-update-thumbprint", (
        "iam:UpdateOpenIDConnectProviderThumbprint"
    )),
    _row("permission set with inline policy", DIRECTORY, (
        "sso-create-permission-set-inline"
    ), "sso:CreatePermissionSet", "sso:PutInlinePolicyToPermissionSet", "sso:CreateAccountAssignment"),
    _row("account assignment", DIRECTORY, "sso-account-assignment", "sso:CreateAccountAssignment"),
    _row("customer policy on a permission set", DIRECTORY, (
        "sso-attach-customer-policy"
    ), "sso:AttachCustomerManagedPolicyReferenceToPermissionSet", "sso:ProvisionPermissionSet"),
    _row("boundary of a permission set removed", DIRECTORY, "sso-remove-boundary", (
        "sso:DeletePermissionsBoundaryFromPermissionSet"
    )),
    _row("boundary of a permission set replaced", DIRECTORY, "sso-replace-boundary", (
        "sso:PutPermissionsBoundaryToPermissionSet"
    )),
    _row("inline policy of a permission set removed", DIRECTORY, (
        "sso-remove-inline-policy"
    ), "sso:DeleteInlinePolicyFromPermissionSet"),
    _row("directory group joined", DIRECTORY, (
        "identitystore-group-membership"
    ), "identitystore:CreateGroupMembership"),
    _row("directory group joined in the console", DIRECTORY, (
        "sso-directory-group-membership"
    ), "sso-directory:AddMemberToGroup"),
    _row("directory password reset", DIRECTORY, "sso-directory-password", "sso-directory:UpdatePassword"),
    _row("directory user created", DIRECTORY, (
        "identitystore-create-user"
    ), "identitystore:CreateUser", "identitystore:CreateGroupMembership"),
    _row("directory user changed", DIRECTORY, "identitystore-update-user", "identitystore:UpdateUser"),
    _row("directory token", DIRECTORY, "sso-provisioning-token", "sso-directory:CreateBearerToken"),
    _row("function given a role", PASSED, (
        "pass-role-lambda-configuration-invoke"
    ), PASS, "lambda:UpdateFunctionConfiguration", "lambda:InvokeFunction"),
    _row("function with a URL", PASSED, "pass-role-lambda-url", PASS, "lambda:CreateFunction", (
        "lambda:CreateFunctionUrlConfig"
    )),
    _row("layer added to a function", RUNNING, "lambda-layer", (
        "lambda:PublishLayerVersion"
    ), "lambda:UpdateFunctionConfiguration"),
    _row("ECS service updated", PASSED, (
        "pass-role-ecs-update-service"
    ), PASS, "ecs:RegisterTaskDefinition", "ecs:UpdateService"),
    _row("image replaced", RUNNING, "ecs-image", "ecr:PutImage", (
        "ecr:InitiateLayerUpload"
    ), "ecr:UploadLayerPart", "ecr:CompleteLayerUpload"),
    _row("pipeline created", PASSED, "pass-role-codepipeline", PASS, "codepipeline:CreatePipeline"),
    _row("pipeline updated", PASSED, (
        "pass-role-codepipeline-update"
    ), PASS, "codepipeline:UpdatePipeline", "codepipeline:StartPipelineExecution"),
    _row("pipeline changed", RUNNING, "codepipeline-change", "codepipeline:UpdatePipeline"),
    _row("build project updated", PASSED, (
        "pass-role-codebuild-update"
    ), PASS, "codebuild:UpdateProject", "codebuild:StartBuild"),
    _row("build project changed", RUNNING, "codebuild-update-project", "codebuild:UpdateProject"),
    _row("stack updated with a role", PASSED, (
        "pass-role-cloudformation-update-stack"
    ), PASS, "cloudformation:UpdateStack"),
    _row("change set with a role", PASSED, (
        "pass-role-cloudformation-change-set"
    ), PASS, "cloudformation:CreateChangeSet", "cloudformation:ExecuteChangeSet"),
    _row("stack set changed", RUNNING, "cloudformation-stack-set-change", "cloudformation:UpdateStackSet"),
    _row("document changed", RUNNING, (
        "ssm-update-document-instance"
    ), "ssm:UpdateDocument", "ssm:UpdateDocumentDefaultVersion"),
    _row("association created", RUNNING, "ssm-create-association", "ssm:CreateAssociation"),
    _row("association changed", RUNNING, "ssm-update-association", "ssm:UpdateAssociation"),
    _row("maintenance window", PASSED, (
        "pass-role-ssm-maintenance"
    ), PASS, "ssm:CreateMaintenanceWindow", "ssm:RegisterTaskWithMaintenanceWindow"),
    _row("incident response plan", PASSED, (
        "pass-role-ssm-incidents"
    ), PASS, "ssm-incidents:CreateResponsePlan", "ssm-incidents:StartIncident"),
    _row("Config remediation", PASSED, (
        "pass-role-config-remediation"
    ), PASS, "config:PutRemediationConfigurations", "config:StartRemediationExecution"),
    _row("Beanstalk environment created", PASSED, (
        "pass-role-elastic-beanstalk"
    ), PASS, "elasticbeanstalk:CreateApplication", (
        "elasticbeanstalk:CreateApplicationVersion"
    ), "elasticbeanstalk:CreateEnvironment"),
    _row("Beanstalk version deployed", RUNNING, (
        "elastic-beanstalk-version"
    ), "elasticbeanstalk:CreateApplicationVersion", "elasticbeanstalk:UpdateEnvironment"),
    _row("Cloud9 environment joined", RUNNING, "cloud9-member", "cloud9:CreateEnvironmentMembership"),
    _row("Cloud9 environment opened", RUNNING, "cloud9-token", "cloud9:CreateEnvironmentToken"),
    _row("Airflow environment created", PASSED, "pass-role-airflow", PASS, "airflow:CreateEnvironment"),
    _row("Airflow environment opened", RUNNING, "airflow-web", "airflow:CreateWebLoginToken"),
    _row("Airflow commands", RUNNING, "airflow-cli", "airflow:CreateCliToken"),
    _row("Amplify app", PASSED, "pass-role-amplify", PASS, "amplify:CreateApp", "amplify:CreateBranch",
        "amplify:StartJob"),
    _row("AppStream image builder", PASSED, (
        "pass-role-appstream-image-builder"
    ), PASS, "appstream:CreateImageBuilder", "appstream:CreateImageBuilderStreamingURL"),
    _row("EMR steps", RUNNING, "emr-steps", "elasticmapreduce:AddJobFlowSteps"),
    _row("EMR Serverless job", PASSED, (
        "pass-role-emr-serverless-existing"
    ), PASS, "emr-serverless:StartJobRun"),
    _row("EKS access entry", RUNNING, "eks-access", "eks:CreateAccessEntry", "eks:AssociateAccessPolicy"),
    _row("EKS pod identity", PASSED, "pass-role-eks-pod-identity", PASS, "eks:CreatePodIdentityAssociation"),
    _row("Glue job changed", RUNNING, "glue-change-job", "glue:UpdateJob", "glue:StartJobRun"),
    _row("Glue statement", RUNNING, "glue-statement", "glue:RunStatement"),
    _row("schedule updated", PASSED, "pass-role-scheduler-update", PASS, "scheduler:UpdateSchedule"),
    _row("state tested", PASSED, "pass-role-step-functions-test", PASS, "states:TestState"),
    _row("state machine updated with a role", PASSED, (
        "pass-role-step-functions-update"
    ), PASS, "states:UpdateStateMachine", "states:StartExecution"),
    _row("SageMaker domain opened", RUNNING, "sagemaker-domain-url", "sagemaker:CreatePresignedDomainUrl"),
    _row("SageMaker user profile", PASSED, (
        "pass-role-sagemaker-user-profile"
    ), PASS, "sagemaker:CreateUserProfile", "sagemaker:CreatePresignedDomainUrl"),
    _row("SageMaker tuning job", PASSED, (
        "pass-role-sagemaker-tuning"
    ), PASS, "sagemaker:CreateHyperParameterTuningJob"),
    _row("SageMaker model", PASSED, (
        "pass-role-sagemaker-model"
    ), PASS, "sagemaker:CreateModel", "sagemaker:CreateEndpointConfig", "sagemaker:CreateEndpoint"),
    _row("SageMaker pipeline", PASSED, (
        "pass-role-sagemaker-pipeline"
    ), PASS, "sagemaker:CreatePipeline", "sagemaker:StartPipelineExecution"),
    _row("Roles Anywhere profile", PASSED, (
        "pass-role-roles-anywhere"
    ), PASS, "rolesanywhere:CreateTrustAnchor", "rolesanywhere:CreateProfile"),
    _row("Roles Anywhere trust anchor", RUNNING, "roles-anywhere-anchor", "rolesanywhere:CreateTrustAnchor"),
    _row("IoT role alias", PASSED, (
        "pass-role-iot-role-alias"
    ), PASS, "iot:CreateRoleAlias", "iot:CreateKeysAndCertificate", "iot:CreatePolicy", "iot:AttachPolicy"),
    _row("API that calls AWS", PASSED, "pass-role-api-gateway", PASS, "apigateway:POST", "apigateway:PUT"),
    _row("GraphQL API that calls AWS", PASSED, "pass-role-appsync", PASS, (
        "appsync:CreateGraphqlApi"
    ), "appsync:CreateDataSource", "appsync:CreateResolver"),
    _row("identity pool opened", RUNNING, (
        "cognito-identity-unauthenticated"
    ), "cognito-identity:UpdateIdentityPool"),
    _row("serial console", RUNNING, "ec2-serial-console", (
        "ec2-instance-connect:SendSerialConsoleSSHPublicKey"
    )),
    _row("root volume replaced", RUNNING, "ec2-root-volume", "ec2:CreateReplaceRootVolumeTask"),
    _row("canary", PASSED, "pass-role-synthetics", PASS, (
        "synthetics:CreateCanary"
    ), "synthetics:StartCanary", "lambda:CreateFunction", "lambda:PublishLayerVersion"),
    _row("Kafka connector", PASSED, (
        "pass-role-kafka-connect"
    ), PASS, "kafkaconnect:CreateCustomPlugin", "kafkaconnect:CreateConnector"),
    _row("launched product", RUNNING, "service-catalog-launch", (
        "servicecatalog:CreateProvisioningArtifact"
    ), "servicecatalog:ProvisionProduct"),
    _row("machine registered", PASSED, "pass-role-ssm-activation", PASS, "ssm:CreateActivation"),
    _row("Spark workgroup", PASSED, "pass-role-athena-spark", PASS, "athena:CreateWorkGroup",
        "athena:StartSession", (
        "athena:StartCalculationExecution"
    )),
    _row("Spark session", RUNNING, "athena-spark-session", "athena:StartSession", (
        "athena:StartCalculationExecution"
    )),
    _row("build sandbox of a new project", PASSED, (
        "pass-role-codebuild-sandbox"
    ), PASS, "codebuild:CreateProject", "codebuild:StartSandbox", "codebuild:StartCommandExecution"),
    _row("commands in a build sandbox", RUNNING, "codebuild-sandbox", "codebuild:StartSandbox", (
        "codebuild:StartCommandExecution"
    )),
    _row("connection to a build sandbox", RUNNING, (
        "codebuild-sandbox-connection"
    ), "codebuild:StartSandbox", "codebuild:StartSandboxConnection"),
    _row("serverless Airflow workflow", PASSED, (
        "pass-role-airflow-serverless"
    ), PASS, "airflow-serverless:CreateWorkflow", "airflow-serverless:StartWorkflowRun"),
    _row("serverless Airflow workflow changed", RUNNING, (
        "airflow-serverless-change"
    ), "airflow-serverless:UpdateWorkflow", "airflow-serverless:StartWorkflowRun"),
    _row("resource type with code", PASSED, (
        "pass-role-cloudformation-type"
    ), PASS, "cloudformation:RegisterType", "cloudformation:CreateResource"),
    _row("group of Cognito users given a role", PASSED, (
        "pass-role-cognito-group-update"
    ), PASS, "cognito-idp:UpdateGroup"),
    _row("Greengrass component", RUNNING, "greengrass-deployment", (
        "greengrass:CreateComponentVersion"
    ), "greengrass:CreateDeployment"),
    _row("Studio space", RUNNING, "sagemaker-space-session", "sagemaker:StartSession"),
    _row("password of a managed directory", RUNNING, "directory-password", "ds:ResetUserPassword"),
    _row("group of a managed directory", RUNNING, "directory-group", "ds-data:AddGroupMember"),
    _row("experiment created", PASSED, (
        "pass-role-fault-injection"
    ), PASS, "fis:CreateExperimentTemplate", "fis:StartExperiment"),
    _row("experiment changed", RUNNING, "fault-injection-change", (
        "fis:UpdateExperimentTemplate"
    ), "fis:StartExperiment"),
    _row("commands from Slack", PASSED, (
        "pass-role-chatbot-slack"
    ), PASS, "chatbot:CreateSlackChannelConfiguration"),
    _row("commands from Teams", PASSED, (
        "pass-role-chatbot-teams"
    ), PASS, "chatbot:CreateMicrosoftTeamsChannelConfiguration"),
    _row("channel moved", RUNNING, "chatbot-slack-change", "chatbot:UpdateSlackChannelConfiguration"),
    _row("DataZone environment given a role", PASSED, "pass-role-datazone", PASS, (
        "datazone:AssociateEnvironmentRole"
    ), "datazone:GetEnvironmentCredentials"),
    _row("credentials of a DataZone environment", RUNNING, "datazone-credentials", (
        "datazone:GetEnvironmentCredentials"
    )),
    _row("budget action created", PASSED, "pass-role-budget-action", PASS, "budgets:CreateBudgetAction"),
    _row("budget action changed", RUNNING, "budget-action-change", "budgets:UpdateBudgetAction"),
    _row("stack from another repository", PASSED, (
        "pass-role-cloudformation-git-sync-update"
    ), PASS, "codeconnections:UpdateSyncConfiguration"),
    _row("resource by Cloud Control API", PASSED, (
        "pass-role-cloud-control"
    ), PASS, "cloudformation:CreateResource"),
    _row("extension activated", PASSED, (
        "pass-role-cloudformation-activate-type"
    ), PASS, "cloudformation:ActivateType", "cloudformation:CreateResource"),
    _row("pod identity changed", PASSED, (
        "pass-role-eks-pod-identity-update"
    ), PASS, "eks:UpdatePodIdentityAssociation"),
    _row("capability of a cluster", PASSED, "pass-role-eks-capability", PASS, "eks:CreateCapability"),
    _row("ECS daemon", PASSED, "pass-role-ecs-daemon", PASS, (
        "ecs:RegisterDaemonTaskDefinition"
    ), "ecs:CreateDaemon"),
    _row("own container instance", RUNNING, "ecs-register-instance", "ecs:RegisterContainerInstance"),
    _row("Batch from nothing", PASSED, (
        "pass-role-batch-instances"
    ), PASS, "batch:CreateComputeEnvironment", "batch:CreateJobQueue", (
        "batch:RegisterJobDefinition"
    ), "batch:SubmitJob"),
    _row("web function", PASSED, "pass-role-lambda-web-function", PASS, "lambda:CreateWebFunction"),
    _row("function opened by its policy", RUNNING, "lambda-policy", "lambda:AddPermission"),
    _row("repository opened by its policy", RUNNING, "ecr-policy", "ecr:SetRepositoryPolicy"),
    _row("tests on devices", PASSED, "pass-role-device-farm", PASS, (
        "devicefarm:CreateProject"
    ), "devicefarm:ScheduleRun"),
    _row("role of a Greengrass group", PASSED, (
        "pass-role-greengrass-group"
    ), PASS, "greengrass:AssociateRoleToGroup"),
    _row("event rule", PASSED, "pass-role-event-rule", PASS, "events:PutRule", "events:PutTargets"),
    _row("targets of an event rule", RUNNING, "event-targets-change", "events:PutTargets"),
    _row("pipe created", PASSED, "pass-role-pipe", PASS, "pipes:CreatePipe"),
    _row("pipe changed", RUNNING, "pipe-change", "pipes:UpdatePipe"),
    _row("role of a registered machine", PASSED, (
        "pass-role-ssm-managed-instance"
    ), PASS, "ssm:UpdateManagedInstanceRole"),
    _row("role of all instances", PASSED, "pass-role-ssm-host-management", PASS, "ssm:UpdateServiceSetting"),
    _row("session resumed", RUNNING, "ssm-resume-session", "ssm:ResumeSession"),
    _row("session in a task", RUNNING, "ssm-session-task", "ssm:StartSession"),
    _row("change request", PASSED, "pass-role-ssm-change-request", PASS, "ssm:StartChangeRequestExecution"),
    _row("AgentCore gateway", PASSED, (
        "pass-role-agentcore-gateway"
    ), PASS, "bedrock-agentcore:CreateGateway", "bedrock-agentcore:CreateGatewayTarget"),
    _row("AgentCore runtime replaced", RUNNING, (
        "agentcore-runtime-change"
    ), "bedrock-agentcore:UpdateAgentRuntime"),
    _row("AppStream fleet opened", RUNNING, "appstream-open-fleet", "appstream:CreateStreamingURL"),
    _row("WorkSpaces instance", PASSED, (
        "pass-role-workspace-instance"
    ), PASS, "workspaces-instances:CreateWorkspaceInstance"),
    _row("Spark workgroup changed", PASSED, (
        "pass-role-athena-spark-update"
    ), PASS, "athena:UpdateWorkGroup", "athena:StartSession", "athena:StartCalculationExecution"),
    _row("developer identity", RUNNING, "cognito-developer", (
        "cognito-identity:GetOpenIdTokenForDeveloperIdentity"
    )),
    _row("Cognito user created", RUNNING, "cognito-create-user", "cognito-idp:AdminCreateUser"),
    _row("Cognito user changed", RUNNING, "cognito-attributes", "cognito-idp:AdminUpdateUserAttributes"),
    _row("provider of a user pool", RUNNING, "cognito-provider-update", "cognito-idp:UpdateIdentityProvider"),
    _row("dry run of a canary", RUNNING, "synthetics-dry-run", "synthetics:StartCanaryDryRun"),
    _row("SageMaker profile given a role", PASSED, (
        "pass-role-sagemaker-profile-update"
    ), PASS, "sagemaker:UpdateUserProfile", "sagemaker:CreatePresignedDomainUrl"),
    _row("game server opened", RUNNING, "gamelift-compute", "gamelift:GetComputeAccess"),
    _row("source pushed", RUNNING, "codecommit-push", "codecommit:GitPush"),
    _row("source merged", RUNNING, "codecommit-merge", "codecommit:MergePullRequestByFastForward"),
    _row("volume changed", RUNNING, "ec2-volume", "ec2:StopInstances", "ec2:DetachVolume",
        "ec2:AttachVolume", "ec2:StartInstances"),
    _row("scheduled job given a role", PASSED, "pass-role-glue-update-scheduled", PASS, "glue:UpdateJob"),
    _row("Glue blueprint", PASSED, (
        "pass-role-glue-blueprint"
    ), PASS, "glue:CreateBlueprint", "glue:StartBlueprintRun"),
    _row("job on EKS", RUNNING, "emr-containers-job", "emr-containers:StartJobRun"),
    _row("notebook run on a cluster", RUNNING, "emr-notebook-run", "elasticmapreduce:StartNotebookExecution"),
    _row("function that something invokes", PASSED, "pass-role-lambda-named", PASS, "lambda:CreateFunction"),
    _row("job that a trigger starts", PASSED, "pass-role-glue-job-named", PASS, "glue:CreateJob"),
    _row("group from a launch template", PASSED, (
        "pass-role-auto-scaling-update-template"
    ), PASS, "autoscaling:UpdateAutoScalingGroup", "ec2:CreateLaunchTemplate"),
    _row("managed policy of a permission set detached", DIRECTORY, (
        "sso-detach-managed-policy"
    ), "sso:DetachManagedPolicyFromPermissionSet"),
    _row("entitlement to a role", DIRECTORY, (
        "account-access-entitlement"
    ), "account-access:CreateEntitlement"),
)  # fmt: skip
