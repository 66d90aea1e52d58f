"""The generic webhook, for scripts and for systems without an integration.

Most fields have several names, which scripts written for other products send.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from incidentrelay.domain.enums import SignalStatus
from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.intake.signals import IncomingSignal, Rejection, SignalItem
from incidentrelay.integrations import fields
from incidentrelay.integrations.base import IntegrationInfo, SenderSnippet
from incidentrelay.integrations.snippets import curl_snippet

_KEYS = ("dedup_key", "fingerprint", "external_id", "alert_uid", "dedup")
_EXAMPLE = {
    "title": "Nightly backup failed",
    "severity": "high",
    "dedup_key": "backup-db1",
    "labels": {"alertname": "BackupFailed", "instance": "db1"},
}
_LINKS = ("link", "event_link", "link_to_upstream_details", "generatorURL", "url")


class Webhook:
    info = IntegrationInfo("webhook", "Generic webhook", "generic-webhook")

    def normalise(self, payload: Any, headers: Mapping[str, str]) -> Sequence[SignalItem]:
        """The items of an object, of an array, or of ``{"alerts": [...]}``."""
        if isinstance(payload, dict):
            alerts = payload.get("alerts")
            items = alerts if isinstance(alerts, list) else [payload]
        elif isinstance(payload, list):
            items = payload
        else:
            raise InvalidInput.of("body", "This must be a JSON object or an array of objects.")
        return [_item(item, index) for index, item in enumerate(items)]

    def snippets(self, intake_url: str, token: str) -> Sequence[SenderSnippet]:
        return (curl_snippet(intake_url, token, _EXAMPLE),)


def _item(item: Any, index: int) -> SignalItem:
    if not isinstance(item, dict):
        return Rejection(fields.NOT_AN_OBJECT)
    if not item:
        return Rejection(fields.EMPTY)
    raw = fields.json_object(item.get("labels"))
    sent = fields.text_map(raw)
    annotations = fields.annotation_map(item.get("annotations"))
    word = fields.first_text(item, "severity") or fields.first_text(raw, "severity")
    severity, labels = fields.severity_and_labels(word, sent)
    title = fields.one_line(_title(item, annotations))
    own = fields.first_text(item, *_KEYS)
    status = fields.status_of(fields.first_text(item, "status", "state", "action"))
    resolved = status is SignalStatus.RESOLVED
    shown = title or fields.one_line(fields.first_text(raw, "alertname"))
    return IncomingSignal(
        dedup_key=fields.identity(own, sent, title, item, index),
        status=status,
        severity=severity,
        title=fields.clip(shown, fields.MAX_TITLE) or "Webhook alert",
        description=fields.clip(_description(item, annotations), fields.MAX_DESCRIPTION),
        labels=labels,
        annotations=fields.bounded_annotations(annotations),
        starts_at=_first_instant(item, "starts_at", "startsAt"),
        ends_at=_first_instant(item, "ends_at", "endsAt") if resolved else None,
        link=fields.web_link(*(item.get(name) for name in _LINKS)),
        team=fields.team_of(item, raw),
    )


def _title(item: Mapping[str, Any], annotations: Mapping[str, str]) -> str:
    return fields.first_text(item, "title", "summary") or fields.first_text(annotations, "summary")


def _description(item: Mapping[str, Any], annotations: Mapping[str, str]) -> str:
    own = fields.first_text(item, "message", "description", "details")
    return own or fields.first_text(annotations, "description", "message")


def _first_instant(item: Mapping[str, Any], *names: str) -> datetime | None:
    return next((moment for name in names if (moment := fields.instant(item.get(name)))), None)
