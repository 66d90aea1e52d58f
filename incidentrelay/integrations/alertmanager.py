"""Prometheus Alertmanager's webhook, version 4, and compatible senders.

Only the items count: the status, labels and key of the group change with Alertmanager's own
routing and mean nothing for one alert.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from incidentrelay.domain.enums import SignalStatus
from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.intake.signals import IncomingSignal, Rejection, SignalItem
from incidentrelay.integrations import fields
from incidentrelay.integrations.base import IntegrationInfo, SenderSnippet
from incidentrelay.integrations.snippets import curl_snippet

# The range of a database column.
MAX_LEFT_OUT = 2**31 - 1
_RECEIVER = """\
receivers:
  - name: incidentrelay
    webhook_configs:
      - url: {url}
        send_resolved: true
        http_config:
          authorization:
            type: Bearer
            credentials: {token}

route:
  receiver: incidentrelay
  group_by: [alertname, instance]
  group_wait: 10s
  group_interval: 1m
  repeat_interval: 30m"""
_EXAMPLE = {
    "status": "firing",
    "alerts": [
        {
            "labels": {"alertname": "DiskFull", "severity": "critical", "instance": "host1"},
            "annotations": {"summary": "Disk is full on host1"},
        }
    ],
}


class Alertmanager:
    info = IntegrationInfo("alertmanager", "Alertmanager", "alertmanager")

    def normalise(self, payload: Any, headers: Mapping[str, str]) -> Sequence[SignalItem]:
        """One item for each of ``alerts``; raises InvalidInput if that list is missing."""
        if not isinstance(payload, dict):
            raise InvalidInput.of("body", "This is not a JSON object.")
        alerts = payload.get("alerts")
        if not isinstance(alerts, list):
            raise InvalidInput.of("alerts", "This must be a list of alerts.")
        common = fields.annotation_map(payload.get("commonAnnotations"))
        group_status = fields.first_text(payload, "status")
        return [_item(alert, index, common, group_status) for index, alert in enumerate(alerts)]

    def count_left_out(self, payload: Any) -> int:
        """``truncatedAlerts``: how many alerts ``max_alerts`` of its configuration cut off."""
        count = payload.get("truncatedAlerts")
        return count if type(count) is int and 0 < count <= MAX_LEFT_OUT else 0

    def snippets(self, intake_url: str, token: str) -> Sequence[SenderSnippet]:
        receiver = SenderSnippet(
            title="alertmanager.yml",
            where="Merge this into alertmanager.yml and reload Alertmanager.",
            text=_RECEIVER.format(url=intake_url, token=token),
        )
        return (receiver, curl_snippet(intake_url, token, _EXAMPLE))


def _item(alert: Any, index: int, common: Mapping[str, str], group_status: str) -> SignalItem:
    if not isinstance(alert, dict):
        return Rejection(fields.NOT_AN_OBJECT)
    raw = fields.json_object(alert.get("labels"))
    sent = fields.text_map(raw)
    annotations = {**common, **fields.annotation_map(alert.get("annotations"))}
    severity, labels = fields.severity_and_labels(fields.first_text(raw, "severity"), sent)
    title = fields.first_text(annotations, "summary") or fields.first_text(raw, "alertname")
    description = fields.first_text(annotations, "description", "message")
    status = fields.status_of(fields.first_text(alert, "status") or group_status)
    resolved = status is SignalStatus.RESOLVED
    return IncomingSignal(
        dedup_key=fields.identity(fields.first_text(alert, "fingerprint"), sent, "", alert, index),
        status=status,
        severity=severity,
        title=fields.clip(fields.one_line(title), fields.MAX_TITLE) or "Alertmanager alert",
        description=fields.clip(description, fields.MAX_DESCRIPTION),
        labels=labels,
        annotations=fields.bounded_annotations(annotations),
        starts_at=fields.instant(alert.get("startsAt")),
        # While firing, endsAt is only when Prometheus would expire the alert.
        ends_at=fields.instant(alert.get("endsAt")) if resolved else None,
        link=fields.web_link(alert.get("generatorURL")),
        team=fields.team_of({}, raw),
    )
