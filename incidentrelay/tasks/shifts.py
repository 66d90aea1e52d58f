"""Reminds people of shifts that start and end."""

from incidentrelay.services.delivery import shift_reminders
from incidentrelay.tasks.context import WorkerContext


def send_shift_reminders(context: WorkerContext) -> bool:
    """Send the reminders that are due; all of them, so no batch remains."""
    with context.database.write() as session:
        shift_reminders.send_due_reminders(session, context.clock())
    return False
