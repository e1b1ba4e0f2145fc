"""What public lists call escalation is found: each of their combinations of actions, on everything and
without conditions.

The combinations of Prowler ("privilege_escalation_policies_combination"), which has those of Rhino Security
Labs and of pathfinding.cloud. Left out are CodeStar, which AWS has ended, and what is only a part of another
combination.
"""

from __future__ import annotations

import pytest

from iam.policy.escalation.states import OutsideFacts
from tests.iam.policy.escalation.builders import EVERYTHING, NONE, ONE, World, allow, digest_of, text

PASS = "iam:PassRole"
SERVICES = [
    f"{name}.amazonaws.com"
    for name in (
        "lambda",
        "ec2",
        "ecs-tasks",
        "cloudformation",
        "codebuild",
        "glue",
        "sagemaker",
        "ssm",
        "datapipeline",
        "tasks.apprunner",
        "bedrock-agentcore",
        "states",
        "scheduler",
        "elasticmapreduce",
        "emr-serverless",
        "codedeploy",
        "gamelift",
        "kinesisanalytics",
        "omics",
        "braket",
    )
]
COMBINATIONS: tuple[tuple[str, ...], ...] = (
    ("iam:*",),
    ("iam:Put*",),
    ("iam:CreatePolicyVersion",),
    ("iam:SetDefaultPolicyVersion",),
    ("iam:CreateAccessKey",),
    ("iam:CreateLoginProfile",),
    ("iam:UpdateLoginProfile",),
    ("iam:AttachUserPolicy",),
    ("iam:AttachGroupPolicy",),
    ("iam:PutGroupPolicy",),
    ("iam:PutUserPolicy",),
    ("iam:AddUserToGroup",),
    ("iam:UpdateAssumeRolePolicy",),
    ("iam:AttachRolePolicy", "iam:UpdateAssumeRolePolicy"),
    ("iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy"),
    ("sts:AssumeRole", "iam:AttachRolePolicy"),
    ("sts:AssumeRole", "iam:PutRolePolicy"),
    ("sts:AssumeRole", "iam:UpdateAssumeRolePolicy"),
    ("sts:AssumeRole", "iam:CreatePolicyVersion"),
    (PASS, "ec2:RunInstances"),
    (PASS, "ec2:RequestSpotInstances"),
    ("ec2:ModifyInstanceAttribute", "ec2:StopInstances", "ec2:StartInstances"),
    ("ec2:CreateLaunchTemplateVersion", "ec2:ModifyLaunchTemplate"),
    ("ec2-instance-connect:SendSSHPublicKey", "ec2:DescribeInstances"),
    (PASS, "lambda:CreateFunction", "lambda:InvokeFunction"),
    (PASS, "lambda:CreateFunction", "lambda:CreateEventSourceMapping"),
    (PASS, "lambda:CreateFunction", "lambda:AddPermission"),
    ("lambda:UpdateFunctionCode",),
    ("lambda:UpdateFunctionConfiguration",),
    (PASS, "glue:CreateDevEndpoint"),
    ("glue:UpdateDevEndpoint",),
    (PASS, "glue:CreateJob", "glue:StartJobRun"),
    (PASS, "glue:CreateJob", "glue:CreateTrigger"),
    (PASS, "glue:UpdateJob", "glue:StartJobRun"),
    (PASS, "glue:UpdateJob", "glue:CreateTrigger"),
    (PASS, "glue:CreateSession", "glue:RunStatement"),
    (PASS, "cloudformation:CreateStack"),
    ("cloudformation:UpdateStack",),
    (PASS, "cloudformation:CreateStackSet", "cloudformation:CreateStackInstances"),
    (PASS, "cloudformation:UpdateStackSet"),
    ("cloudformation:CreateChangeSet", "cloudformation:ExecuteChangeSet"),
    (
        PASS,
        "datapipeline:CreatePipeline",
        "datapipeline:PutPipelineDefinition",
        "datapipeline:ActivatePipeline",
    ),
    (PASS, "codebuild:CreateProject", "codebuild:StartBuild"),
    (PASS, "codebuild:CreateProject", "codebuild:StartBuildBatch"),
    ("codebuild:StartBuild",),
    ("codebuild:StartBuildBatch",),
    (PASS, "autoscaling:CreateAutoScalingGroup", "autoscaling:CreateLaunchConfiguration"),
    (PASS, "autoscaling:UpdateAutoScalingGroup", "autoscaling:CreateLaunchConfiguration"),
    (PASS, "ecs:RegisterTaskDefinition", "ecs:CreateService"),
    (PASS, "ecs:RegisterTaskDefinition", "ecs:RunTask"),
    (PASS, "ecs:RegisterTaskDefinition", "ecs:StartTask"),
    (PASS, "ecs:StartTask", "ecs:RegisterContainerInstance", "ecs:DeregisterContainerInstance"),
    (PASS, "ecs:RunTask"),
    (PASS, "ecs:StartTask"),
    ("ecs:ExecuteCommand", "ecs:DescribeTasks"),
    (PASS, "sagemaker:CreateNotebookInstance"),
    (PASS, "sagemaker:CreateTrainingJob"),
    (PASS, "sagemaker:CreateProcessingJob"),
    ("sagemaker:CreatePresignedNotebookInstanceUrl",),
    (
        "sagemaker:CreateNotebookInstanceLifecycleConfig",
        "sagemaker:StopNotebookInstance",
        "sagemaker:UpdateNotebookInstance",
        "sagemaker:StartNotebookInstance",
    ),
    ("ssm:StartSession",),
    ("ssm:SendCommand",),
    (PASS, "ssm:CreateDocument", "ssm:StartAutomationExecution"),
    (PASS, "apprunner:CreateService"),
    ("apprunner:UpdateService",),
    (
        PASS,
        "bedrock-agentcore:CreateCodeInterpreter",
        "bedrock-agentcore:StartCodeInterpreterSession",
        "bedrock-agentcore:InvokeCodeInterpreter",
    ),
    ("bedrock-agentcore:StartCodeInterpreterSession", "bedrock-agentcore:InvokeCodeInterpreter"),
    ("bedrock-agentcore:InvokeAgentRuntimeCommand",),
    (
        PASS,
        "bedrock-agentcore:CreateAgentRuntime",
        "bedrock-agentcore:CreateAgentRuntimeEndpoint",
        "bedrock-agentcore:CreateWorkloadIdentity",
        "bedrock-agentcore:InvokeAgentRuntimeCommand",
    ),
    (
        PASS,
        "bedrock-agentcore:CreateHarness",
        "bedrock-agentcore:CreateAgentRuntime",
        "bedrock-agentcore:CreateAgentRuntimeEndpoint",
        "bedrock-agentcore:CreateWorkloadIdentity",
        "bedrock-agentcore:GetAgentRuntime",
        "bedrock-agentcore:InvokeAgentRuntimeCommand",
    ),
    ("bedrock-agentcore:StartBrowserSession", "bedrock-agentcore:ConnectBrowserAutomationStream"),
    (
        PASS,
        "bedrock-agentcore:CreateBrowser",
        "bedrock-agentcore:StartBrowserSession",
        "bedrock-agentcore:ConnectBrowserAutomationStream",
    ),
    (PASS, "batch:RegisterJobDefinition", "batch:SubmitJob"),
    ("batch:SubmitJob",),
    (PASS, "braket:CreateJob"),
    (
        "codedeploy:CreateDeployment",
        "codedeploy:RegisterApplicationRevision",
        "codedeploy:GetDeploymentConfig",
    ),
    (PASS, "cognito-identity:SetIdentityPoolRoles"),
    (PASS, "elasticmapreduce:RunJobFlow"),
    (PASS, "emr-serverless:CreateApplication", "emr-serverless:StartJobRun"),
    (PASS, "gamelift:CreateBuild", "gamelift:CreateFleet", "gamelift:RequestUploadCredentials"),
    (
        PASS,
        "imagebuilder:CreateComponent",
        "imagebuilder:CreateImageRecipe",
        "imagebuilder:CreateInfrastructureConfiguration",
        "imagebuilder:CreateImage",
    ),
    (PASS, "kinesisanalytics:CreateApplication", "kinesisanalytics:StartApplication"),
    (PASS, "omics:CreateWorkflow", "omics:StartRun", "s3:GetObject"),
    (PASS, "scheduler:CreateSchedule"),
    (PASS, "states:CreateStateMachine", "states:StartExecution"),
    ("states:UpdateStateMachine", "states:StartExecution"),
    ("sso:CreatePermissionSet", "sso:CreateAccountAssignment", "sso:AttachManagedPolicyToPermissionSet"),
    ("sso:AttachManagedPolicyToPermissionSet",),
    ("sso:PutInlinePolicyToPermissionSet",),
)


def world(*actions: str) -> World:
    """Anyone who has the actions, in the management account, where there is something to win by each of
    them.
    """
    world = World()
    policy = world.policy("Team", allow("s3:ListAllMyBuckets"))
    world.group("admins", EVERYTHING)
    mine = world.group("mine", attached=(policy,))
    trusts = {"Service": SERVICES, "Federated": "cognito-identity.amazonaws.com"}
    world.role("admin", EVERYTHING, trusts=trusts)
    world.role("app", trusts={"AWS": ONE}, attached=(policy,))
    world.user("boss", EVERYTHING)
    world.user("dev", allow(list(actions)), groups=(mine,), attached=(policy,))
    world.organisation.digest(text(EVERYTHING))
    world.facts = OutsideFacts(versions={policy: (digest_of(text(EVERYTHING)),)})
    world.stand(is_management=True)
    return world


@pytest.mark.parametrize("actions", COMBINATIONS, ids="+".join)
def test_what_is_on_a_public_list_leads_to_administrator(actions: tuple[str, ...]) -> None:
    assert world(*actions).becomes_administrator("dev") != NONE


@pytest.mark.parametrize(
    "actions", [("s3:*",), (PASS,), ("lambda:InvokeFunction", PASS), ("iam:Get*", "iam:List*")]
)
def test_what_is_on_no_list_leads_nowhere(actions: tuple[str, ...]) -> None:
    assert world(*actions).becomes_administrator("dev") == NONE
