"""`codebuild-hash-files PATTERN...`: the SHA-256 of the files of the source that match.

Source: User Guide, "Amazon S3 caching". How the files are put together is not documented: here their paths and
contents, in the order of their paths.
"""

import glob
import hashlib
import os
import sys


def main() -> None:
    source = os.environ.get("CODEBUILD_SRC_DIR", ".")
    found = set()
    for pattern in sys.argv[1:]:
        for path in glob.glob(pattern, root_dir=source, recursive=True):
            if os.path.isfile(os.path.join(source, path)):
                found.add(os.path.normpath(path))
    digest = hashlib.sha256()
    for path in sorted(found):
        with open(os.path.join(source, path), "rb") as file:
            digest.update(path.encode() + b"\0" + hashlib.sha256(file.read()).digest())
    print(digest.hexdigest())


if __name__ == "__main__":
    main()
