"""The HTML face of the tree, for people in browsers.

The law of this package: every view is a ``@console_view``; it reads the form, calls
one service and returns what a template shows, or a redirect. Whatever changes
something is a POST that ends in a redirect. Every page works without a script.
"""

from typing import Any

from incidentrelay.web.console import globals as page_globals


def includeme(config: Any) -> None:
    config.add_settings(
        {
            "jinja2.filters": page_globals.FILTERS,
            "jinja2.undefined": "strict",
        }
    )
    config.include("pyramid_jinja2")
    config.add_jinja2_search_path("incidentrelay:templates", name=".jinja2")
    config.include("incidentrelay.web.console.assets")
    config.include("incidentrelay.web.console.flash")
    config.include("incidentrelay.web.console.view")
    config.include("incidentrelay.web.console.errors")
    config.include("incidentrelay.web.console.globals")
    config.scan("incidentrelay.web.console", categories=["pyramid"])
