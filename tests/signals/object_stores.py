"""A real S3 API on loopback: moto's server in a process of its own, which checks signatures and policies as S3 does."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

REGION = "ap-northeast-2"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "object-store.md"
# In a process of its own: Delta holds the interpreter while it waits for an answer. It ends when we do.
_SERVER = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
server.stop()
"""
_FIRST_STEPS = 3  # requests that make the first user, who until then can't sign them
_EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


class ObjectStore:
    """The server: users by name, each with what its policy allows; buckets; and what it was asked."""

    def __init__(self, endpoint: str, log: Path) -> None:
        self.endpoint, self.log, self._numbers = endpoint, log, count(1)
        self.owner = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}
        self.owner = self.add_user("owner", _EVERYTHING)
        self.operator = self.add_user("operator", self.read_policy())

    def add_user(self, name: str, policy: dict[str, Any]) -> dict[str, str]:
        """Make a user who may do what a policy says; the variables that hold its key."""
        iam = self._connect("iam")
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName=name, PolicyDocument=json.dumps(policy))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}

    def read_policy(self) -> dict[str, Any]:
        """Read the policy that the page gives, for all buckets of the tests."""
        found = re.search(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
        assert found
        policy: dict[str, Any] = json.loads(found.group(1).replace(":::deungdae-town", ":::deungdae-*"))
        # moto asks whether several objects may be deleted on their bucket, where S3 asks it object by object
        policy["Statement"].append({"Effect": "Allow", "Action": ["s3:DeleteObject"], "Resource": ["arn:aws:s3:::deungdae-*"]})
        return policy

    def make_bucket(self) -> str:
        """Make a fresh bucket; its name."""
        name = f"deungdae-{next(self._numbers)}"
        self.connect().create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        return name

    def connect(self) -> Any:
        """Give its owner's own client, to put and look at objects without a word of ours."""
        return self._connect("s3")

    def _connect(self, service: str) -> Any:
        import boto3

        key, secret = self.owner.values()
        return boto3.client(service, REGION, endpoint_url=self.endpoint, aws_access_key_id=key, aws_secret_access_key=secret)

    def list_requests(self) -> list[str]:
        """What it was asked, one line per request: method, path, status."""
        lines = re.findall(r'"(?:\x1b\[[\d;m\x1b\[]*m)?([A-Z]+ \S+) HTTP/1.1(?:\x1b\[0m)?" (\d+)', self.log.read_text(encoding="utf-8"))
        return [" ".join(line) for line in lines]

    def speak_for(self, user: dict[str, str]) -> dict[str, str]:
        """The variables of the page, for one user."""
        return {"AWS_ENDPOINT_URL": self.endpoint, "AWS_REGION": REGION, "AWS_ALLOW_HTTP": "true", **user}


@contextmanager
def run_object_store(log: Path) -> Iterator[ObjectStore]:
    """Run the server on a free port of loopback."""
    environment = os.environ | {"INITIAL_NO_AUTH_ACTION_COUNT": str(_FIRST_STEPS)}
    with (
        log.open("w") as lines,
        subprocess.Popen(
            [sys.executable, "-c", _SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=lines, text=True, env=environment
        ) as server,
    ):
        assert server.stdin
        assert server.stdout
        yield ObjectStore(f"http://127.0.0.1:{int(server.stdout.readline())}", log)
        server.stdin.close()
