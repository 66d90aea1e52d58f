"""Zabbix's webhook media type: ours, Grafana OnCall's, and older parameter names.

Zabbix sends a flat object of texts. An unresolved macro arrives as its own literal text and is
treated as missing. Event dates are in the Zabbix server's local time without a zone, so they
are not used.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from incidentrelay.domain.enums import Severity, SignalStatus
from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.intake.signals import IncomingSignal, Rejection, SignalItem
from incidentrelay.domain.text import clean_text
from incidentrelay.integrations import fields
from incidentrelay.integrations.base import IntegrationInfo, SenderSnippet
from incidentrelay.integrations.snippets import curl_snippet

_MACRO = re.compile(r"\{[$#]?[A-Z][A-Z0-9_]*(?:[.:][^{}]*)?\}|\*UNKNOWN\*")
_DIGITS = re.compile(r"[0-9]{1,20}")
_LEVELS = (
    ("Not classified", Severity.INFO),
    ("Information", Severity.INFO),
    ("Warning", Severity.WARNING),
    ("Average", Severity.MEDIUM),
    ("High", Severity.HIGH),
    ("Disaster", Severity.CRITICAL),
)
# An explicit fingerprint overrides the event's identity.
_KEYS = ("fingerprint", "event_id", "eventid", "trigger_id", "triggerid", "alert_uid")
_TITLES = ("title", "event_name", "problem_name", "trigger_name", "name", "subject")
_TAGS = ("event_tags", "tags_json", "tags")
_LINKS = ("event_link", "event_url", "problem_url", "link_to_upstream_details", "link")
_HOST = ("host_name", "host", "hostname", "host_host")
_LABELS = (
    ("host", _HOST),
    ("host_ip", ("host_ip",)),
    ("trigger_id", ("trigger_id", "triggerid")),
)
_ANNOTATIONS = ("event_id", "event_opdata", "opdata", "trigger_description", "trigger_url")
_MEDIA_TYPE = Path(__file__).parent / "samples" / "zabbix" / "media_incidentrelay.yaml"
_EXAMPLE = {
    "event_id": "1",
    "event_value": "1",
    "event_name": "High CPU load on web1",
    "event_nseverity": "4",
    "host_name": "web1",
}


class Zabbix:
    info = IntegrationInfo("zabbix", "Zabbix", "zabbix")

    def normalise(self, payload: Any, headers: Mapping[str, str]) -> Sequence[SignalItem]:
        """One item for an object, or one for each item of an array."""
        if not isinstance(payload, dict | list):
            raise InvalidInput.of("body", "This must be a JSON object or an array of objects.")
        items = payload if isinstance(payload, list) else [payload]
        return [_item(item, index) for index, item in enumerate(items)]

    def snippets(self, intake_url: str, token: str) -> Sequence[SenderSnippet]:
        base = intake_url.removesuffix(f"/api/integrations/{self.info.name}")
        macros = SenderSnippet(
            title="Global macros",
            where="In Zabbix, set these under Administration, Macros; the token as Secret text.",
            text=f"{{$INCIDENTRELAY.URL}} = {base}\n{{$INCIDENTRELAY.TOKEN}} = {token}",
        )
        media_type = SenderSnippet(
            title="Media type",
            where=(
                "Import this file under Alerts, Media types, give it to a user, and add a trigger"
                " action with recovery and update operations."
            ),
            file=_MEDIA_TYPE,
        )
        return (macros, media_type, curl_snippet(intake_url, token, _EXAMPLE))


def _item(raw: Any, index: int) -> SignalItem:
    if not isinstance(raw, dict):
        return Rejection(fields.NOT_AN_OBJECT)
    item = _without_macros(raw)
    if not item:
        return Rejection(fields.EMPTY)
    given = fields.text_map(item.get("labels"))
    sent = {**_tags(item), **given}
    word, known = _severity(item, sent)
    severity, labels = fields.severity_and_labels(word, {**_host_labels(item), **sent}, known)
    title = fields.one_line(fields.first_text(item, *_TITLES))
    # The same title on two hosts is two problems.
    named = f"{title} {fields.first_text(item, *_HOST)}".strip() if title else ""
    description = fields.first_text(item, "message", "alert_message", "trigger_description")
    return IncomingSignal(
        dedup_key=fields.identity(fields.first_text(item, *_KEYS), given, named, item, index),
        status=_status(item),
        severity=severity,
        title=fields.clip(title, fields.MAX_TITLE) or "Zabbix alert",
        description=fields.clip(description, fields.MAX_DESCRIPTION),
        labels=labels,
        annotations=fields.bounded_annotations(_annotations(item)),
        link=_link(item),
        team=fields.team_of(item, sent),
        note=_note(item),
    )


def _without_macros(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The usable fields, without unresolved macros, nulls and empty texts."""
    kept: dict[str, Any] = {}
    for name, value in raw.items():
        plain = _without_macros(value) if isinstance(value, dict) else value
        missing = plain is None or (isinstance(plain, str) and _is_missing(plain))
        if not missing and plain != {}:
            kept[name] = plain
    return kept


def _is_missing(text: str) -> bool:
    return not text.strip() or _MACRO.fullmatch(text.strip()) is not None


def _status(item: Mapping[str, Any]) -> SignalStatus:
    """From the event's value if present (0 is a recovery), else from the status text."""
    value = fields.first_text(item, "event_value")
    if value in ("0", "1"):
        return SignalStatus.RESOLVED if value == "0" else SignalStatus.FIRING
    word = fields.first_text(item, "status", "event_status", "state", "trigger_status")
    return SignalStatus.RESOLVED if word == "0" else fields.status_of(word)


def _severity(item: Mapping[str, Any], sent: Mapping[str, str]) -> tuple[str, Severity | None]:
    """The severity's name, and its meaning if the number gives it.

    The number is more reliable: administrators rename and translate the names.
    """
    word = fields.first_text(item, "event_severity", "severity", "trigger_severity")
    number = fields.first_text(item, "event_nseverity", "trigger_nseverity", "nseverity")
    for digit in (number, word):
        if digit in ("0", "1", "2", "3", "4", "5"):
            name, severity = _LEVELS[int(digit)]
            return (name if word in ("", digit) else word), severity
    return word or sent.get("severity", "").strip(), None


def _tags(item: Mapping[str, Any]) -> dict[str, str]:
    """Zabbix's tags as labels; the values of a repeated tag are joined by commas."""
    for name in _TAGS:
        tags = item.get(name)
        if isinstance(tags, str):
            tags = _decoded(tags)
        if isinstance(tags, dict):
            tags = [{"tag": tag, "value": value} for tag, value in tags.items()]
        if isinstance(tags, list):
            return _joined(tag for tag in tags if isinstance(tag, dict))
    return {}


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        # The plain list of {EVENT.TAGS} has no quoting, so it cannot be split.
        return None


def _joined(tags: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    values: dict[str, list[str]] = {}
    for tag in tags:
        name, value = (_clean(tag.get(part)) for part in ("tag", "value"))
        if not _is_missing(name):
            values.setdefault(name, []).append("" if _is_missing(value) else value)
    return {name: ",".join(sorted(set(texts))) for name, texts in values.items()}


def _clean(value: Any) -> str:
    """A plain tag's text. Tags are JSON inside a string, so not sanitised yet."""
    if value is None or isinstance(value, dict | list):
        return ""
    return clean_text(fields.json_text(value))


def _host_labels(item: Mapping[str, Any]) -> dict[str, str]:
    found = {label: fields.first_text(item, *names) for label, names in _LABELS}
    return {label: text for label, text in found.items() if text}


def _annotations(item: Mapping[str, Any]) -> dict[str, str]:
    own = {name: fields.first_text(item, name) for name in _ANNOTATIONS if name in item}
    return {**own, **fields.text_map(item.get("annotations"))}


def _link(item: Mapping[str, Any]) -> str | None:
    """The event's page in Zabbix, else the trigger's own URL."""
    base = fields.first_text(item, "zabbix_url").rstrip("/")
    event = fields.first_text(item, "event_id", "eventid")
    trigger = fields.first_text(item, "trigger_id", "triggerid")
    page = None
    if _DIGITS.fullmatch(event) and _DIGITS.fullmatch(trigger):
        page = f"{base}/tr_events.php?triggerid={trigger}&eventid={event}"
    return fields.web_link(*(item.get(name) for name in _LINKS), page, item.get("trigger_url"))


def _note(item: Mapping[str, Any]) -> str | None:
    """The action taken on the problem in Zabbix, as one line, for an update operation."""
    if fields.first_text(item, "event_update_status") != "1":
        return None
    acknowledged = fields.first_text(item, "event_ack_status").casefold() == "yes"
    action = fields.first_text(item, "event_update_action") or (
        "acknowledged" if acknowledged else "updated"
    )
    who = fields.first_text(item, "user_fullname", "user_name")
    message = fields.first_text(item, "event_update_message")
    suffix = f": {message}" if message else ""
    return fields.clip(fields.one_line(f"Zabbix: {who} {action}{suffix}"), fields.MAX_NOTE)
