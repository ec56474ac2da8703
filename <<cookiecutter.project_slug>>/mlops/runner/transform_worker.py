"""Send files through a model's own `inference.py`, in requests of the size that batch transform makes."""

import argparse
import importlib
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MEGABYTE = 1024 * 1024


def main() -> None:
    """Load the model, and answer every file of the input folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model-dir", type=Path, required=True)
    parser.add_argument("--input-dir", type=Path, required=True)
    parser.add_argument("--output-dir", type=Path, required=True)
    parser.add_argument("--content-type", required=True)
    parser.add_argument("--accept", required=True)
    parser.add_argument("--split", choices=["None", "Line"], required=True)
    parser.add_argument("--strategy", choices=["MultiRecord", "SingleRecord"], required=True)
    parser.add_argument("--max-payload-mb", type=int, required=True)
    parser.add_argument("--assemble", choices=["None", "Line"], required=True)
    args = parser.parse_args()
    sys.path.insert(0, str(args.model_dir / "code"))
    code = importlib.import_module("inference")
    model = code.model_fn(str(args.model_dir))
    for file in sorted(path for path in args.input_dir.rglob("*") if path.is_file()):
        target = args.output_dir / f"{file.relative_to(args.input_dir).as_posix()}.out"
        target.parent.mkdir(parents=True, exist_ok=True)
        limit = args.max_payload_mb * MEGABYTE or math.inf  # MaxPayloadInMB 0 is no limit
        answers = [
            _answer(code, model, body, args, file.name)
            for body in _requests(file.read_bytes(), args.split, args.strategy, limit)
        ]
        ending = b"\n" if args.assemble == "Line" else b""
        target.write_bytes(b"".join(answer.rstrip(b"\n") + b"\n" if ending else answer for answer in answers))


def _requests(content: bytes, split: str, strategy: str, limit: float) -> Iterator[bytes]:
    if split == "None":
        yield content
        return
    batch: list[bytes] = []
    size = 0
    for line in content.splitlines(keepends=True):
        if batch and (strategy == "SingleRecord" or size + len(line) > limit):
            yield b"".join(batch)
            batch, size = [], 0
        batch.append(line)
        size += len(line)
    if batch:
        yield b"".join(batch)


def _answer(code: Any, model: Any, body: bytes, args: argparse.Namespace, name: str) -> bytes:
    try:
        prediction = code.predict_fn(code.input_fn(body, args.content_type), model)
    except ValueError as error:
        raise SystemExit(f"{name}: {error}") from None
    answer = code.output_fn(prediction, args.accept)
    answer = answer[0] if isinstance(answer, tuple) else answer  # with or without its type
    return answer if isinstance(answer, bytes) else str(answer).encode("utf-8")


if __name__ == "__main__":
    main()
