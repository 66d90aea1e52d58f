"""The addresses that go into messages."""

from dataclasses import dataclass
from datetime import datetime

from incidentrelay.domain.messages import Links
from incidentrelay.services.act_links import sign_act
from incidentrelay.services.deliveries import Claim


@dataclass(frozen=True, slots=True)
class LinkMaker:
    """Links under ``public_url``; ``act_key`` signs those that act without a login."""

    public_url: str
    act_key: bytes

    def __call__(self, taken: Claim, now: datetime) -> Links:
        """The alert's page, and for a person the signed page of its actions."""
        if taken.alert_id is None:
            return Links()
        console = f"{self.public_url}/alerts/{taken.alert_id}"
        if taken.user_id is None:
            return Links(console=console)
        token = sign_act(self.act_key, taken.alert_id, taken.user_id, now)
        return Links(console=console, act=f"{self.public_url}/act/{token}")
