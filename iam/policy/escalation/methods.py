"""The ways by which somebody with some permissions comes to have those of somebody else, as data.

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
    """Takes a role whose trust policy admits whoever asks."""
    RETRUST = "retrust"
    """Rewrites the trust policy of a role, then takes it."""
    SIGN_IN = "sign-in"
    """Makes credentials of a user."""
    PASS = "pass"  # noqa: S105
    """Hands a role to a service, which then does what one tells it to."""
    EXISTING = "existing"
    """Changes what something that already has a role does."""
    GRANT = "grant"
    """Gives a principal whatever permissions one likes."""
    UNBOUND = "unbound"
    """Takes away a permissions boundary, or widens it."""
    JOIN = "join"
    """Puts a user into a group."""
    RESTORE = "restore"
    """Makes another version of a policy the default."""
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
    Method("sts-assume-role", Sort.ASSUME, "Takes the role {0}", (Need("sts:AssumeRole"),)),
    _iam("iam-update-assume-role-policy", Sort.RETRUST, "Rewrites the trust policy of {0}, then takes the role", "role", "UpdateAssumeRolePolicy"),
    _iam("iam-create-access-key", Sort.SIGN_IN, "Makes an access key of {0}", "user", "CreateAccessKey"),
    _iam("iam-create-login-profile", Sort.SIGN_IN, "Gives {0} a console password", "user", "CreateLoginProfile"),
    _iam("iam-update-login-profile", Sort.SIGN_IN, "Sets the console password of {0} anew", "user", "UpdateLoginProfile"),
    _iam("iam-put-user-policy", Sort.GRANT, "Writes an inline policy for {0}", "user", "PutUserPolicy"),
    _iam("iam-attach-user-policy", Sort.GRANT, "Attaches AdministratorAccess to {0}", "user", "AttachUserPolicy"),
    _iam("iam-put-role-policy", Sort.GRANT, "Writes an inline policy for {0}", "role", "PutRolePolicy"),
    _iam("iam-attach-role-policy", Sort.GRANT, "Attaches AdministratorAccess to {0}", "role", "AttachRolePolicy"),
    _iam("iam-put-group-policy", Sort.GRANT, "Writes an inline policy for the group {0}", "group", "PutGroupPolicy"),
    _iam("iam-attach-group-policy", Sort.GRANT, "Attaches AdministratorAccess to the group {0}", "group", "AttachGroupPolicy"),
    _iam("iam-create-policy-version", Sort.GRANT, "Writes a new version of {0}", "policy", "CreatePolicyVersion"),
    _iam("iam-delete-user-permissions-boundary", Sort.UNBOUND, "Removes the permissions boundary of {0}", "user", "DeleteUserPermissionsBoundary"),
    _iam("iam-put-user-permissions-boundary", Sort.UNBOUND, "Gives {0} a boundary that allows everything", "user", "PutUserPermissionsBoundary"),
    _iam("iam-delete-role-permissions-boundary", Sort.UNBOUND, "Removes the permissions boundary of {0}", "role", "DeleteRolePermissionsBoundary"),
    _iam("iam-put-role-permissions-boundary", Sort.UNBOUND, "Gives {0} a boundary that allows everything", "role", "PutRolePermissionsBoundary"),
    _iam("iam-add-user-to-group", Sort.JOIN, "Joins the group {0}", "group", "AddUserToGroup"),
    _iam("iam-set-default-policy-version", Sort.RESTORE, "Makes an older version of {0} the default", "policy", "SetDefaultPolicyVersion"),
)  # fmt: skip
"""Methods whose only needs are on what they are about."""


def _pass(name: str, title: str, service: str, *needs: str, trusted: str = "", assumes: str = "") -> Method:
    return Method(
        f"pass-role-{name}", Sort.PASS, title, (PASS_ROLE, *map(_need, needs)),
        service=service, trusted=trusted or service, assumes=assumes,
    )  # fmt: skip


def _existing(name: str, title: str, trusted: str, what: str, *needs: str) -> Method:
    assumes = f"{what} with this role; which there are, is not among what is read"
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
    _pass("lambda-invoke", "Makes a Lambda function with {0} and calls it", LAMBDA, "lambda:CreateFunction function", "lambda:InvokeFunction function"),
    _pass("lambda-event-source", "Makes a Lambda function with {0} that a queue or table calls", LAMBDA, "lambda:CreateFunction function", "lambda:CreateEventSourceMapping"),
    _pass("lambda-permission", "Makes a Lambda function with {0} that another account may call", LAMBDA, "lambda:CreateFunction function", "lambda:AddPermission function"),
    _pass("ec2-instance", "Starts an EC2 instance with {0}", EC2, "ec2:RunInstances instance"),
    _pass("ec2-spot", "Requests a spot instance with {0}", EC2, "ec2:RequestSpotInstances spot-instances-request"),
    _pass("ec2-profile", "Gives a running EC2 instance the profile of {0}", EC2, "ec2:AssociateIamInstanceProfile instance"),
    _pass("ec2-replace-profile", "Exchanges the profile of an EC2 instance for that of {0}", EC2, "ec2:ReplaceIamInstanceProfileAssociation instance"),
    _pass("auto-scaling", "Makes an Auto Scaling group whose instances have {0}", EC2, "autoscaling:CreateLaunchConfiguration launchConfiguration", "autoscaling:CreateAutoScalingGroup autoScalingGroup"),
    _pass("auto-scaling-update", "Has an Auto Scaling group start instances with {0}", EC2, "autoscaling:CreateLaunchConfiguration launchConfiguration", "autoscaling:UpdateAutoScalingGroup autoScalingGroup", assumes="An Auto Scaling group exists; which there are, is not among what is read"),
    _pass("ecs-run-task", "Runs an ECS task with {0}", ECS, "ecs:RegisterTaskDefinition task-definition", "ecs:RunTask task-definition"),
    _pass("ecs-start-task", "Starts an ECS task with {0}", ECS, "ecs:RegisterTaskDefinition task-definition", "ecs:StartTask task-definition"),
    _pass("ecs-service", "Makes an ECS service whose tasks have {0}", ECS, "ecs:RegisterTaskDefinition task-definition", "ecs:CreateService service"),
    _pass("ecs-override", "Runs an ECS task that is defined, with {0} in the place of its role", ECS, "ecs:RunTask task-definition", assumes="A task definition exists; which there are, is not among what is read"),
    _pass("ecs-start-override", "Starts an ECS task that is defined, with {0} in the place of its role", ECS, "ecs:StartTask task-definition", assumes="A task definition exists; which there are, is not among what is read"),
    _pass("cloudformation-stack", "Makes a CloudFormation stack with {0}", CLOUDFORMATION, "cloudformation:CreateStack stack"),
    _pass("cloudformation-stack-set", "Makes a CloudFormation stack set with {0}", CLOUDFORMATION, "cloudformation:CreateStackSet", "cloudformation:CreateStackInstances stackset"),
    _pass("cloudformation-update-stack-set", "Rewrites a CloudFormation stack set, with {0}", CLOUDFORMATION, "cloudformation:UpdateStackSet stackset", assumes="A stack set exists; which there are, is not among what is read"),
    _pass("codebuild", "Makes a CodeBuild project with {0} and starts it", CODEBUILD, "codebuild:CreateProject project", "codebuild:StartBuild project"),
    _pass("codebuild-batch", "Makes a CodeBuild project with {0} and starts a batch of it", CODEBUILD, "codebuild:CreateProject project", "codebuild:StartBuildBatch project"),
    _pass("glue-dev-endpoint", "Makes a Glue development endpoint with {0}", GLUE, "glue:CreateDevEndpoint"),
    _pass("glue-job", "Makes a Glue job with {0} and starts it", GLUE, "glue:CreateJob job", "glue:StartJobRun job"),
    _pass("glue-job-trigger", "Makes a Glue job with {0} and a trigger that starts it", GLUE, "glue:CreateJob job", "glue:CreateTrigger trigger"),
    _pass("glue-update-job", "Rewrites a Glue job, with {0}, and starts it", GLUE, "glue:UpdateJob job", "glue:StartJobRun job", assumes="A Glue job exists; which there are, is not among what is read"),
    _pass("glue-update-job-trigger", "Rewrites a Glue job, with {0}, and makes a trigger that starts it", GLUE, "glue:UpdateJob job", "glue:CreateTrigger trigger", assumes="A Glue job exists; which there are, is not among what is read"),
    _pass("glue-session", "Opens a Glue session with {0}", GLUE, "glue:CreateSession session", "glue:RunStatement session"),
    _pass("sagemaker-notebook", "Makes a SageMaker notebook with {0}", SAGEMAKER, "sagemaker:CreateNotebookInstance notebook-instance"),
    _pass("sagemaker-training", "Runs a SageMaker training job with {0}", SAGEMAKER, "sagemaker:CreateTrainingJob training-job"),
    _pass("sagemaker-processing", "Runs a SageMaker processing job with {0}", SAGEMAKER, "sagemaker:CreateProcessingJob processing-job"),
    _pass("ssm-automation", "Writes a Systems Manager runbook and starts it with {0}", SSM, "ssm:CreateDocument document", "ssm:StartAutomationExecution automation-definition"),
    _pass("data-pipeline", "Makes a data pipeline whose instances have {0}", "datapipeline.amazonaws.com", "datapipeline:CreatePipeline", "datapipeline:PutPipelineDefinition pipeline", "datapipeline:ActivatePipeline pipeline"),
    _pass("data-pipeline-instance", "Makes a data pipeline whose instances have {0}", EC2, "datapipeline:CreatePipeline", "datapipeline:PutPipelineDefinition pipeline", "datapipeline:ActivatePipeline pipeline"),
    _pass("app-runner", "Makes an App Runner service with {0}", APPRUNNER, "apprunner:CreateService service"),
    _pass("app-runner-update", "Gives an App Runner service {0}", APPRUNNER, "apprunner:UpdateService service", assumes="An App Runner service exists; which there are, is not among what is read"),
    _pass("agentcore-interpreter", "Makes a code interpreter of Bedrock AgentCore with {0}", AGENTCORE, "bedrock-agentcore:CreateCodeInterpreter", "bedrock-agentcore:StartCodeInterpreterSession code-interpreter-custom", "bedrock-agentcore:InvokeCodeInterpreter code-interpreter-custom"),
    _pass("agentcore-runtime", "Makes a runtime of Bedrock AgentCore with {0}", AGENTCORE, "bedrock-agentcore:CreateAgentRuntime", "bedrock-agentcore:InvokeAgentRuntimeCommand runtime"),
    _pass("agentcore-harness", "Makes a harness of Bedrock AgentCore with {0}", AGENTCORE, "bedrock-agentcore:CreateHarness", "bedrock-agentcore:CreateAgentRuntime", "bedrock-agentcore:InvokeAgentRuntimeCommand runtime"),
    _pass("agentcore-browser", "Makes a browser of Bedrock AgentCore with {0}", AGENTCORE, "bedrock-agentcore:CreateBrowser", "bedrock-agentcore:StartBrowserSession browser-custom", "bedrock-agentcore:ConnectBrowserAutomationStream"),
    _pass("step-functions", "Makes a state machine with {0} and starts it", STATES, "states:CreateStateMachine statemachine", "states:StartExecution statemachine"),
    _pass("scheduler", "Makes a schedule that calls AWS with {0}", "scheduler.amazonaws.com", "scheduler:CreateSchedule schedule"),
    _pass("batch", "Defines a Batch job with {0} and submits it", ECS, "batch:RegisterJobDefinition job-definition", "batch:SubmitJob job-definition"),
    _pass("emr", "Starts an EMR cluster whose instances have {0}", EC2, "elasticmapreduce:RunJobFlow"),
    _pass("emr-service", "Starts an EMR cluster with {0}", EMR, "elasticmapreduce:RunJobFlow"),
    _pass("emr-serverless", "Runs an EMR Serverless job with {0}", "emr-serverless.amazonaws.com", "emr-serverless:CreateApplication", "emr-serverless:StartJobRun application"),
    _pass("image-builder", "Builds an image on an instance with {0}", EC2, "imagebuilder:CreateComponent component", "imagebuilder:CreateImageRecipe imageRecipe", "imagebuilder:CreateInfrastructureConfiguration infrastructureConfiguration", "imagebuilder:CreateImage image"),
    _pass("codedeploy", "Deploys by CodeDeploy with {0}", CODEDEPLOY, "codedeploy:CreateDeploymentGroup deploymentgroup", "codedeploy:CreateDeployment deploymentgroup"),
    _pass("gamelift", "Makes a GameLift fleet with {0}", "gamelift.amazonaws.com", "gamelift:CreateBuild", "gamelift:CreateFleet"),
    _pass("kinesis-analytics", "Runs a Kinesis Data Analytics application with {0}", "kinesisanalytics.amazonaws.com", "kinesisanalytics:CreateApplication", "kinesisanalytics:StartApplication application"),
    _pass("omics", "Runs a HealthOmics workflow with {0}", OMICS, "omics:CreateWorkflow", "omics:StartRun workflow"),
    _pass("braket", "Runs a Braket job with {0}", "braket.amazonaws.com", "braket:CreateJob job"),
    _pass("cognito-identity", "Makes {0} the role of an identity pool", COGNITO, "cognito-identity:SetIdentityPoolRoles"),
)  # fmt: skip
EXISTING: Final = (
    _existing("lambda-update-code", "Rewrites the code of a Lambda function that has {0}", LAMBDA, "A function runs", "lambda:UpdateFunctionCode function"),
    _existing("lambda-update-configuration", "Gives a Lambda function that has {0} a layer or variables", LAMBDA, "A function runs", "lambda:UpdateFunctionConfiguration function"),
    _existing("ec2-user-data", "Rewrites the start script of an EC2 instance that has {0}", EC2, "An instance runs", "ec2:ModifyInstanceAttribute instance", "ec2:StopInstances instance", "ec2:StartInstances instance"),
    _existing("ec2-launch-template", "Rewrites a launch template whose instances have {0}", EC2, "A launch template starts instances", "ec2:CreateLaunchTemplateVersion launch-template", "ec2:ModifyLaunchTemplate launch-template"),
    _existing("ec2-instance-connect", "Sends an SSH key to an EC2 instance that has {0}", EC2, "An instance runs", "ec2-instance-connect:SendSSHPublicKey instance"),
    _existing("ssm-session", "Opens a session on an EC2 instance that has {0}", EC2, "An instance runs", "ssm:StartSession instance"),
    _existing("ssm-command", "Runs a command on an EC2 instance that has {0}", EC2, "An instance runs", "ssm:SendCommand instance"),
    _existing("ecs-execute-command", "Opens a shell in an ECS task that has {0}", ECS, "A task runs", "ecs:ExecuteCommand cluster"),
    _existing("cloudformation-update-stack", "Rewrites a CloudFormation stack that has {0}", CLOUDFORMATION, "A stack is kept", "cloudformation:UpdateStack stack"),
    _existing("cloudformation-change-set", "Applies a change set to a CloudFormation stack that has {0}", CLOUDFORMATION, "A stack is kept", "cloudformation:CreateChangeSet stack", "cloudformation:ExecuteChangeSet stack"),
    _existing("codebuild-override", "Starts a CodeBuild project that has {0}, with other commands", CODEBUILD, "A project builds", "codebuild:StartBuild project"),
    _existing("codebuild-batch-override", "Starts a batch of a CodeBuild project that has {0}, with other commands", CODEBUILD, "A project builds", "codebuild:StartBuildBatch project"),
    _existing("glue-update-dev-endpoint", "Puts an SSH key on a Glue development endpoint that has {0}", GLUE, "A development endpoint runs", "glue:UpdateDevEndpoint devendpoint"),
    _existing("sagemaker-presigned-url", "Opens a SageMaker notebook that has {0}", SAGEMAKER, "A notebook runs", "sagemaker:CreatePresignedNotebookInstanceUrl notebook-instance"),
    _existing("sagemaker-lifecycle", "Gives a SageMaker notebook that has {0} a start script", SAGEMAKER, "A notebook runs", "sagemaker:CreateNotebookInstanceLifecycleConfig notebook-instance-lifecycle-config", "sagemaker:StopNotebookInstance notebook-instance", "sagemaker:UpdateNotebookInstance notebook-instance", "sagemaker:StartNotebookInstance notebook-instance"),
    _existing("sagemaker-lifecycle-update", "Rewrites the start script of a SageMaker notebook that has {0}", SAGEMAKER, "A notebook runs", "sagemaker:UpdateNotebookInstanceLifecycleConfig notebook-instance-lifecycle-config"),
    _existing("ssm-automation-existing", "Starts a Systems Manager runbook that has {0}", SSM, "A runbook acts", "ssm:StartAutomationExecution automation-definition"),
    _existing("step-functions-update", "Rewrites a state machine that has {0} and starts it", STATES, "A state machine runs", "states:UpdateStateMachine statemachine", "states:StartExecution statemachine"),
    _existing("batch-submit", "Submits a Batch job that has {0}, with other commands", ECS, "A job definition is kept", "batch:SubmitJob job-definition"),
    _existing("codedeploy-deploy", "Deploys to what has {0}", EC2, "A deployment group has instances", "codedeploy:CreateDeployment deploymentgroup"),
    _existing("app-runner-update-existing", "Rewrites an App Runner service that has {0}", APPRUNNER, "A service runs", "apprunner:UpdateService service"),
    _existing("agentcore-interpreter-existing", "Opens a code interpreter of Bedrock AgentCore that has {0}", AGENTCORE, "A code interpreter is kept", "bedrock-agentcore:StartCodeInterpreterSession code-interpreter-custom", "bedrock-agentcore:InvokeCodeInterpreter code-interpreter-custom"),
    _existing("agentcore-runtime-existing", "Runs a command in a runtime of Bedrock AgentCore that has {0}", AGENTCORE, "A runtime is kept", "bedrock-agentcore:InvokeAgentRuntimeCommand runtime"),
    _existing("agentcore-browser-existing", "Drives a browser of Bedrock AgentCore that has {0}", AGENTCORE, "A browser is kept", "bedrock-agentcore:StartBrowserSession browser-custom", "bedrock-agentcore:ConnectBrowserAutomationStream"),
)  # fmt: skip
IN_USE: Final = "IAM Identity Center is in use here; whether it is, is not among what is read"
SIGN_ON: Final = (
    Method("sso-create-permission-set", Sort.SIGN_ON, "Makes a permission set and assigns it in {0}", (Need("sso:CreatePermissionSet", "Instance"), Need("sso:AttachManagedPolicyToPermissionSet", "PermissionSet"), Need("sso:CreateAccountAssignment", "PermissionSet")), "account", assumes=IN_USE),
    Method("sso-attach-managed-policy", Sort.SIGN_ON, "Attaches AdministratorAccess to a permission set that is assigned in {0}", (Need("sso:AttachManagedPolicyToPermissionSet", "PermissionSet"),), "account", assumes=IN_USE),
    Method("sso-put-inline-policy", Sort.SIGN_ON, "Writes the inline policy of a permission set that is assigned in {0}", (Need("sso:PutInlinePolicyToPermissionSet", "PermissionSet"),), "account", assumes=IN_USE),
)  # fmt: skip
METHODS: Final[tuple[Method, ...]] = (*ON_ITSELF, *PASSING, *EXISTING, *SIGN_ON)


def of_sort(sort: Sort, *, of: str = "") -> Iterator[Method]:
    """The methods of a sort, in their order."""
    return (method for method in METHODS if method.sort is sort and (not of or method.of == of))
