"""git's credential helper for the sandbox: what `aws codecommit credential-helper get` answers, with the standard
library alone.

git starts it for each push and fetch, so it must be quick and always there; the AWS CLI's own helper works against
the sandbox
too (`aws codecommit credential-helper --ignore-host-check $@`). Source: awscli/customizations/codecommit.py.
"""

import hashlib
import hmac
import os
import sys
import time


def password(secret: str, region: str, host: str, path: str, timestamp: str) -> str:
    """YYYYMMDDTHHMMSSZ and the hex SigV4 signature of a `GIT` request to host (without its port) and path."""
    day = timestamp[:8]
    canonical = f"GIT\n{path}\n\nhost:{host}\n\nhost\n"
    scope = f"{day}/{region}/codecommit/aws4_request"
    to_sign = f"AWS4-HMAC-SHA256\n{timestamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = ("AWS4" + secret).encode()
    for part in (day, region, "codecommit", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return f"{timestamp}Z{hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()}"


def region_of(path: str, default: str) -> str:
    """Repositories of another region than the sandbox's have it as the first part of their path."""
    first = path.split("/", 1)[0]
    return default if first == "v1" else first


def main() -> None:
    if sys.argv[1:] != ["get"]:
        return  # nothing is ever stored, so there is nothing to store or erase
    asked = dict(line.rstrip("\n").split("=", 1) for line in sys.stdin if "=" in line)
    token = os.environ.get("AWS_SESSION_TOKEN", "")
    user = os.environ["AWS_ACCESS_KEY_ID"] + (f"%{token}" if token else "")
    region = region_of(asked["path"], os.environ.get("AWS_REGION") or os.environ["AWS_DEFAULT_REGION"])
    now = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
    host = asked["host"].split(":")[0]
    secret = os.environ["AWS_SECRET_ACCESS_KEY"]
    sys.stdout.write(f"username={user}\npassword={password(secret, region, host, '/' + asked['path'], now)}\n")


if __name__ == "__main__":
    main()
