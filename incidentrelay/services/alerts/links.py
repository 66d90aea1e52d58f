"""The URLs in messages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from incidentrelay.domain.enums import NotificationKind
from incidentrelay.domain.messages import Links
from incidentrelay.services.access.action_links import sign_act
from incidentrelay.services.outbox.records import PendingMessage


@dataclass(frozen=True, slots=True)
class LinkMaker:
    """Links under ``public_url``; ``act_key`` signs those that act without a login."""

    public_url: str
    act_key: bytes

    def __call__(
        self, messages: Sequence[PendingMessage], user_id: int | None, now: datetime
    ) -> Links:
        """The alert's page and, for a person, the signed page of its actions.

        Several alerts link to the list of alerts, shift reminders to who is on call.
        """
        if len(messages) != 1:
            return Links(console=f"{self.public_url}/alerts")
        if messages[0].message.kind is NotificationKind.SHIFT:
            return Links(console=f"{self.public_url}/oncall")
        alert_id = messages[0].alert_id
        if alert_id is None:
            return Links()
        console = f"{self.public_url}/alerts/{alert_id}"
        if user_id is None:
            return Links(console=console)
        token = sign_act(self.act_key, alert_id, user_id, now)
        return Links(console=console, act=f"{self.public_url}/act/{token}")
