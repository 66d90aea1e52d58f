"""Channels are created and edited; their form comes from the schema of their kind."""

from collections.abc import Mapping
from typing import Any

from incidentrelay.channels.base import ChannelKind
from incidentrelay.domain.errors import DomainError, InvalidInput, NotFound
from incidentrelay.domain.permissions import Permission
from incidentrelay.models import Channel
from incidentrelay.services.channels import channels
from incidentrelay.web.console.channels import config_form
from incidentrelay.web.console.forms.editor import Editor, form_page
from incidentrelay.web.console.forms.schema_forms import SchemaForm
from incidentrelay.web.console.toolkit import nav
from incidentrelay.web.links import console_url
from incidentrelay.web.resources.channels import ChannelNode, TeamChannels
from incidentrelay.web.schemas.channel import ChannelSchema

TEMPLATE = "channels/edit.jinja2"
_FOLDER = "incidentrelay:templates/channels"


@form_page(TeamChannels, "new", Permission.CREATE, template=TEMPLATE)
@form_page(ChannelNode, "edit", Permission.EDIT, template=TEMPLATE)
class ChannelEditor(Editor):
    schema = ChannelSchema
    names = ("name", "enabled", "messages_per_minute")
    new_names = ("name", "slug", "enabled", "messages_per_minute")

    def __init__(self, context: Any, request: Any) -> None:
        super().__init__(context, request)
        self.kind = self._find_kind()
        stored = self.row is not None
        self.fields = config_form.config_fields(self.kind, stored=stored) if self.kind else []
        self.config: dict[str, Any] = {}

    def _find_kind(self) -> ChannelKind | None:
        """The kind of the channel; of a new one, that the page's URL names."""
        name = self.row.kind if self.row else self.request.GET.get("kind", "")
        try:
            kind: ChannelKind = self.request.registry["channels"].get(name)
        except NotFound:
            return None
        return kind

    def usual(self) -> Mapping[str, Any]:
        assert self.kind is not None
        label = self.kind.info.label
        per_minute = ChannelSchema().fields["messages_per_minute"].load_default
        usual = config_form.usual_config(self.kind, self.fields)
        return {"name": label, "enabled": True, "messages_per_minute": str(per_minute), **usual}

    def show(self) -> dict[str, Any]:
        return super().show() if self.kind or self.row else self.choose_kind()

    def submit(self) -> Any:
        return super().submit() if self.kind or self.row else self.choose_kind()

    def first_form(self) -> SchemaForm:
        form = super().first_form()
        if self.row is not None:
            form.values |= config_form.show_config(self.fields, self.row.config)
        return form

    def choose_kind(self) -> dict[str, Any]:
        """The page that asks for the kind of a new channel."""
        self.request.override_renderer = f"{_FOLDER}/kinds.jinja2"
        return {
            "crumbs": nav.list_breadcrumbs(self.request, self.page_node),
            "kinds": [
                (info.label, f"{self.request.path}?kind={info.name}")
                for info in self.request.registry["channels"].infos()
            ],
            "back": self.back,
        }

    def receive(self) -> Any:
        self.form.values |= config_form.read_config(self.fields, self.request)
        return super().receive()

    def load(self) -> dict[str, Any]:
        if self.kind is None:
            # Its package is missing, so nobody knows what its configuration means.
            return self.form.load(partial=True)
        self.config = config_form.load_config(self.fields, self.request)
        kind = {} if self.row else {"kind": self.kind.info.name}
        return self.form.load(partial=self.row is not None, config=self.config, **kind)

    def translate(self, error: DomainError) -> DomainError:
        if isinstance(error, InvalidInput):
            return config_form.place_errors(error, self.fields)
        return error

    def finish(self, written: Channel) -> Any:
        if self.kind is None:
            return super().finish(written)
        made = channels.generated_secrets(written, self.config, **self.context.extras())
        # A secret that an edit leaves out is kept, and was shown before.
        made = {name: value for name, value in made.items() if name in self.config}
        return self.reveal(written, made) if made else super().finish(written)

    def reveal(self, written: Channel, secrets: Mapping[str, Any]) -> dict[str, Any]:
        """New secrets, in the response itself: no later page shows them."""
        node = self.context.fresh(written) if self.row is None else self.context
        self.request.override_renderer = f"{_FOLDER}/secret.jinja2"
        labels = {each.name: each.label for each in self.fields}
        return {
            "crumbs": nav.list_breadcrumbs(self.request, node),
            "channel": written,
            "secrets": [(labels[name], value) for name, value in secrets.items()],
            "url": console_url(self.request, node),
        }

    def describe_result(self, written: Channel) -> str:
        sentence = f"Channel {written.name} {'saved' if self.row else 'created'}."
        return f"{sentence} Send a test to see that it works."

    def values(self) -> Mapping[str, Any]:
        return {
            "channel": self.row,
            "kind": self.kind.info if self.kind else None,
            "fields": self.fields,
        }
