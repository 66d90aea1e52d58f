"""``python -m tests.chaos --seed 7 --seconds 60 --database postgresql``."""

import argparse
import random
import sys
import tempfile
from pathlib import Path

from tests.chaos import drill


def main() -> int:
    """Run one drill, print its table; the exit code is 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(10_000))
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--deadline", type=float, default=120.0)
    parser.add_argument("--pause", type=float, default=drill.PAUSE)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--keep", type=Path, help="a new folder for the logs")
    options = parser.parse_args()
    title = f"{options.database}, seed {options.seed}, {options.seconds:.0f} s"
    sys.stdout.write(f"{title}\n\n")
    sys.stdout.flush()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        report = drill.run(
            folder,
            options.database,
            seed=options.seed,
            seconds=options.seconds,
            deadline=options.deadline,
            pause=options.pause,
        )
    sys.stdout.write(f"{report}\n")
    return 1 if report.complaints else 0


if __name__ == "__main__":
    sys.exit(main())
