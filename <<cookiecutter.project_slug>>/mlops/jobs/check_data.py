"""Look at the data before a model learns from them.

    python mlops/jobs/check_data.py --input-dir data --schema-dir schema --current-dir current --output-dir out

What mlops.yaml declares about the columns is held against the file, and so is the baseline that training stored
beside the current version. `data_check.json` holds what was found. SageMaker runs this file as a processing job; with
`--mode enforce` the job fails if there is any finding.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
from column_profile import describe, read_baseline  # type: ignore[import-not-found]
from data_findings import (  # type: ignore[import-not-found]
    Finding,
    check_duplicates,
    check_feature,
    check_names,
    check_target,
    check_types,
)
from raw_table import as_kind, as_text, kind_of, read_table  # type: ignore[import-not-found]


def main(argv: list[str] | None = None) -> None:
    """Check the data, write the report, and print a line for each finding.

    Raises:
        ValueError: the data cannot be read, in any mode.
        SystemExit: there are findings, and the mode is "enforce".
    """
    args = parse_arguments(argv)
    declared = read_declaration(args.schema_dir)
    columns, target = declared["columns"], declared["target"]
    baseline, note = read_baseline(args.current_dir)
    table = read_table(args.input_dir, [name for name in columns if columns[name]["type"] == "category"])
    notes = [note] if note else []
    findings = list(check_names(table, declared, baseline, notes))
    rows = len(table)
    if declared["rows_without_target"] == "drop":
        table = only_with_target(table, target, notes)
    seen: dict[str, pd.Series[Any]] = {}  # what a model would see of the table
    profile = {}
    for name in columns or [name for name in table if name not in {target, *declared["id_columns"]}]:
        if name in table:
            kind = columns[name]["type"] if columns else kind_of(table[name])
            seen[name], wrong = as_kind(table[name], kind)
            profile[name] = describe(seen[name], kind)
            findings += check_types(table[name], wrong, kind)
            findings += check_feature(seen[name], wrong, kind, columns.get(name), baseline, args)
    if target in table:
        seen[target] = as_text(table[target])
        findings += check_target(table[target], declared, baseline, args)
    if all(finding.check != "schema" for finding in findings):  # else rows look alike that are not
        findings += check_duplicates(pd.DataFrame(seen), args.duplicates)
    report = {"rows": rows, "columns": len(table.columns), "compared_with_current": baseline is not None}
    finish(report, findings, notes, profile, args)


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line; the defaults are the paths of a SageMaker processing job, and those of mlops.yaml."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    processing = Path("/opt/ml/processing")
    parser.add_argument("--input-dir", type=Path, default=processing / "input/data")
    parser.add_argument("--schema-dir", type=Path, default=processing / "input/schema")
    parser.add_argument(
        "--current-dir", type=Path, help="where the current version's baseline.json or model.tar.gz lies, or `none`"
    )
    parser.add_argument("--output-dir", type=Path, default=processing / "output/report")
    parser.add_argument("--mode", choices=["warn", "enforce"], default="warn")
    for name, limit in (
        ("duplicates", 0.05),
        ("missing", 0.1),
        ("out-of-range", 0.05),
        ("new-categories", 0.05),
        ("balance", 0.1),
        ("shift", 0.5),
    ):
        parser.add_argument(f"--{name}", type=float, default=limit, help=f"data_check.{name.replace('-', '_')}")
    return parser.parse_args(argv)


def read_declaration(folder: Path) -> dict[str, Any]:
    """Return what mlops.yaml says about the data.

    Raises:
        ValueError: there is no data.json in the folder.
    """
    try:
        content: dict[str, Any] = json.loads((folder / "data.json").read_text("utf-8"))
    except FileNotFoundError:
        raise ValueError(f"no data.json in {folder}: the pipeline writes it") from None
    return content


def only_with_target(table: pd.DataFrame, target: str, notes: list[str]) -> pd.DataFrame:
    """Leave out the rows that no model will see, and note how many. The others keep their numbers."""
    gaps = table[target].isna() if target in table else pd.Series(False, table.index)
    if not gaps.any() or gaps.all():  # then there is a finding
        return table
    notes.append(f"{gaps.sum()} rows have no target {target!r}: left out")
    return table[~gaps]


def finish(
    report: dict[str, Any], findings: list[Finding], notes: list[str], profile: dict[str, Any], args: argparse.Namespace
) -> None:
    """Write the report and print it; with the mode "enforce", fail if there is a finding."""
    verdict = {"warn": "warned", "enforce": "failed"}[args.mode] if findings else "passed"
    report = {
        "verdict": verdict,
        **report,
        "findings": [asdict(finding) for finding in findings],
        "notes": notes,
        "profile": profile,
    }
    args.output_dir.mkdir(parents=True, exist_ok=True)
    text = json.dumps(report, indent=2, ensure_ascii=False, allow_nan=False)
    (args.output_dir / "data_check.json").write_text(text + "\n", "utf-8")
    for note in notes:
        print(f"note: {note}")
    for finding in findings:
        print(f"{finding.check}: {finding.message}")
    print(f"findings={len(findings)};")
    if verdict == "failed":
        more = f" (and {len(findings) - 1} more findings)" if len(findings) > 1 else ""
        sys.exit(f"check_data.py: {findings[0].message}{more}")


if __name__ == "__main__":
    try:
        main()
    except ValueError as error:
        raise SystemExit(f"check_data.py: {error}") from None
