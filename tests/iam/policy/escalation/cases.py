"""What each method needs, written down from the public lists and from AWS's pages, and not from the table of
the engine.

(method, what the attacker needs besides iam:PassRole, the service that `iam:PassedToService` names, whom the
role must trust). Sources: Rhino Security Labs "AWS IAM Privilege Escalation – Methods and Mitigation",
pathfinding.cloud, Prowler.
"""

from __future__ import annotations

from iam.policy.catalogue.pass_role import pass_role_data

LAMBDA, EC2, ECS = "lambda.amazonaws.com", "ec2.amazonaws.com", "ecs-tasks.amazonaws.com"
GLUE, SAGEMAKER = "glue.amazonaws.com", "sagemaker.amazonaws.com"
CODEBUILD, STACKS = "codebuild.amazonaws.com", "cloudformation.amazonaws.com"
AGENTCORE = "bedrock-agentcore.amazonaws.com"
PIPELINE = (
    "datapipeline:CreatePipeline",
    "datapipeline:PutPipelineDefinition",
    "datapipeline:ActivatePipeline",
)
IMAGE = (
    "imagebuilder:CreateComponent",
    "imagebuilder:CreateImageRecipe",
    "imagebuilder:CreateInfrastructureConfiguration",
    "imagebuilder:CreateImage",
)
PASSED: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("pass-role-lambda-invoke", ("lambda:CreateFunction", "lambda:InvokeFunction"), LAMBDA),
    ("pass-role-lambda-event-source", ("lambda:CreateFunction", "lambda:CreateEventSourceMapping"), LAMBDA),
    ("pass-role-lambda-permission", ("lambda:CreateFunction", "lambda:AddPermission"), LAMBDA),
    ("pass-role-ec2-instance", ("ec2:RunInstances",), EC2),
    ("pass-role-ec2-spot", ("ec2:RequestSpotInstances",), EC2),
    ("pass-role-ec2-profile", ("ec2:AssociateIamInstanceProfile",), EC2),
    ("pass-role-ec2-replace-profile", ("ec2:ReplaceIamInstanceProfileAssociation",), EC2),
    ("pass-role-auto-scaling", ((
        "autoscaling:CreateLaunchConfiguration"
    ), "autoscaling:CreateAutoScalingGroup"), EC2),
    ("pass-role-ecs-run-task", ("ecs:RegisterTaskDefinition", "ecs:RunTask"), ECS),
    ("pass-role-ecs-start-task", ("ecs:RegisterTaskDefinition", "ecs:StartTask"), ECS),
    ("pass-role-ecs-service", ("ecs:RegisterTaskDefinition", "ecs:CreateService"), ECS),
    ("pass-role-cloudformation-stack", ("cloudformation:CreateStack",), STACKS),
    ("pass-role-cloudformation-stack-set", ((
        "cloudformation:CreateStackSet"
    ), "cloudformation:CreateStackInstances"), STACKS),
    ("pass-role-codebuild", ("codebuild:CreateProject", "codebuild:StartBuild"), CODEBUILD),
    ("pass-role-codebuild-batch", ("codebuild:CreateProject", "codebuild:StartBuildBatch"), CODEBUILD),
    ("pass-role-glue-dev-endpoint", ("glue:CreateDevEndpoint",), GLUE),
    ("pass-role-glue-job", ("glue:CreateJob", "glue:StartJobRun"), GLUE),
    ("pass-role-glue-job-trigger", ("glue:CreateJob", "glue:CreateTrigger"), GLUE),
    ("pass-role-glue-session", ("glue:CreateSession", "glue:RunStatement"), GLUE),
    ("pass-role-sagemaker-notebook", ("sagemaker:CreateNotebookInstance",), SAGEMAKER),
    ("pass-role-sagemaker-training", ("sagemaker:CreateTrainingJob",), SAGEMAKER),
    ("pass-role-sagemaker-processing", ("sagemaker:CreateProcessingJob",), SAGEMAKER),
    ("pass-role-ssm-automation", ("ssm:CreateDocument", "ssm:StartAutomationExecution"), "ssm.amazonaws.com"),
    ("pass-role-data-pipeline", PIPELINE, "datapipeline.amazonaws.com"),
    ("pass-role-data-pipeline-instance", PIPELINE, EC2),
    ("pass-role-app-runner", ("apprunner:CreateService",), "tasks.apprunner.amazonaws.com"),
    ("pass-role-agentcore-interpreter", ((
        "bedrock-agentcore:CreateCodeInterpreter"
    ), "bedrock-agentcore:StartCodeInterpreterSession", (
        "bedrock-agentcore:InvokeCodeInterpreter"
    )), AGENTCORE),
    ("pass-role-agentcore-runtime", ((
        "bedrock-agentcore:CreateAgentRuntime"
    ), "bedrock-agentcore:InvokeAgentRuntimeCommand"), AGENTCORE),
    ("pass-role-agentcore-harness", ((
        "bedrock-agentcore:CreateHarness"
    ), "bedrock-agentcore:CreateAgentRuntime", "bedrock-agentcore:InvokeAgentRuntimeCommand"), AGENTCORE),
    ("pass-role-agentcore-browser", ((
        "bedrock-agentcore:CreateBrowser"
    ), "bedrock-agentcore:StartBrowserSession", (
        "bedrock-agentcore:ConnectBrowserAutomationStream"
    )), AGENTCORE),
    ("pass-role-step-functions", ((
        "states:CreateStateMachine"
    ), "states:StartExecution"), "states.amazonaws.com"),
    ("pass-role-scheduler", ("scheduler:CreateSchedule",), "scheduler.amazonaws.com"),
    ("pass-role-batch", ("batch:RegisterJobDefinition", "batch:SubmitJob"), ECS),
    ("pass-role-emr", ("elasticmapreduce:RunJobFlow",), EC2),
    ("pass-role-emr-service", ("elasticmapreduce:RunJobFlow",), "elasticmapreduce.amazonaws.com"),
    ("pass-role-emr-serverless", ((
        "emr-serverless:CreateApplication"
    ), "emr-serverless:StartJobRun"), "emr-serverless.amazonaws.com"),
    ("pass-role-image-builder", IMAGE, EC2),
    ("pass-role-codedeploy", ((
        "codedeploy:CreateDeploymentGroup"
    ), "codedeploy:CreateDeployment"), "codedeploy.amazonaws.com"),
    ("pass-role-gamelift", ("gamelift:CreateBuild", "gamelift:CreateFleet"), "gamelift.amazonaws.com"),
    ("pass-role-kinesis-analytics", ((
        "kinesisanalytics:CreateApplication"
    ), "kinesisanalytics:StartApplication"), "kinesisanalytics.amazonaws.com"),
    ("pass-role-omics", ("omics:CreateWorkflow", "omics:StartRun"), "omics.amazonaws.com"),
    ("pass-role-braket", ("braket:CreateJob",), "braket.amazonaws.com"),
)  # fmt: skip
NEEDS_SOMETHING: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("pass-role-auto-scaling-update", ("autoscaling:CreateLaunchConfiguration", (
        "autoscaling:UpdateAutoScalingGroup"
    )), EC2),
    ("pass-role-ecs-override", ("ecs:RunTask",), ECS),
    ("pass-role-ecs-start-override", ("ecs:StartTask",), ECS),
    ("pass-role-cloudformation-update-stack-set", ("cloudformation:UpdateStackSet",), STACKS),
    ("pass-role-glue-update-job", ("glue:UpdateJob", "glue:StartJobRun"), GLUE),
    ("pass-role-glue-update-job-trigger", ("glue:UpdateJob", "glue:CreateTrigger"), GLUE),
    ("pass-role-app-runner-update", ("apprunner:UpdateService",), "tasks.apprunner.amazonaws.com"),
)  # fmt: skip
"""They pass a role to what exists already, so that they are conditional."""
CHANGED: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("lambda-update-code", ("lambda:UpdateFunctionCode",), LAMBDA),
    ("lambda-update-configuration", ("lambda:UpdateFunctionConfiguration",), LAMBDA),
    ("ec2-user-data", ("ec2:ModifyInstanceAttribute", "ec2:StopInstances", "ec2:StartInstances"), EC2),
    ("ec2-launch-template", ("ec2:CreateLaunchTemplateVersion", "ec2:ModifyLaunchTemplate"), EC2),
    ("ec2-instance-connect", ("ec2-instance-connect:SendSSHPublicKey",), EC2),
    ("ssm-session", ("ssm:StartSession",), EC2),
    ("ssm-command", ("ssm:SendCommand",), EC2),
    ("ecs-execute-command", ("ecs:ExecuteCommand",), ECS),
    ("cloudformation-update-stack", ("cloudformation:UpdateStack",), STACKS),
    ("cloudformation-change-set", ((
        "cloudformation:CreateChangeSet"
    ), "cloudformation:ExecuteChangeSet"), STACKS),
    ("codebuild-override", ("codebuild:StartBuild",), CODEBUILD),
    ("codebuild-batch-override", ("codebuild:StartBuildBatch",), CODEBUILD),
    ("glue-update-dev-endpoint", ("glue:UpdateDevEndpoint",), GLUE),
    ("sagemaker-presigned-url", ("sagemaker:CreatePresignedNotebookInstanceUrl",), SAGEMAKER),
    ("sagemaker-lifecycle", ((
        "sagemaker:CreateNotebookInstanceLifecycleConfig"
    ), "sagemaker:StopNotebookInstance", (
        "sagemaker:UpdateNotebookInstance"
    ), "sagemaker:StartNotebookInstance"), SAGEMAKER),
    ("sagemaker-lifecycle-update", ("sagemaker:UpdateNotebookInstanceLifecycleConfig",), SAGEMAKER),
    ("ssm-automation-existing", ("ssm:StartAutomationExecution",), "ssm.amazonaws.com"),
    ("step-functions-update", ("states:UpdateStateMachine", "states:StartExecution"), "states.amazonaws.com"),
    ("batch-submit", ("batch:SubmitJob",), ECS),
    ("codedeploy-deploy", ("codedeploy:CreateDeployment",), EC2),
    ("app-runner-update-existing", ("apprunner:UpdateService",), "tasks.apprunner.amazonaws.com"),
    ("agentcore-interpreter-existing", ((
        "bedrock-agentcore:StartCodeInterpreterSession"
    ), "bedrock-agentcore:InvokeCodeInterpreter"), AGENTCORE),
    ("agentcore-runtime-existing", ("bedrock-agentcore:InvokeAgentRuntimeCommand",), AGENTCORE),
    ("agentcore-browser-existing", ((
        "bedrock-agentcore:StartBrowserSession"
    ), "bedrock-agentcore:ConnectBrowserAutomationStream"), AGENTCORE),
)  # fmt: skip
"""They change what has a role already: iam:PassRole is not needed, and that there is such a thing is not
known.
"""

WRITTEN = {case[0] for case in (*PASSED, *NEEDS_SOMETHING, *CHANGED)}
OTHERS = [method for method in pass_role_data().methods if method.name not in WRITTEN]
"""The other methods of the data, which are run as the data says."""
OTHER_PASSED = [
    (method.name, tuple(action for action, _ in method.needs), method.service)
    for method in OTHERS
    if method.passes and not method.exists and method.name != "pass-role-cognito-identity"
]
OTHER_NEEDS_SOMETHING = [
    (method.name, tuple(action for action, _ in method.needs), method.service)
    for method in OTHERS
    if method.passes and method.exists and not method.trusted.startswith("cognito")
]
OTHER_CHANGED = [
    (method.name, tuple(action for action, _ in method.needs), method.trusted)
    for method in OTHERS
    if not method.passes and not method.trusted.startswith("cognito")
]
