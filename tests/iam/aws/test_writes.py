"""Writes: sent as asked, checked beforehand, and shown so that others can make the very same call."""

from __future__ import annotations

import http.server
import json
import re
import shlex
import shutil
import subprocess
import sys
import threading
import types
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, quote

import boto3
import pytest
from botocore import xform_name
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ConnectionClosedError
from botocore.stub import Stubber

from iam.aws.access import AccountAccess
from iam.aws.errors import AwsError, ErrorKind
from iam.aws.session import Aws, connect
from iam.aws.writes import as_boto3, as_cli, as_curl, as_javascript, call, validate
from tests.iam.aws.scripted import ACCOUNT, REQUEST_ID, Script, answer, error

Scripted = Callable[..., Aws]
MEMBERSHIP = {"GroupName": "devs", "UserName": "ada"}


def test_a_write_returns_the_request_id_that_cloudtrail_records(scripted: Scripted) -> None:
    result = call(scripted(answer("AddUserToGroup", "")), "iam", "AddUserToGroup", MEMBERSHIP)
    assert (result.request_id, result.response) == (REQUEST_ID, {})


def test_a_write_is_sent_with_exactly_its_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAFAKE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    aws = connect(AccountAccess(ACCOUNT))
    with Stubber(aws.iam) as stub:
        stub.add_response("add_user_to_group", {"ResponseMetadata": {"RequestId": "r-1"}}, MEMBERSHIP)
        assert call(aws, "iam", "AddUserToGroup", MEMBERSHIP).request_id == "r-1"
        stub.assert_no_pending_responses()


def test_a_write_that_aws_refuses_is_an_error(scripted: Scripted) -> None:
    with pytest.raises(AwsError) as caught:
        call(scripted(error("LimitExceeded", status=409)), "iam", "AddUserToGroup", MEMBERSHIP)
    assert (caught.value.kind, caught.value.request_id) == (ErrorKind.LIMIT, REQUEST_ID)


def test_a_write_that_may_be_repeated_is_tried_again_after_a_lost_connection(scripted: Scripted) -> None:
    aws = scripted(ConnectionClosedError(endpoint_url="x"), answer("AddUserToGroup", ""))
    assert call(aws, "iam", "AddUserToGroup", MEMBERSHIP).request_id == REQUEST_ID


@pytest.mark.parametrize(
    "failure", [ConnectionClosedError(endpoint_url="x"), error("ServiceFailure", status=500), b"<half"]
)
def test_a_write_that_may_not_be_repeated_is_sent_once(scripted: Scripted, failure: object) -> None:
    aws = scripted()
    sent: list[Any] = []
    once = aws.client("iam", may_retry=False)

    def answered(request: Any, **_: Any) -> Any:
        sent.append(request)
        if isinstance(failure, Exception):
            raise failure
        return _response(request, failure)

    once.meta.events.register("before-send", answered)
    with pytest.raises(AwsError):
        call(aws, "iam", "CreateAccessKey", {"UserName": "ada"}, may_retry=False)
    assert len(sent) == 1


def _response(request: Any, failure: object) -> Any:
    return Script([failure])._answer(request)


def test_a_damaged_answer_to_a_write_is_not_asked_for_again(scripted: Scripted) -> None:
    with pytest.raises(AwsError) as caught:
        call(scripted(b"<half"), "iam", "AddUserToGroup", MEMBERSHIP)
    assert caught.value.kind is ErrorKind.UNEXPECTED


VALID: list[tuple[str, str, dict[str, Any]]] = [
    ("iam", "AddUserToGroup", MEMBERSHIP),
    ("iam", "GetAccountSummary", {}),
    ("iam", "TagUser", {"UserName": "ada", "Tags": [{"Key": "Überteam 1", "Value": ""}]}),
    ("iam", "CreateRole", {"RoleName": "r", "AssumeRolePolicyDocument": "{}", "MaxSessionDuration": 3600}),
    ("organizations", "AttachPolicy", {"PolicyId": "p-12345678", "TargetId": "r-abcd"}),
]
INVALID: list[tuple[str, dict[str, Any], str]] = [
    ("AddUserToGroup", {"GroupName": "devs"}, "UserName"),
    ("AddUserToGroup", {**MEMBERSHIP, "Extra": "x"}, "Extra"),
    ("AddUserToGroup", {**MEMBERSHIP, "UserName": 7}, "UserName"),
    ("AddUserToGroup", {**MEMBERSHIP, "UserName": ""}, "UserName"),
    ("AddUserToGroup", {**MEMBERSHIP, "UserName": "a b"}, "UserName does not match"),
    ("AddUserToGroup", {**MEMBERSHIP, "UserName": "a" * 129}, "UserName has 129 characters; the most is 128"),
    ("TagUser", {"UserName": "a", "Tags": [{"Key": "k" * 129, "Value": ""}]}, r"Tags\[0\]\.Key has 129"),
    ("UpdateAccessKey", {"AccessKeyId": "A" * 20, "Status": "Maybe"}, "Status is not one of"),
    (
        "UpdateRole",
        {"RoleName": "r", "MaxSessionDuration": 99999},
        "MaxSessionDuration is 99999; the most is 43200",
    ),
    ("GetAccountSummary", {"UserName": "a"}, "takes no parameters"),
]


@pytest.mark.parametrize(("service", "operation", "params"), VALID)
def test_good_parameters_have_no_faults(service: str, operation: str, params: dict[str, Any]) -> None:
    assert validate(service, operation, params) == []


@pytest.mark.parametrize(("operation", "params", "fault"), INVALID)
def test_bad_parameters_are_named_without_asking_aws(
    operation: str, params: dict[str, Any], fault: str
) -> None:
    assert any(re.search(fault, line) for line in validate("iam", operation, params))


def test_unknown_services_and_operations_are_refused() -> None:
    with pytest.raises(ValueError, match="no operation 'AddUser'"):
        validate("iam", "AddUser", {})
    with pytest.raises(ValueError, match="no service 'moon'"):
        validate("moon", "AddUser", {})


NASTY = 'it\'s "$HOME" `id` $(id) \\ ; & | > <x>\n* é 日本'
CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("iam", "AddUserToGroup", MEMBERSHIP),
    ("iam", "GetAccountSummary", {}),
    (
        "iam",
        "TagUser",
        {"UserName": "ada", "Tags": [{"Key": NASTY, "Value": NASTY}, {"Key": "b", "Value": "c"}]},
    ),
    (
        "iam",
        "PutUserPolicy",
        {"UserName": "-ada", "PolicyName": NASTY, "PolicyDocument": '{"a": "${aws:username}"}'},
    ),
    ("iam", "UntagUser", {"UserName": "ada", "TagKeys": ["a", NASTY]}),
    ("iam", "UntagUser", {"UserName": "ada", "TagKeys": ["-a", "b"]}),
    (
        "iam",
        "CreatePolicyVersion",
        {"PolicyArn": "arn:aws:iam::1:policy/p", "PolicyDocument": "{}", "SetAsDefault": True},
    ),
    ("iam", "PutUserPolicy", {"UserName": "ada", "PolicyName": "p", "PolicyDocument": "file:///etc/passwd"}),
    ("organizations", "AttachPolicy", {"PolicyId": "p-12345678", "TargetId": "r-abcd"}),
    ("ec2", "AssociateIamInstanceProfile", {"InstanceId": "i-1", "IamInstanceProfile": {"Name": NASTY}}),
]


def cli_parameters(words: list[str]) -> dict[str, list[str]]:
    """{option: values} as the CLI's argument parser splits them."""
    options: dict[str, list[str]] = {}
    for word in words:
        if word.startswith("--"):
            name, equals, value = word.partition("=")
            options[name] = [value] if equals else []
            last = name
        else:
            assert not word.startswith("-"), f"the CLI would take {word!r} for an option"
            options[last].append(word)
    return options


@pytest.mark.parametrize(("service", "operation", "params"), CALLS)
def test_the_cli_line_survives_a_shell_unharmed(service: str, operation: str, params: dict[str, Any]) -> None:
    line = as_cli(service, operation, params)
    output = subprocess.run(
        ["sh", "-c", f"printf '%s\\0' {line}"], capture_output=True, text=True, check=True
    ).stdout
    words = output.split("\0")[:-1]
    assert words == shlex.split(line)
    assert words[:3] == ["aws", service, xform_name(operation, "-")]
    options = cli_parameters(words[3:])
    if "--cli-input-json" in options:
        assert json.loads(options["--cli-input-json"][0]) == params
        return
    assert set(options) == {f"--{xform_name(name, '-')}" for name in params}
    for name, value in params.items():
        option = options[f"--{xform_name(name, '-')}"]
        assert option in ([value], value, []) or json.loads(option[0]) == value


def test_a_value_that_the_cli_would_read_as_a_file_goes_another_way() -> None:
    assert "--cli-input-json" in as_cli("iam", "PutUserPolicy", CALLS[7][2])


def test_a_false_flag_is_written_as_the_cli_has_it() -> None:
    assert as_cli("iam", "CreateLoginProfile", {"PasswordResetRequired": False}).endswith(
        " --no-password-reset-required"
    )


@pytest.mark.parametrize(("service", "operation", "params"), CALLS)
def test_the_snippet_makes_the_same_call(
    monkeypatch: pytest.MonkeyPatch, service: str, operation: str, params: dict[str, Any]
) -> None:
    made: list[Any] = []

    class Client:
        def __getattr__(self, name: str) -> Any:
            return lambda **calls_given: made.append((name, calls_given))

    stand_in = types.SimpleNamespace(client=lambda name, **region: made.append((name, region)) or Client())
    monkeypatch.setitem(sys.modules, "boto3", stand_in)  # type: ignore[arg-type]
    exec(as_boto3(service, operation, params), {})
    assert made == [(service, {}), (xform_name(operation), params)]


@pytest.mark.parametrize(("service", "operation", "params"), CALLS)
def test_the_javascript_snippet_gives_the_same_parameters(
    service: str, operation: str, params: dict[str, Any]
) -> None:
    """An object of JSON is one of JavaScript as well."""
    snippet = as_javascript(service, operation, params)
    assert f'from "@aws-sdk/client-{service}";' in snippet
    removesuffix = snippet.partition(f"client.send(new {operation}Command(")[2].removesuffix("));")
    assert json.loads(removesuffix) == params


def test_the_javascript_snippet_names_the_region_of_its_partition() -> None:
    assert 'IAMClient({ region: "cn-north-1" })' in as_javascript(
        "iam", "AddUserToGroup", MEMBERSHIP, partition="aws-cn"
    )
    with pytest.raises(ValueError, match="No JavaScript snippet for s3"):
        as_javascript("s3", "ListBuckets", {})


def test_other_partitions_name_their_region() -> None:
    assert "--region cn-north-1" in as_cli("iam", "AddUserToGroup", MEMBERSHIP, partition="aws-cn")
    assert "region_name='us-gov-west-1'" in as_boto3(
        "iam", "AddUserToGroup", MEMBERSHIP, partition="aws-us-gov"
    )
    curl = as_curl("iam", "AddUserToGroup", MEMBERSHIP, partition="aws-cn")
    assert "https://iam.cn-north-1.amazonaws.com.cn/" in curl
    assert "aws:amz:cn-north-1:iam" in curl
    assert "organizations.cn-northwest-1" in as_curl("organizations", "ListRoots", {}, partition="aws-cn")


def test_a_service_of_another_protocol_has_no_curl_line() -> None:
    with pytest.raises(ValueError, match="No curl line for s3"):
        as_curl("s3", "ListBuckets", {})


class _Recorder(http.server.BaseHTTPRequestHandler):
    """Keeps the requests it gets."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((dict(self.headers), body))  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""


@pytest.fixture
def recorder() -> Iterator[Any]:
    server = http.server.HTTPServer(("127.0.0.1", 0), _Recorder)
    server.requests = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
@pytest.mark.parametrize("token", ["", "a-token/with+signs=="])
@pytest.mark.parametrize(("service", "operation", "params"), CALLS)
def test_the_curl_line_sends_the_same_request_with_a_valid_signature(
    recorder: Any, service: str, operation: str, params: dict[str, Any], token: str
) -> None:
    line = as_curl(service, operation, params)
    host = f"127.0.0.1:{recorder.server_port}"
    local = re.sub(r"https://[^/]+/", f"http://{host}/", line, count=1).replace(
        "curl ", "curl -sS --noproxy '*' ", 1
    )
    keys = {
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret/+x",
        "AWS_SESSION_TOKEN": token,
    }
    subprocess.run(["sh", "-c", local], env={"PATH": "/usr/bin:/bin", **keys}, check=True)
    ((headers, body),) = recorder.requests
    assert body == _body_of_botocore(service, operation, params)
    assert headers["Authorization"] == _signature(headers, body, service=service, host=host, token=token)
    assert headers.get("X-Amz-Security-Token", headers.get("x-amz-security-token", "")) == token


def _signature(headers: dict[str, str], body: bytes, *, service: str, host: str, token: str) -> str:
    """The Authorization header that botocore makes of the headers that curl says it has signed."""
    match = re.search(r"SignedHeaders=([^,]+)", headers["Authorization"])
    assert match is not None
    lower = {name.lower(): value for name, value in headers.items()}
    date = lower["x-amz-date"]
    request = AWSRequest("POST", f"http://{host}/", data=body)
    for name in match[1].split(";"):
        request.headers[name] = lower[name]
    request.context["timestamp"] = date
    auth = SigV4Auth(Credentials("AKIDEXAMPLE", "secret/+x", None), service, "us-east-1")
    signed = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    scope = f"{date[:8]}/us-east-1/{service}/aws4_request"
    assert not token or "x-amz-security-token" in match[1]
    return f"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{scope}, SignedHeaders={match[1]}, Signature={signed}"


def _body_of_botocore(service: str, operation: str, params: dict[str, Any]) -> bytes:
    client = boto3.client(service, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    bodies: list[bytes] = []

    def keep(request: Any, **_: Any) -> None:
        bodies.append(request.body if isinstance(request.body, bytes) else request.body.encode())
        raise InterruptedError

    client.meta.events.register("before-send", keep)
    with pytest.raises(InterruptedError):
        getattr(client, xform_name(operation))(**params)
    client.close()
    if service == "organizations":
        return bodies[0]
    return "&".join(
        f"{quote(k, safe='')}={quote(v, safe='')}"
        for k, v in parse_qsl(bodies[0].decode(), keep_blank_values=True)
    ).encode()


def test_a_call_of_a_region_names_it() -> None:
    what = ("ec2", "DisassociateIamInstanceProfile", {"AssociationId": "iip-assoc-1"})
    assert "--region eu-west-1" in as_cli(*what, region="eu-west-1")
    assert "region_name='eu-west-1'" in as_boto3(*what, region="eu-west-1")
    curl = as_curl(*what, region="eu-west-1")
    assert "https://ec2.eu-west-1.amazonaws.com/" in curl
    assert "aws:amz:eu-west-1:ec2" in curl
