"""The forms for users and their passwords."""

from collections.abc import Mapping, Sequence
from typing import Any

from incidentrelay.domain.local_time import zone_names
from incidentrelay.domain.permissions import Permission
from incidentrelay.models import User
from incidentrelay.services.tenancy import users
from incidentrelay.web.console.forms import forms
from incidentrelay.web.console.forms.editor import Editor, FormPage, form_page
from incidentrelay.web.console.toolkit.flash import flash
from incidentrelay.web.console.toolkit.redirects import to_node
from incidentrelay.web.resources.tenancy.users import UserNode, Users
from incidentrelay.web.schemas.tenancy.user import UserSchema

TEMPLATE = "tenancy/user_edit.jinja2"
_PROFILE = ("display_name", "email", "phone", "zone")


@form_page(Users, "new", Permission.CREATE, template=TEMPLATE)
@form_page(UserNode, "edit", Permission.EDIT, template=TEMPLATE)
class UserEditor(Editor):
    schema = UserSchema
    names: Sequence[str] = (*_PROFILE, "is_admin")
    new_names = ("username", *_PROFILE, "is_admin", "password")

    def __init__(self, context: Any, request: Any) -> None:
        super().__init__(context, request)
        self.own = self.row is not None and self.row.id == request.identity.user_id
        if self.own:
            self.names = _PROFILE

    def usual(self) -> Mapping[str, Any]:
        return {"zone": self.request.identity.zone}

    def load(self) -> dict[str, Any]:
        """Without empty fields of a new user; a password is kept exactly as it was typed."""
        if self.row is not None:
            return super().load()
        password = forms.typed(self.request, "password")
        self.form.values["password"] = ""
        return self.form.load(password=password) if password else self.form.load()

    def describe_result(self, row: User) -> str:
        return f"{row.display_name} {'saved' if self.row else 'created'}."

    def values(self) -> Mapping[str, Any]:
        # A password is never sent back.
        self.form.values.pop("password", None)
        return {"user": self.row, "own": self.own, "zones": sorted(zone_names())}


@form_page(UserNode, "password", Permission.EDIT, template="tenancy/password.jinja2")
class UserPasswordPage(FormPage):
    """Sets a new password, which signs the user out everywhere."""

    schema = UserSchema
    names = ("password",)

    def load(self) -> dict[str, Any]:
        password = forms.typed(self.request, "password")
        self.form.values["password"] = ""
        return self.form.load(partial=True, password=password)

    def write(self, data: Mapping[str, Any]) -> User:
        return users.update(self.request.db, self.context.obj, data, **self.call)

    def finish(self, result: User) -> Any:
        flash(self.request, f"New password set. {result.display_name} is signed out everywhere.")
        return to_node(self.request, self.context)

    def values(self) -> Mapping[str, Any]:
        self.form.values.pop("password", None)
        return {"user": self.context.obj}
