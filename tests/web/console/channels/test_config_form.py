"""The form of a channel's configuration, made from a schema."""

from collections.abc import Mapping
from enum import Enum
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import Schema, fields, validate
from webob.multidict import MultiDict

from incidentrelay.channels.base import ChannelInfo
from incidentrelay.channels.registry import default_registry
from incidentrelay.domain.errors import InvalidInput
from incidentrelay.services.channels import config as channel_config
from incidentrelay.web.console.channels import config_form


class Shape(Enum):
    ROUND = "round"
    SQUARE = "square"


class Config(Schema):
    room_id = fields.String(required=True, metadata={"description": "Where it goes."})
    url = fields.String(metadata={"label": "URL"})
    words = fields.List(fields.String(validate=validate.Length(max=3)), load_default=["a", "b"])
    extra = fields.Dict(keys=fields.String(), values=fields.String())
    retries = fields.Integer(load_default=3, validate=validate.Range(0, 9))
    loud = fields.Boolean(load_default=True)
    mode = fields.String(validate=validate.OneOf(["bot", "hook"], ["Bot", "Hook"]))
    shape = fields.Enum(Shape, by_value=True)
    token = fields.String(required=True)
    headers = fields.Dict(keys=fields.String(), values=fields.String())


INFO = ChannelInfo("chat", "Chat", "channels/chat", Config, secrets=frozenset({"token", "headers"}))
KIND: Any = SimpleNamespace(info=INFO)


def found(*, stored: bool = False) -> list[config_form.ConfigField]:
    return config_form.config_fields(KIND, stored=stored)


def sent(**values: str) -> Any:
    return SimpleNamespace(POST=MultiDict({f"config.{k}": v for k, v in values.items()}))


def test_each_field_of_a_schema_has_its_control() -> None:
    controls = {each.name: each.control for each in found()}
    assert controls == {
        "room_id": "text",
        "url": "text",
        "words": "lines",
        "extra": "pairs",
        "retries": "number",
        "loud": "tick",
        "mode": "select",
        "shape": "select",
        "token": "text",
        "headers": "pairs",
    }
    by_name = {each.name: each for each in found()}
    assert (by_name["room_id"].label, by_name["url"].label) == ("Room id", "URL")
    assert by_name["mode"].choices == [("bot", "Bot"), ("hook", "Hook")]
    assert by_name["shape"].choices == [("round", "round"), ("square", "square")]
    assert by_name["token"].required
    # What is stored need not be entered again.
    assert not {each.name: each for each in found(stored=True)}["token"].required


def test_a_fresh_form_has_the_defaults() -> None:
    assert config_form.usual_config(KIND, found()) == {
        "config.words": "a\nb",
        "config.retries": "3",
        "config.loud": True,
    }


CONFIGS = st.fixed_dictionaries(
    {
        "room_id": st.text("abc ", min_size=1, max_size=9).map(str.strip).filter(bool),
        "words": st.lists(st.text("xyz", min_size=1, max_size=3), min_size=1, max_size=4),
        "extra": st.dictionaries(
            st.text("abc", min_size=1), st.text("def:", min_size=1), min_size=1
        ),
        "retries": st.integers(0, 9),
        "loud": st.booleans(),
        "mode": st.sampled_from(["bot", "hook"]),
    }
)


@given(CONFIGS)
def test_a_configuration_goes_through_the_form_unchanged(config: Mapping[str, Any]) -> None:
    values = config_form.show_config(found(stored=True), config)
    pairs = {
        name.removeprefix("config."): "yes" if value is True else str(value)
        for name, value in values.items()
        if value is not False
    }
    loaded = config_form.load_config(found(stored=True), sent(**pairs))
    assert {name: value for name, value in loaded.items() if value is not None} == config


def test_secrets_are_kept_replaced_or_removed_and_never_shown() -> None:
    stored = found(stored=True)
    secret = {"room_id": "a", "token": "s3cret", "headers": {"A": "s3cret"}}
    assert "s3cret" not in str(config_form.show_config(stored, secret))
    request = sent(room_id="a", token="s3cret", headers="A: s3cret")
    assert "s3cret" not in str(config_form.read_config(stored, request))
    assert "s3cret" not in str(config_form.read_config(found(), request))
    assert config_form.load_config(stored, request)["headers"] == {"A": "s3cret"}
    kept = config_form.load_config(stored, sent(room_id="a", token="", headers=""))
    assert not {"token", "headers"} & kept.keys()
    request = sent(room_id="a", token="", headers="", **{"headers.remove": "yes"})
    assert config_form.load_config(stored, request)["headers"] is None


@pytest.mark.parametrize(
    ("values", "field", "said"),
    [
        ({"words": "a\nlonger"}, "config.words", "Line 2: "),
        ({"retries": "many"}, "config.retries", "integer"),
        ({"retries": "10"}, "config.retries", "less"),
        ({"mode": "other"}, "config.mode", "one of"),
        ({"room_id": ""}, "config.room_id", "Fill this in."),
    ],
)
def test_mistakes_are_named_where_they_are(values: dict[str, str], field: str, said: str) -> None:
    given_config = config_form.load_config(
        found(), sent(**{"room_id": "a", "token": "t", **values})
    )
    with pytest.raises(InvalidInput) as caught:
        channel_config.check_config(KIND, given_config)
    errors = config_form.place_errors(caught.value, found()).errors
    (text,) = [" ".join(texts) for name, texts in errors.items() if name.startswith(field)]
    assert said in text


@pytest.mark.parametrize("line", ["nothing", ": value", " : x"])
def test_a_pair_that_is_none(line: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        config_form.load_config(found(), sent(extra=f"A: b\n{line}"))
    assert caught.value.errors == {"config.extra": ["Line 2: write a name, a colon and a value."]}


def test_an_error_inside_a_pair_names_the_pair() -> None:
    error = InvalidInput({"config.headers.Host.key": ["No."], "config.headers.A.b": ["Bad."]})
    errors = config_form.place_errors(error, found()).errors
    assert errors == {
        "config.headers.Host.key": ["Host: No."],
        "config.headers.A.b": ["A.b: Bad."],
    }


@pytest.mark.parametrize(
    "kind",
    [
        default_registry(None, None, plugins=()).get(name)
        for name in default_registry(None, None, plugins=()).names()  # type: ignore[arg-type]
    ],  # type: ignore[arg-type]
    ids=lambda kind: str(kind.info.name),
)
def test_every_field_of_every_kind_is_described(kind: Any) -> None:
    for each in config_form.config_fields(kind, stored=False):
        assert each.hint, each.name
