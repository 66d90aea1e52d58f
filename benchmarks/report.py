"""The figures of all rounds as a table and as JSON."""

import json
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True)
class Report:
    """``figures[database][case][name]`` are the values of all rounds.

    ``goals[database, case, name]`` is the least that the median should be.
    """

    figures: dict[str, dict[str, dict[str, list[float]]]] = field(default_factory=dict)
    goals: dict[tuple[str, str, str], float] = field(default_factory=dict)

    def add(self, database: str, case: str, values: Mapping[str, float]) -> None:
        rows = self.figures.setdefault(database, {}).setdefault(case, {})
        for name, value in values.items():
            rows.setdefault(name, []).append(value)

    def median(self, database: str, case: str, name: str) -> float:
        return statistics.median(self.figures[database][case][name])

    def lost(self) -> list[str]:
        """The cases in which an alert was lost."""
        return [
            f"{case} ({database})"
            for database, cases in self.figures.items()
            for case, names in cases.items()
            if any(names.get("lost", ()))
        ]

    def table(self) -> str:
        titles = (
            f"{'':17} {'case':33} {'figure':20} {'min':>9} {'median':>9} {'max':>9} {'goal':>9}"
        )
        lines = [titles]
        for database, cases in self.figures.items():
            for case, names in cases.items():
                for name, values in names.items():
                    three = min(values), statistics.median(values), max(values)
                    goal = self.goals.get((database, case, name))
                    cells = " ".join(_cell(value) for value in (*three, goal))
                    lines.append(f"{database:17} {case:33} {name:20} {cells}".rstrip())
        return "\n".join(lines)

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(self.figures, indent=2) + "\n")


def _cell(value: float | None) -> str:
    if value is None:
        return " " * 9
    return f"{value:9.3g}" if abs(value) < 1000 else f"{value:9.0f}"
