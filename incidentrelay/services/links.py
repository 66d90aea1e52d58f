"""The addresses that go into messages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from incidentrelay.domain.messages import Links
from incidentrelay.services.act_links import sign_act


@dataclass(frozen=True, slots=True)
class LinkMaker:
    """Links under ``public_url``; ``act_key`` signs those that act without a login."""

    public_url: str
    act_key: bytes

    def __call__(
        self, alert_ids: Sequence[int | None], user_id: int | None, now: datetime
    ) -> Links:
        """The alert's page, and for a person the signed page of its actions.

        For several alerts it is the list of all.
        """
        if len(alert_ids) != 1:
            return Links(console=f"{self.public_url}/alerts")
        alert_id = alert_ids[0]
        if alert_id is None:
            return Links()
        console = f"{self.public_url}/alerts/{alert_id}"
        if user_id is None:
            return Links(console=console)
        token = sign_act(self.act_key, alert_id, user_id, now)
        return Links(console=console, act=f"{self.public_url}/act/{token}")
