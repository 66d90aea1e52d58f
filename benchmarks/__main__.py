"""``python -m benchmarks``; see ``--help``."""

import argparse
from pathlib import Path

from benchmarks.plot import draw_growth
from benchmarks.report import Report
from benchmarks.run import QUICK, Options, measure, measure_growth

KINDS = ("sqlite", "postgresql")
PARTS = {"write": measure, "read": measure_growth}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure IncidentRelay beside a floor."
    )
    parser.add_argument("--quick", action="store_true", help="one short round, to see it work")
    parser.add_argument("--rounds", type=int, default=Options().rounds)
    parser.add_argument("--database", choices=KINDS, action="append", help="default: both")
    parser.add_argument("--only", choices=PARTS, help="default: all parts")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    parser.add_argument("--plot", type=Path, help="draw how reads grow into this SVG file")
    chosen = parser.parse_args()
    options = QUICK if chosen.quick else Options(rounds=chosen.rounds)
    report = Report()
    for kind in chosen.database or KINDS:
        for part in [chosen.only] if chosen.only else PARTS:
            PARTS[part](report, kind, options)
    print(report.table())
    if chosen.json:
        report.write(chosen.json)
    if chosen.plot:
        chosen.plot.write_text(draw_growth(report.figures))
    if report.lost():
        raise SystemExit(f"Alerts were lost in: {', '.join(report.lost())}")


if __name__ == "__main__":
    main()
