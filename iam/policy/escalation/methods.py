"""The methods by which a principal gets the permissions of another one, as data.

Compared with the lists of Rhino Security Labs ("AWS IAM Privilege Escalation Methods"), pathfinding.cloud and Prowler
("privilege_escalation_policies_combination"); which actions a call needs, and on what: "Service Authorization Reference".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Sort(StrEnum):
    """What a method does, which says how its edge is found."""

    ASSUME = "assume"
    """Assumes a role whose trust policy allows the caller."""
    RETRUST = "retrust"
    """Changes the trust policy of a role, then assumes it."""
    SIGN_IN = "sign-in"
    """Creates credentials of a user."""
    PASS = "pass"  # noqa: S105
    """Passes a role to a service, which then does what the caller tells it to."""
    EXISTING = "existing"
    """Changes what a resource that already has a role does."""
    GRANT = "grant"
    """Gives a principal any permissions."""
    UNBOUND = "unbound"
    """Removes a permissions boundary, or widens it."""
    JOIN = "join"
    """Puts a user into a group."""
    RESTORE = "restore"
    """Sets another version of a policy as the default."""
    SIGN_ON = "sign-on"
    """Writes permission sets of IAM Identity Center."""


TARGET: Final = "target"
"""The need is asked on the principal, group or policy that the method is about."""


@dataclass(frozen=True, slots=True)
class Need:
    """An action. `on` is TARGET, the name of a resource type of the action's service, or empty where it takes no resource."""

    action: str
    on: str = TARGET

    @property
    def service(self) -> str:
        """The prefix of the action."""
        return self.action.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Method:
    """A way. `title` has one place for the name of the target.

    `of` says of which sort of entity the target is. `service` is what `iam:PassedToService` holds, `trusted` who must be
    among those whom the trust of the role admits. `assumes` says what nobody can read from policies, so that the way is
    at most conditional.
    """

    name: str
    sort: Sort
    title: str
    needs: tuple[Need, ...]
    of: str = "role"
    service: str = ""
    trusted: str = ""
    assumes: str = ""

    @property
    def own_needs(self) -> tuple[Need, ...]:
        """Those that are not about the target."""
        return tuple(need for need in self.needs if need.on != TARGET)

    @property
    def target_needs(self) -> tuple[Need, ...]:
        """Those about the target."""
        return tuple(need for need in self.needs if need.on == TARGET)


def _iam(name: str, sort: Sort, title: str, of: str, *actions: str) -> Method:
    return Method(name, sort, title, tuple(Need(f"iam:{action}") for action in actions), of)


PASS_ROLE: Final = Need("iam:PassRole")
ON_ITSELF: Final = (
    Method("sts-assume-role", Sort.ASSUME, "Assumes role {0}", (Need("sts:AssumeRole"),)),
    _iam("iam-update-assume-role-policy", Sort.RETRUST, "Changes the trust policy of {0}, then assumes the role", "role", "UpdateAssumeRolePolicy"),
    _iam("iam-create-access-key", Sort.SIGN_IN, "Creates an access key for {0}", "user", "CreateAccessKey"),
    _iam("iam-create-login-profile", Sort.SIGN_IN, "Creates a console password for {0}", "user", "CreateLoginProfile"),
    _iam("iam-update-login-profile", Sort.SIGN_IN, "Resets the console password of {0}", "user", "UpdateLoginProfile"),
    _iam("iam-put-user-policy", Sort.GRANT, "Adds an inline policy to {0}", "user", "PutUserPolicy"),
    _iam("iam-attach-user-policy", Sort.GRANT, "Attaches AdministratorAccess to {0}", "user", "AttachUserPolicy"),
    _iam("iam-put-role-policy", Sort.GRANT, "Adds an inline policy to {0}", "role", "PutRolePolicy"),
    _iam("iam-attach-role-policy", Sort.GRANT, "Attaches AdministratorAccess to {0}", "role", "AttachRolePolicy"),
    _iam("iam-put-group-policy", Sort.GRANT, "Adds an inline policy to group {0}", "group", "PutGroupPolicy"),
    _iam("iam-attach-group-policy", Sort.GRANT, "Attaches AdministratorAccess to group {0}", "group", "AttachGroupPolicy"),
    _iam("iam-create-policy-version", Sort.GRANT, "Creates a new version of policy {0}", "policy", "CreatePolicyVersion"),
    _iam("iam-delete-user-permissions-boundary", Sort.UNBOUND, "Removes the permissions boundary of {0}", "user", "DeleteUserPermissionsBoundary"),
    _iam("iam-put-user-permissions-boundary", Sort.UNBOUND, "Sets a permissions boundary for {0} that allows everything", "user", "PutUserPermissionsBoundary"),
    _iam("iam-delete-role-permissions-boundary", Sort.UNBOUND, "Removes the permissions boundary of {0}", "role", "DeleteRolePermissionsBoundary"),
    _iam("iam-put-role-permissions-boundary", Sort.UNBOUND, "Sets a permissions boundary for {0} that allows everything", "role", "PutRolePermissionsBoundary"),
    _iam("iam-add-user-to-group", Sort.JOIN, "Joins group {0}", "group", "AddUserToGroup"),
    _iam("iam-set-default-policy-version", Sort.RESTORE, "Sets an older version of {0} as the default", "policy", "SetDefaultPolicyVersion"),
)  # fmt: skip
"""Methods whose only needs are on what they are about."""


def _pass(name: str, title: str, service: str, *needs: str, trusted: str = "", assumes: str = "") -> Method:
    return Method(
        f"pass-role-{name}", Sort.PASS, title, (PASS_ROLE, *map(_need, needs)),
        service=service, trusted=trusted or service, assumes=assumes,
    )  # fmt: skip


def _existing(name: str, title: str, trusted: str, what: str, *needs: str) -> Method:
    assumes = f"{what} with this role (not synced by Gatehouse)"
    return Method(name, Sort.EXISTING, title, tuple(map(_need, needs)), trusted=trusted, assumes=assumes)


def _need(text: str) -> Need:
    action, _, on = text.partition(" ")
    return Need(action, on)


LAMBDA, EC2, ECS = "lambda.amazonaws.com", "ec2.amazonaws.com", "ecs-tasks.amazonaws.com"
CLOUDFORMATION, CODEBUILD, GLUE = (
    "cloudformation.amazonaws.com",
    "codebuild.amazonaws.com",
    "glue.amazonaws.com",
)
SAGEMAKER, SSM, AGENTCORE = "sagemaker.amazonaws.com", "ssm.amazonaws.com", "bedrock-agentcore.amazonaws.com"
APPRUNNER, STATES, OMICS = "tasks.apprunner.amazonaws.com", "states.amazonaws.com", "omics.amazonaws.com"
COGNITO, CODEDEPLOY, EMR = "cognito-identity.amazonaws.com", "codedeploy.amazonaws.com", "elasticmapreduce.amazonaws.com"  # fmt: skip
PASSING: Final = (
    _pass("lambda-invoke", "Creates a Lambda function with role {0} and invokes it", LAMBDA, "lambda:CreateFunction function", "lambda:InvokeFunction function"),
    _pass("lambda-event-source", "Creates a Lambda function with role {0} that a queue or table invokes", LAMBDA, "lambda:CreateFunction function", "lambda:CreateEventSourceMapping"),
    _pass("lambda-permission", "Creates a Lambda function with role {0} that another account can invoke", LAMBDA, "lambda:CreateFunction function", "lambda:AddPermission function"),
    _pass("ec2-instance", "Starts an EC2 instance with role {0}", EC2, "ec2:RunInstances instance"),
    _pass("ec2-spot", "Requests a spot instance with role {0}", EC2, "ec2:RequestSpotInstances spot-instances-request"),
    _pass("ec2-profile", "Attaches the instance profile of {0} to a running EC2 instance", EC2, "ec2:AssociateIamInstanceProfile instance"),
    _pass("ec2-replace-profile", "Replaces the instance profile of an EC2 instance with that of {0}", EC2, "ec2:ReplaceIamInstanceProfileAssociation instance"),
    _pass("auto-scaling", "Creates an Auto Scaling group whose instances have role {0}", EC2, "autoscaling:CreateLaunchConfiguration launchConfiguration", "autoscaling:CreateAutoScalingGroup autoScalingGroup"),
    _pass("auto-scaling-update", "Makes an Auto Scaling group start instances with role {0}", EC2, "autoscaling:CreateLaunchConfiguration launchConfiguration", "autoscaling:UpdateAutoScalingGroup autoScalingGroup", assumes="An Auto Scaling group exists (not synced by Gatehouse)"),
    _pass("ecs-run-task", "Runs an ECS task with role {0}", ECS, "ecs:RegisterTaskDefinition task-definition", "ecs:RunTask task-definition"),
    _pass("ecs-start-task", "Starts an ECS task with role {0}", ECS, "ecs:RegisterTaskDefinition task-definition", "ecs:StartTask task-definition"),
    _pass("ecs-service", "Creates an ECS service whose tasks have role {0}", ECS, "ecs:RegisterTaskDefinition task-definition", "ecs:CreateService service"),
    _pass("ecs-override", "Runs an existing ECS task definition with role {0} instead of its role", ECS, "ecs:RunTask task-definition", assumes="A task definition exists (not synced by Gatehouse)"),
    _pass("ecs-start-override", "Starts an existing ECS task definition with role {0} instead of its role", ECS, "ecs:StartTask task-definition", assumes="A task definition exists (not synced by Gatehouse)"),
    _pass("cloudformation-stack", "Creates a CloudFormation stack with role {0}", CLOUDFORMATION, "cloudformation:CreateStack stack"),
    _pass("cloudformation-stack-set", "Creates a CloudFormation stack set with role {0}", CLOUDFORMATION, "cloudformation:CreateStackSet", "cloudformation:CreateStackInstances stackset"),
    _pass("cloudformation-update-stack-set", "Changes a CloudFormation stack set to use role {0}", CLOUDFORMATION, "cloudformation:UpdateStackSet stackset", assumes="A stack set exists (not synced by Gatehouse)"),
    _pass("codebuild", "Creates a CodeBuild project with role {0} and starts it", CODEBUILD, "codebuild:CreateProject project", "codebuild:StartBuild project"),
    _pass("codebuild-batch", "Creates a CodeBuild project with role {0} and starts a batch of it", CODEBUILD, "codebuild:CreateProject project", "codebuild:StartBuildBatch project"),
    _pass("glue-dev-endpoint", "Creates a Glue development endpoint with role {0}", GLUE, "glue:CreateDevEndpoint"),
    _pass("glue-job", "Creates a Glue job with role {0} and starts it", GLUE, "glue:CreateJob job", "glue:StartJobRun job"),
    _pass("glue-job-trigger", "Creates a Glue job with role {0} and a trigger that starts it", GLUE, "glue:CreateJob job", "glue:CreateTrigger trigger"),
    _pass("glue-update-job", "Changes a Glue job to use role {0} and starts it", GLUE, "glue:UpdateJob job", "glue:StartJobRun job", assumes="A Glue job exists (not synced by Gatehouse)"),
    _pass("glue-update-job-trigger", "Changes a Glue job to use role {0} and creates a trigger that starts it", GLUE, "glue:UpdateJob job", "glue:CreateTrigger trigger", assumes="A Glue job exists (not synced by Gatehouse)"),
    _pass("glue-session", "Opens a Glue session with role {0}", GLUE, "glue:CreateSession session", "glue:RunStatement session"),
    _pass("sagemaker-notebook", "Creates a SageMaker notebook with role {0}", SAGEMAKER, "sagemaker:CreateNotebookInstance notebook-instance"),
    _pass("sagemaker-training", "Runs a SageMaker training job with role {0}", SAGEMAKER, "sagemaker:CreateTrainingJob training-job"),
    _pass("sagemaker-processing", "Runs a SageMaker processing job with role {0}", SAGEMAKER, "sagemaker:CreateProcessingJob processing-job"),
    _pass("ssm-automation", "Writes a Systems Manager runbook and starts it with role {0}", SSM, "ssm:CreateDocument document", "ssm:StartAutomationExecution automation-definition"),
    _pass("data-pipeline", "Creates a data pipeline whose instances have role {0}", "datapipeline.amazonaws.com", "datapipeline:CreatePipeline", "datapipeline:PutPipelineDefinition pipeline", "datapipeline:ActivatePipeline pipeline"),
    _pass("data-pipeline-instance", "Creates a data pipeline whose instances have role {0}", EC2, "datapipeline:CreatePipeline", "datapipeline:PutPipelineDefinition pipeline", "datapipeline:ActivatePipeline pipeline"),
    _pass("app-runner", "Creates an App Runner service with role {0}", APPRUNNER, "apprunner:CreateService service"),
    _pass("app-runner-update", "Gives an App Runner service the role {0}", APPRUNNER, "apprunner:UpdateService service", assumes="An App Runner service exists (not synced by Gatehouse)"),
    _pass("agentcore-interpreter", "Creates a Bedrock AgentCore code interpreter with role {0}", AGENTCORE, "bedrock-agentcore:CreateCodeInterpreter", "bedrock-agentcore:StartCodeInterpreterSession code-interpreter-custom", "bedrock-agentcore:InvokeCodeInterpreter code-interpreter-custom"),
    _pass("agentcore-runtime", "Creates a Bedrock AgentCore runtime with role {0}", AGENTCORE, "bedrock-agentcore:CreateAgentRuntime", "bedrock-agentcore:InvokeAgentRuntimeCommand runtime"),
    _pass("agentcore-harness", "Creates a Bedrock AgentCore harness with role {0}", AGENTCORE, "bedrock-agentcore:CreateHarness", "bedrock-agentcore:CreateAgentRuntime", "bedrock-agentcore:InvokeAgentRuntimeCommand runtime"),
    _pass("agentcore-browser", "Creates a Bedrock AgentCore browser with role {0}", AGENTCORE, "bedrock-agentcore:CreateBrowser", "bedrock-agentcore:StartBrowserSession browser-custom", "bedrock-agentcore:ConnectBrowserAutomationStream"),
    _pass("step-functions", "Creates a state machine with role {0} and starts it", STATES, "states:CreateStateMachine statemachine", "states:StartExecution statemachine"),
    _pass("scheduler", "Creates a schedule that calls AWS with role {0}", "scheduler.amazonaws.com", "scheduler:CreateSchedule schedule"),
    _pass("batch", "Defines a Batch job with role {0} and submits it", ECS, "batch:RegisterJobDefinition job-definition", "batch:SubmitJob job-definition"),
    _pass("emr", "Starts an EMR cluster whose instances have role {0}", EC2, "elasticmapreduce:RunJobFlow"),
    _pass("emr-service", "Starts an EMR cluster with role {0}", EMR, "elasticmapreduce:RunJobFlow"),
    _pass("emr-serverless", "Runs an EMR Serverless job with role {0}", "emr-serverless.amazonaws.com", "emr-serverless:CreateApplication", "emr-serverless:StartJobRun application"),
    _pass("image-builder", "Builds an image on an instance with role {0}", EC2, "imagebuilder:CreateComponent component", "imagebuilder:CreateImageRecipe imageRecipe", "imagebuilder:CreateInfrastructureConfiguration infrastructureConfiguration", "imagebuilder:CreateImage image"),
    _pass("codedeploy", "Deploys with CodeDeploy using role {0}", CODEDEPLOY, "codedeploy:CreateDeploymentGroup deploymentgroup", "codedeploy:CreateDeployment deploymentgroup"),
    _pass("gamelift", "Creates a GameLift fleet with role {0}", "gamelift.amazonaws.com", "gamelift:CreateBuild", "gamelift:CreateFleet"),
    _pass("kinesis-analytics", "Runs a Kinesis Data Analytics application with role {0}", "kinesisanalytics.amazonaws.com", "kinesisanalytics:CreateApplication", "kinesisanalytics:StartApplication application"),
    _pass("omics", "Runs a HealthOmics workflow with role {0}", OMICS, "omics:CreateWorkflow", "omics:StartRun workflow"),
    _pass("braket", "Runs a Braket job with role {0}", "braket.amazonaws.com", "braket:CreateJob job"),
    _pass("cognito-identity", "Sets {0} as the role of a Cognito identity pool", COGNITO, "cognito-identity:SetIdentityPoolRoles"),
)  # fmt: skip
EXISTING: Final = (
    _existing("lambda-update-code", "Changes the code of a Lambda function that has role {0}", LAMBDA, "A function runs", "lambda:UpdateFunctionCode function"),
    _existing("lambda-update-configuration", "Adds a layer or variables to a Lambda function that has role {0}", LAMBDA, "A function runs", "lambda:UpdateFunctionConfiguration function"),
    _existing("ec2-user-data", "Changes the start script of an EC2 instance that has role {0}", EC2, "An instance runs", "ec2:ModifyInstanceAttribute instance", "ec2:StopInstances instance", "ec2:StartInstances instance"),
    _existing("ec2-launch-template", "Changes a launch template whose instances have role {0}", EC2, "A launch template starts instances", "ec2:CreateLaunchTemplateVersion launch-template", "ec2:ModifyLaunchTemplate launch-template"),
    _existing("ec2-instance-connect", "Sends an SSH key to an EC2 instance that has role {0}", EC2, "An instance runs", "ec2-instance-connect:SendSSHPublicKey instance"),
    _existing("ssm-session", "Opens a session on an EC2 instance that has role {0}", EC2, "An instance runs", "ssm:StartSession instance"),
    _existing("ssm-command", "Runs a command on an EC2 instance that has role {0}", EC2, "An instance runs", "ssm:SendCommand instance"),
    _existing("ecs-execute-command", "Opens a shell in an ECS task that has role {0}", ECS, "A task runs", "ecs:ExecuteCommand cluster"),
    _existing("cloudformation-update-stack", "Changes a CloudFormation stack that has role {0}", CLOUDFORMATION, "A stack exists", "cloudformation:UpdateStack stack"),
    _existing("cloudformation-change-set", "Applies a change set to a CloudFormation stack that has role {0}", CLOUDFORMATION, "A stack exists", "cloudformation:CreateChangeSet stack", "cloudformation:ExecuteChangeSet stack"),
    _existing("codebuild-override", "Starts a CodeBuild project that has role {0}, with other commands", CODEBUILD, "A project exists", "codebuild:StartBuild project"),
    _existing("codebuild-batch-override", "Starts a batch of a CodeBuild project that has role {0}, with other commands", CODEBUILD, "A project exists", "codebuild:StartBuildBatch project"),
    _existing("glue-update-dev-endpoint", "Adds an SSH key to a Glue development endpoint that has role {0}", GLUE, "A development endpoint runs", "glue:UpdateDevEndpoint devendpoint"),
    _existing("sagemaker-presigned-url", "Opens a SageMaker notebook that has role {0}", SAGEMAKER, "A notebook runs", "sagemaker:CreatePresignedNotebookInstanceUrl notebook-instance"),
    _existing("sagemaker-lifecycle", "Adds a start script to a SageMaker notebook that has role {0}", SAGEMAKER, "A notebook runs", "sagemaker:CreateNotebookInstanceLifecycleConfig notebook-instance-lifecycle-config", "sagemaker:StopNotebookInstance notebook-instance", "sagemaker:UpdateNotebookInstance notebook-instance", "sagemaker:StartNotebookInstance notebook-instance"),
    _existing("sagemaker-lifecycle-update", "Changes the start script of a SageMaker notebook that has role {0}", SAGEMAKER, "A notebook runs", "sagemaker:UpdateNotebookInstanceLifecycleConfig notebook-instance-lifecycle-config"),
    _existing("ssm-automation-existing", "Starts a Systems Manager runbook that has role {0}", SSM, "A runbook runs", "ssm:StartAutomationExecution automation-definition"),
    _existing("step-functions-update", "Changes a state machine that has role {0} and starts it", STATES, "A state machine runs", "states:UpdateStateMachine statemachine", "states:StartExecution statemachine"),
    _existing("batch-submit", "Submits a Batch job that has role {0}, with other commands", ECS, "A job definition exists", "batch:SubmitJob job-definition"),
    _existing("codedeploy-deploy", "Deploys to instances that have role {0}", EC2, "A deployment group has instances", "codedeploy:CreateDeployment deploymentgroup"),
    _existing("app-runner-update-existing", "Changes an App Runner service that has role {0}", APPRUNNER, "A service runs", "apprunner:UpdateService service"),
    _existing("agentcore-interpreter-existing", "Opens a Bedrock AgentCore code interpreter that has role {0}", AGENTCORE, "A code interpreter exists", "bedrock-agentcore:StartCodeInterpreterSession code-interpreter-custom", "bedrock-agentcore:InvokeCodeInterpreter code-interpreter-custom"),
    _existing("agentcore-runtime-existing", "Runs a command in a Bedrock AgentCore runtime that has role {0}", AGENTCORE, "A runtime exists", "bedrock-agentcore:InvokeAgentRuntimeCommand runtime"),
    _existing("agentcore-browser-existing", "Controls a Bedrock AgentCore browser that has role {0}", AGENTCORE, "A browser exists", "bedrock-agentcore:StartBrowserSession browser-custom", "bedrock-agentcore:ConnectBrowserAutomationStream"),
)  # fmt: skip
IN_USE: Final = "IAM Identity Center is in use (not synced by Gatehouse)"
SIGN_ON: Final = (
    Method("sso-create-permission-set", Sort.SIGN_ON, "Creates a permission set and assigns it in account {0}", (Need("sso:CreatePermissionSet", "Instance"), Need("sso:AttachManagedPolicyToPermissionSet", "PermissionSet"), Need("sso:CreateAccountAssignment", "PermissionSet")), "account", assumes=IN_USE),
    Method("sso-attach-managed-policy", Sort.SIGN_ON, "Attaches AdministratorAccess to a permission set that is assigned in account {0}", (Need("sso:AttachManagedPolicyToPermissionSet", "PermissionSet"),), "account", assumes=IN_USE),
    Method("sso-put-inline-policy", Sort.SIGN_ON, "Sets the inline policy of a permission set that is assigned in account {0}", (Need("sso:PutInlinePolicyToPermissionSet", "PermissionSet"),), "account", assumes=IN_USE),
)  # fmt: skip
METHODS: Final[tuple[Method, ...]] = (*ON_ITSELF, *PASSING, *EXISTING, *SIGN_ON)


def of_sort(sort: Sort, *, of: str = "") -> Iterator[Method]:
    """The methods of a sort, in their order."""
    return (method for method in METHODS if method.sort is sort and (not of or method.of == of))
