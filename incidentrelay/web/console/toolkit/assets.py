"""The built files that pages use: style sheets, scripts, icons."""

import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

FOLDER = Path(__file__).resolve().parents[3] / "static" / "vendor"
_YEAR = 365 * 24 * 3600


def read_manifest(folder: Path) -> Mapping[str, str]:
    """Plain names → built names. Empty if nothing is built: paging works without styles."""
    try:
        manifest: dict[str, str] = json.loads((folder / "manifest.json").read_text("utf-8"))
    except FileNotFoundError:
        log.error("The console's files are not built; run: python build_assets.py")
        return {}
    return manifest


def finder(request: Any) -> Callable[[str], str]:
    """The function that gives templates the path of a built file."""
    manifest: Mapping[str, str] = request.registry["assets"]

    def asset(name: str) -> str:
        path: str = request.static_path(f"incidentrelay:static/vendor/{manifest.get(name, name)}")
        return path

    return asset


def includeme(config: Any) -> None:
    config.registry["assets"] = read_manifest(FOLDER)
    # Built names change with their content, so browsers may cache them.
    config.add_static_view("static", "incidentrelay:static/vendor", cache_max_age=_YEAR)
