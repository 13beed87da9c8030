"""Make the buckets where they are missing, and set the policy of each: <bucket>.json here.

Accounts and the store's address come by the environment (AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, ...).
On AWS an account is written as its ARN.
"""

import os
from pathlib import Path
from string import Template

import boto3
from botocore.exceptions import ClientError

HERE = Path(__file__).parent


def main() -> None:
    """Make or update every bucket."""
    client = boto3.client("s3")
    for policy in sorted(HERE.glob("*.json")):
        bucket = policy.stem
        try:
            client.head_bucket(Bucket=bucket)
        except ClientError:
            client.create_bucket(Bucket=bucket)
        content = Template(policy.read_text(encoding="utf-8")).substitute(os.environ)
        client.put_bucket_policy(Bucket=bucket, Policy=content)


if __name__ == "__main__":
    main()
