"""Pages with one form, which is shown again until its input is valid.

::

    @form_page(TeamPolicies, "new", Permission.CREATE, template="policies/edit.jinja2")
    @form_page(PolicyNode, "edit", Permission.EDIT, template="policies/edit.jinja2")
    class PolicyEditor(Editor): ...
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, TypeVar

from marshmallow import Schema

from incidentrelay.domain.errors import DomainError
from incidentrelay.web.console.forms import repeating_rows
from incidentrelay.web.console.forms.repeating_rows import Button
from incidentrelay.web.console.forms.schema_forms import SchemaForm
from incidentrelay.web.console.toolkit import nav
from incidentrelay.web.console.toolkit.actors import actor
from incidentrelay.web.console.toolkit.flash import flash
from incidentrelay.web.console.toolkit.redirects import to_node
from incidentrelay.web.console.toolkit.view import attach_views, console_view
from incidentrelay.web.links import console_url
from incidentrelay.web.resources.base import Item, Node

SAVE = "save"


class FormPage(ABC):
    """One request for a page with a form. Subclasses define its fields and its service."""

    schema: ClassVar[type[Schema]]
    names: Sequence[str]
    row: Any = None

    def __init__(self, context: Any, request: Any) -> None:
        self.context, self.request = context, request
        self.form: SchemaForm

    @cached_property
    def zone(self) -> str:
        """The zone of the form's times."""
        zone: str = self.request.identity.zone
        return zone

    @property
    def page_node(self) -> Node:
        """The node whose page leads here; "Cancel" goes back to it."""
        node: Node = self.context
        return node

    @property
    def back(self) -> str:
        return console_url(self.request, self.page_node)

    def usual(self) -> Mapping[str, Any]:
        """The values of a fresh form."""
        return {}

    def load(self) -> dict[str, Any]:
        """The data for the service. Raises InvalidInput."""
        return self.form.load()

    @abstractmethod
    def write(self, data: Mapping[str, Any]) -> Any:
        """Call the service; returns the rows it wrote."""

    @abstractmethod
    def finish(self, result: Any) -> Any:
        """Flash the ``result`` of ``write``, and redirect."""

    def translate(self, error: DomainError) -> DomainError:
        """The error with the names of the form's own fields."""
        return error

    def values(self) -> Mapping[str, Any]:
        """The template's other variables."""
        return {}

    @property
    def call(self) -> dict[str, Any]:
        """The arguments that every service takes."""
        return {"actor": actor(self.request), "now": self.request.now}

    def show(self) -> dict[str, Any]:
        self.form = self.first_form()
        return self.page()

    def first_form(self) -> SchemaForm:
        return SchemaForm(self.schema, self.names, self.usual(), zone=self.zone)

    def submit(self) -> Any:
        self.form = SchemaForm.posted(self.schema, self.names, self.request, zone=self.zone)
        try:
            return self.receive()
        except DomainError as error:
            self.form.reject(self.request, self.translate(error), self.row)
        return self.page()

    def receive(self) -> Any:
        return self.finish(self.write(self.load()))

    def page(self) -> dict[str, Any]:
        return {
            "crumbs": nav.list_breadcrumbs(self.request, self.page_node),
            "zone": self.zone,
            "form": self.form,
            "back": self.back,
            **self.values(),
        }


class Editor(FormPage):
    """The form for a new row (on a folder) or an existing one (on an item).

    A button named ``do`` either is one of ``buttons``, or saves, or asks for a preview.
    """

    new_names: ClassVar[Sequence[str]]
    buttons: ClassVar[Mapping[str, Button]] = {}

    def __init__(self, context: Any, request: Any) -> None:
        super().__init__(context, request)
        self.row = context.obj if isinstance(context, Item) else None
        self.drafts: list[Any] = []
        self.preview: Any = None
        if self.row is None:
            self.names = self.new_names

    def stored_drafts(self) -> list[Any]:
        """The repeating rows of a form before its first submission."""
        return []

    def posted_drafts(self) -> list[Any]:
        return []

    def make_preview(self, data: Mapping[str, Any]) -> Any:
        """What the data would do; None for a form without a preview."""
        return None

    @abstractmethod
    def describe_result(self, row: Any) -> str:
        """The sentence on the next page."""

    def next_node(self, row: Any) -> Node:
        """The node whose page comes next."""
        node: Node = self.context if self.row else self.context.fresh(row)
        return node

    def first_form(self) -> SchemaForm:
        if self.row is None:
            return super().first_form()
        return SchemaForm.of(self.schema, self.names, self.row, zone=self.zone)

    def show(self) -> dict[str, Any]:
        self.drafts = self.stored_drafts()
        return super().show()

    def receive(self) -> Any:
        self.drafts, do = self.posted_drafts(), str(self.request.POST.get("do", SAVE))
        if repeating_rows.press(self.buttons, do, self.drafts, self.zone):
            return self.page()
        if self.row is not None:
            self.form.check_version(self.row)
        data = self.load()
        if do == SAVE:
            return self.finish(self.write(data))
        self.preview = self.make_preview(data)
        return self.page()

    def load(self) -> dict[str, Any]:
        return self.form.load(partial=self.row is not None)

    def write(self, data: Mapping[str, Any]) -> Any:
        service, more = self.context.service, {**self.call, **self.context.extras()}
        if self.row is not None:
            return service.update(self.request.db, self.row, data, **more)
        return service.create(self.request.db, self.context.owner, data, **more)

    def finish(self, result: Any) -> Any:
        flash(self.request, self.describe_result(result))
        return to_node(self.request, self.next_node(result))

    def page(self) -> dict[str, Any]:
        return {**super().page(), "drafts": self.drafts, "preview": self.preview}


Page = TypeVar("Page", bound=FormPage)


class form_page:
    """Registers a FormPage at ``name`` of ``context``: GET shows it, POST submits it."""

    def __init__(self, context: type[Node], name: str, permission: str, *, template: str) -> None:
        self.options: dict[str, Any] = {
            "context": context,
            "name": name,
            "permission": permission,
            "template": template,
        }

    def __call__(self, page: type[Page]) -> type[Page]:
        def show(context: Node, request: Any) -> Any:
            return page(context, request).show()

        def submit(context: Node, request: Any) -> Any:
            return page(context, request).submit()

        def register(config: Any) -> None:
            console_view(**self.options).register(config, show)
            console_view(**self.options, method="POST").register(config, submit)

        attach_views(page, register)
        return page
