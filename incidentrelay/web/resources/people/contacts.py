"""The contacts and notification rules of the current user."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select

from incidentrelay.domain.enums import Urgency
from incidentrelay.models import ContactMethod, User
from incidentrelay.services.people import contacts
from incidentrelay.web.resources.base import Item, Managed, Node
from incidentrelay.web.resources.collections import Collection, Folder
from incidentrelay.web.schemas.people.contact import ContactSchema


class ContactNode(Managed):
    model = ContactMethod
    schema = ContactSchema
    service = contacts
    noun = "contact"
    fixed = ("kind", "address")
    scope_domain = "profile"

    def details(self) -> Mapping[str, Any]:
        owner: User = self.__parent__.__parent__.obj  # type: ignore[union-attr]
        return {"profile": contacts.is_profile(self.obj, owner)}


class MyContacts(Folder):
    item = ContactNode
    service = contacts
    key = ContactMethod.id
    sorts = {"id": ContactMethod.id}
    scope_domain = "profile"

    def statement(self) -> Select[Any]:
        return super().statement().where(ContactMethod.user_id == self.owner.id)

    def extras(self) -> Mapping[str, Any]:
        registry = self.root.request.registry
        return {"registry": registry["channels"], "vault": registry["vault"]}


class UserContact(Item):
    """A user's contact, read-only for site admins."""

    model = ContactMethod
    schema = ContactSchema
    noun = "contact"
    scope_domain = "resources"

    def details(self) -> Mapping[str, Any]:
        owner: User = self.__parent__.__parent__.obj  # type: ignore[union-attr]
        return {"profile": contacts.is_profile(self.obj, owner)}


class UserContacts(Collection):
    item = UserContact
    key = ContactMethod.id
    sorts = {"id": ContactMethod.id}
    scope_domain = "resources"

    def statement(self) -> Select[Any]:
        return super().statement().where(ContactMethod.user_id == self.owner.id)


class UrgencyRules(Node):
    """The rules for alerts of one urgency, which is the node's name."""

    scope_domain = "profile"

    @property
    def urgency(self) -> Urgency:
        return Urgency(self.__name__)

    @property
    def owner(self) -> User:
        owner: User = self.__parent__.__parent__.obj  # type: ignore[union-attr]
        return owner


class MyRules(Node):
    children = {str(urgency): UrgencyRules for urgency in Urgency}
    scope_domain = "profile"
