"""A small, fast, read-only stand-in for AWS IAM, made to measure mirrors at line speed and to fail on demand.

It checks no signature and answers from XML fragments that are rendered once at start. Standard library only;
uvloop is used when it can be imported, and moto's table of AWS managed policies when it is installed.

    python -m tests.bench.fakeaws --port 4599 --users 5000 --groups 300 --roles 2000 --policies 1000
    export AWS_ENDPOINT_URL=http://127.0.0.1:4599 AWS_DEFAULT_REGION=us-east-1 \\
           AWS_ACCESS_KEY_ID=AKIAFAKE AWS_SECRET_ACCESS_KEY=x
    aws iam get-account-authorization-details

It speaks IAM and STS (Query protocol: every List and Get call of an IAM crawler, with MaxItems, Marker and
IsTruncated as AWS has them), the part of Organizations that lists (JSON protocol), and the part of EC2 that
shows instances. Anything else gets an empty success and is counted apart, as "other:<name>".

Many accounts: `--accounts N` serves N accounts alike in shape, from one copy in memory. AssumeRole on a role
of an account gives a key whose letters name the account; `accounts.key_of(n)` gives such a key without a
call. Every request signed with it is answered for that account: the same bytes with account id and unique ids
replaced.

Control, by plain HTTP with JSON answers:

    GET  /_stats                 requests and bytes by action, faults by kind
    POST /_reset                 zero the counters
    POST /_config?latency_ms=20&rate=50&burst=100&fault_rate=0.01
                 &fault_kinds=throttling,500,reset,short,malformed
                 &deny=iam:ListUsers,iam:GetLoginProfile       denied actions
                 &fail=GetAccountAuthorizationDetails:3:500    from its third call on, this action fails so
                 &report_steps=2                               the report is ready after two calls
                 &organization=0                               the account is in no organization
    POST /_touch?n=500&seed=3    change only when things were last used
    POST /_mutate?n=50&seed=3    change tags of n users and roles and the default version of n policies
    POST /_report?age_hours=3.5  set the GeneratedTime of the credential report back

Everything is a function of `--seed` and the counts; faults of `--fault-seed` and the order of requests.
"""
