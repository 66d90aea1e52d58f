"""``/metrics``: figures of the installation for Prometheus.

With a token configured, only its owner may read them. Without one, only programs on this
machine may. Requests through a proxy are rejected, because behind a proxy every client appears
to be on this machine.
"""

import hmac
import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from sqlalchemy.exc import SQLAlchemyError

from incidentrelay import __version__
from incidentrelay.services.operations import metrics
from incidentrelay.services.operations.metrics import Metric, Samples

_PASSED_ON = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via")


class _MetricsCollector(Collector):
    """Adapts the current figures to the Prometheus library."""

    def __init__(self, figures: Mapping[Metric, Samples]) -> None:
        self._figures = figures

    def collect(self) -> Iterator[GaugeMetricFamily]:
        about = GaugeMetricFamily("incidentrelay_info", "The running version.", labels=["version"])
        about.add_metric([__version__], 1)
        yield about
        for metric, samples in self._figures.items():
            family = GaugeMetricFamily(metric.full_name, metric.doc, labels=metric.labels)
            for values, number in samples.items():
                family.add_metric([str(value) for value in values], number)
            yield family


def show(request: Any) -> Any:
    refusal = _refusal(request)
    if refusal is not None:
        return refusal
    try:
        with request.registry["database"].read() as session:
            figures = metrics.measure_all(session, request.now)
    except SQLAlchemyError:
        return _plain(503, "The database cannot be used.")
    # One registry per scrape, so that nothing is kept or shared between applications.
    registry = CollectorRegistry()
    registry.register(_MetricsCollector(figures))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _refusal(request: Any) -> Response | None:
    token = request.registry["settings"].metrics_token
    if token:
        header = request.headers.get("Authorization", "")
        if hmac.compare_digest(header.encode(), f"Bearer {token}".encode()):
            return None
        answer = _plain(401, "Send the token from incidentrelay.metrics.token.")
        answer.headers["WWW-Authenticate"] = 'Bearer realm="metrics"'
        return answer
    if _is_here(request):
        return None
    return _plain(403, "Set incidentrelay.metrics.token to read this from another machine.")


def _is_here(request: Any) -> bool:
    if any(name in request.headers for name in _PASSED_ON):
        return False
    try:
        address = ipaddress.ip_address(request.remote_addr or "")
    except ValueError:
        return False
    return address.is_loopback


def _plain(status: int, sentence: str) -> Response:
    return Response(f"{sentence}\n", status=status, content_type="text/plain", charset="utf-8")


def includeme(config: Any) -> None:
    config.add_route("metrics", "/metrics")
    config.add_view(
        show, route_name="metrics", request_method="GET", permission=NO_PERMISSION_REQUIRED
    )
