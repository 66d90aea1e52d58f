"""Sample contexts for the pages of escalation policies; see tests/pages.py."""

from types import SimpleNamespace as Thing
from typing import Any

from incidentrelay.web.console.forms.schema_forms import SchemaForm
from incidentrelay.web.console.policies import form as policy_form_module
from incidentrelay.web.console.policies.wording import Line, Shown, Stop
from incidentrelay.web.schemas.policy import PolicySchema


def policy_picture(say: Any = str, *, fallback: bool = True) -> Shown:
    """Two steps, one with conditions and somebody who is not there."""
    anna = Line("rotate", say("The person on call in"), say("Primary"), say("now: Anna"), False)
    gone = Line("user", "", say("Bob"), say("inactive: not notified"), True)
    return Shown(
        stops=[
            Stop(say("At once"), [anna], []),
            Stop(say("After 5 min"), [anna, gone], [say("Only if the alert is critical.")]),
        ],
        repeats=say("2 more times") if fallback else "",
        again=say("Again from the first step on."),
        end=say("After 5 min more"),
        fallback=say("Dora") if fallback else "",
    )


def policy_row(say: Any = str, **changes: Any) -> Thing:
    values: dict[str, Any] = {
        "url": "/groups/sre/teams/core/policies/standard",
        "group_name": say("SRE"),
        "team_name": say("Core"),
        "name": say("Standard"),
        "steps": [say("At once: Primary"), say("+ 5 min: Bob")],
        "repeats": say("once more"),
        "routes": [say("Prometheus")],
        "fallback": True,
    }
    return Thing(**values | changes)


def policy_page(say: Any = str, **changes: Any) -> dict[str, Any]:
    return {
        "crumbs": [Thing(label=say("Core"), url="/x")],
        "policy": Thing(name=say("Standard"), description=say("For most of it.")),
        "picture": policy_picture(say),
        "routes": [say("Prometheus")],
        "edit_url": "/x/edit",
        "delete_url": "/x/delete",
    } | changes


def policy_form(say: Any = str, **changes: Any) -> dict[str, Any]:
    """Two steps, one with all conditions; a preview; everything wrong."""
    bob, conditions = "user:bob", {"severity": "high", "wait": "60", "zone": say("Europe/Berlin")}
    drafts = [
        policy_form_module.Draft(delay="0", targets=[bob, f"user:{say('otto')}"]),
        policy_form_module.Draft(delay=say("5"), again=True, weekdays=["0"], **conditions),
    ]
    names = ("name", "slug", "description", "repeat")
    form = SchemaForm(PolicySchema, names, {name: say("x") for name in names})
    form.values |= policy_form_module.values(drafts)
    form.errors = {name: say("This is wrong.") for name in form.values}
    form.version = "3"
    return {
        "crumbs": [Thing(label=say("Core"), url="/x")],
        "form": form,
        "drafts": drafts,
        "policy": Thing(name=say("Standard")),
        "preview": policy_picture(say),
        "targets": [("One person", [(bob, say("Bob Rivera"))])],
        "names": {bob: say("Bob Rivera")},
        "severities": [("high", "High and worse")],
        "weekdays": [("0", "Monday")],
        "zones": [say("Europe/Berlin")],
        "back": "/x",
    } | changes
