"""Users, for site admins."""

from incidentrelay.models import User
from incidentrelay.services.tenancy import users
from incidentrelay.web.resources.base import Managed
from incidentrelay.web.resources.collections import Folder
from incidentrelay.web.resources.people.contacts import UserContacts
from incidentrelay.web.schemas.tenancy.user import UserSchema


class UserNode(Managed):
    model = User
    schema = UserSchema
    service = users
    noun = "username"
    fixed = ("username",)
    scope_domain = "resources"
    children = {"contacts": UserContacts}


class Users(Folder):
    tag = "users"
    item = UserNode
    service = users
    key = User.username
    sorts = {"username": User.username}
    scope_domain = "resources"
