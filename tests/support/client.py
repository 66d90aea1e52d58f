"""A client of the application under test, which checks the markup of each page."""

import re
from functools import cached_property
from typing import Any

from bs4 import BeautifulSoup
from webtest import TestApp, TestRequest, TestResponse

from incidentrelay.web.security.csrf import CSRFPolicy
from incidentrelay.web.security.sessions import cookie_name
from tests.support import markup


class Answer(TestResponse):
    """A response whose ``forms`` are parsed once.

    WebTest parses the page anew for each form, and most of a page with a form are the
    600 time zones that one of its fields suggests.
    """

    __test__ = False

    @cached_property
    def html(self) -> BeautifulSoup:
        """The page without datalists, which are no part of a form."""
        text = re.sub(r"<datalist\b.*?</datalist>", "", self.testbody, flags=re.DOTALL)
        return BeautifulSoup(text, self.parser_features)


class Request(TestRequest):
    ResponseClass = Answer


class Client(TestApp):
    """Anonymous, or with a session's ``cookie`` (then CSRF is taken care of), or a ``token``."""

    __test__ = False
    RequestClass = Request

    def __init__(self, app: Any, *, cookie: str = "", token: str = "") -> None:
        super().__init__(app)
        self.lint = True
        settings = app.registry["settings"]
        if cookie:
            self.set_cookie(cookie_name(settings), cookie)
            self.csrf_token = csrf_token(settings, cookie)
            self.extra_environ["HTTP_X_CSRF_TOKEN"] = self.csrf_token
        if token:
            self.extra_environ["HTTP_AUTHORIZATION"] = f"Bearer {token}"

    def do_request(self, req: Any, *args: Any, **options: Any) -> Any:
        answer = super().do_request(req, *args, **options)
        if answer.content_type == "text/html" and "Location" not in answer.headers:
            token = None if req.path.startswith("/act/") else self._token(req)
            try:
                markup.check(answer.text, token)
            except AssertionError as error:
                error.add_note(f"The page is {req.method} {req.path_qs}.")
                raise
        return answer

    def _token(self, req: Any) -> str:
        """The CSRF token in the forms of the requested page."""
        settings = self.app.registry["settings"]
        own = CSRFPolicy(settings)._name
        asked = req.cookies.get(cookie_name(settings)) or req.cookies.get(own)
        # WebTest keeps cookies in quotes.
        return csrf_token(settings, asked or self.cookies.get(own, "").strip('"'))

    def with_token(self, token: str) -> "Client":
        """A client of the same application that sends ``token``."""
        return Client(self.app, token=token)


def csrf_token(settings: Any, cookie: str) -> str:
    """The token that the pages of a session's browser hold."""
    return CSRFPolicy(settings)._sign(cookie)
