"""The HTML face of the tree, for people in browsers.

The law of this package: every view is a ``@console_view``; it reads the form, calls
one service and returns what a template shows, or a redirect. Every change is a POST
that ends in a redirect. Every page works without a script.
"""

from typing import Any

from incidentrelay.web.console.toolkit import context as page_globals


def includeme(config: Any) -> None:
    config.add_settings(
        {
            "jinja2.filters": page_globals.FILTERS,
            "jinja2.undefined": "strict",
        }
    )
    config.include("pyramid_jinja2")
    config.add_jinja2_search_path("incidentrelay:templates", name=".jinja2")
    config.include("incidentrelay.web.console.toolkit.assets")
    config.include("incidentrelay.web.console.toolkit.flash")
    config.include("incidentrelay.web.console.toolkit.view")
    config.include("incidentrelay.web.console.toolkit.errors")
    config.include("incidentrelay.web.console.toolkit.context")
    config.scan("incidentrelay.web.console", categories=["pyramid"])
