"""The plan that an alert runs, taken from its route when it starts."""

from collections.abc import Sequence

from incidentrelay.domain.escalation.plan import Plan, default_plan, policy_plan
from incidentrelay.models import Route


def build_plan(route: Route, channel_ids: Sequence[int]) -> Plan:
    """The snapshot of the plan that an alert of ``route`` runs from now on.

    ``channel_ids`` are the route's channels; a policy names its own.
    """
    if route.policy is not None:
        policy = route.policy
        return policy_plan(policy.name, policy.steps, policy.repeat, policy.version)
    rotation = route.rotation
    team = route.team
    return default_plan(
        rotation.id if rotation else None,
        channel_ids,
        reminder_interval=rotation.reminder_interval if rotation else 0,
        reminders=team.escalation_after_reminders if team.escalation_enabled else None,
    )
