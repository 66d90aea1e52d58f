"""Snippets that several integrations have in common."""

import json
from collections.abc import Mapping
from typing import Any

from incidentrelay.integrations.base import SenderSnippet


def curl_snippet(intake_url: str, token: str, payload: Mapping[str, Any]) -> SenderSnippet:
    """One request from a shell. The payload has no single quotes."""
    body = json.dumps(payload, indent=2)
    return SenderSnippet(
        title="curl",
        where="Sends one alert from a shell, to see that it arrives.",
        text=(
            f"curl -fsS {intake_url} \\\n"
            f'  -H "Authorization: Bearer {token}" \\\n'
            '  -H "Content-Type: application/json" \\\n'
            f"  -d '{body}'"
        ),
    )
