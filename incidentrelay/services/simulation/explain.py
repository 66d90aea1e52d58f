"""A forecast in plain words: why, what then, and who is paged when."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from incidentrelay.domain.enums import AlertStatus, Outcome
from incidentrelay.domain.text import join_words
from incidentrelay.models import Route
from incidentrelay.services.recipients.contact_methods import find_contact
from incidentrelay.services.simulation.forecast import (
    ForecastPerson,
    ForecastStep,
    MatcherCheck,
    PlanInfo,
    SimulationForecast,
    StepKind,
)

_DONE: Mapping[StepKind, str] = {
    StepKind.PAGE: "paged",
    StepKind.ESCALATION: "paged",
    StepKind.REMINDER: "reminded",
    StepKind.FALLBACK: "told as the fallback contact",
}
_NOTHING_WANTED = (StepKind.SILENCED, StepKind.PASSED_OVER, StepKind.WAITS)
_WEEK = timedelta(days=6)


def explain_forecast(
    route: Route, forecast: SimulationForecast, start: datetime
) -> tuple[str, ...]:
    """What happens to one item that ``route`` gets at ``start``, in its order. Times are UTC."""
    found = [_route(route, forecast)]
    if forecast.outcome not in (None, Outcome.REJECTED):
        found += _outcome(route, forecast)
        found += _silence(forecast, start)
        if forecast.plan is not None:
            found.append(_plan(forecast.plan))
        if forecast.before is not None:
            text = forecast.before.text
            found.append(f"{_when(forecast.before.at, start)}, {text}.")
        found += [_step(step, start) for step in forecast.steps]
        found += _end(forecast)
    return tuple(found)


def _route(route: Route, forecast: SimulationForecast) -> str:
    for part, active in (
        (f"Route {route.name}", route.enabled),
        (f"Team {route.team.name}", route.team.active),
        (f"Group {route.team.group.name}", route.team.group.active),
    ):
        if not active:
            return f"{part} is switched off: the route's token is refused, and nothing is taken in."
    if forecast.title is None:
        return f"Route {route.name} can make nothing of it: {forecast.reason}"
    missed = [check for check in forecast.matchers if not check.matched]
    if missed:
        return f"Route {route.name} does not take it: {_missed(missed)}."
    return f"Route {route.name} takes it: {_matched(forecast.matchers)}."


def _matched(checks: Sequence[MatcherCheck]) -> str:
    if not checks:
        return "it has no matchers, so that everything matches"
    if len(checks) == 1:
        return "its one matcher matches"
    return f"all {len(checks)} matchers match"


def _missed(checks: Sequence[MatcherCheck]) -> str:
    return join_words(
        [f"{check.matcher} does not match, because {_value(check)}" for check in checks]
    )


def _value(check: MatcherCheck) -> str:
    if check.value is None:
        return f"there is no label {check.label}"
    return f"the label {check.label} is “{check.value}”"


def _outcome(route: Route, forecast: SimulationForecast) -> Iterator[str]:
    alert = "the alert of another item" if forecast.alert_id is None else _alert(forecast)
    match forecast.outcome:
        case Outcome.CREATED:
            yield "It opens a new alert."
        case Outcome.REOPENED:
            yield f"It opens {alert} again, which was resolved a short time before."
        case Outcome.UPDATED:
            yield f"It becomes part of {alert}, which is open already."
        case Outcome.DUPLICATE:
            yield f"It repeats what {alert} says already; nothing new is begun."
        case Outcome.RESOLVED if forecast.alert_status is AlertStatus.RESOLVED:
            yield f"It resolves {alert}, and nobody is paged any more."
        case Outcome.RESOLVED:
            yield f"Its own problem is over, but others of {alert} are firing still."
        case _:
            yield f"It changes nothing: {forecast.reason}"
    if route.group_by and forecast.alert_status is not None:
        yield f"Alerts are grouped; the group is {forecast.group_key}."
    if forecast.alert_status is AlertStatus.ACKNOWLEDGED:
        yield "The alert is acknowledged, so that nobody is paged."


def _alert(forecast: SimulationForecast) -> str:
    return f"alert {forecast.alert_id}"


def _silence(forecast: SimulationForecast, start: datetime) -> Iterator[str]:
    if forecast.silence is not None:
        until = _until(forecast.silence.until, start)
        yield f"Silence {forecast.silence.id} covers it until {until}; nobody is paged before."


def _plan(plan: PlanInfo) -> str:
    begins = "Its plan, which is running already, is" if plan.running else "Its plan is"
    if plan.policy is not None:
        version = "" if plan.version is None else f", version {plan.version}"
        return f"{begins} the policy {plan.policy}{version}."
    if plan.rotation is not None:
        return f"{begins} the default one of rotation {plan.rotation}."
    return f"{begins} the default one, without a rotation."


def _step(step: ForecastStep, start: datetime) -> str:
    if step.kind is StepKind.SILENCED:
        return f"{_when(step.at, start)}, it falls quiet. {step.nobody}"
    if step.kind is StepKind.PASSED_OVER:
        return f"{_if_nobody_reacts(step.at, start)}, a step is passed over. {step.nobody}"
    if step.kind is StepKind.WAITS and step.until is not None:
        until = _until(step.until, start)
        when = _if_nobody_reacts(step.at, start)
        return f"{when}, nobody is on call: the plan waits until {until}."
    if step.kind is StepKind.EXHAUSTED:
        return f"{_if_nobody_reacts(step.at, start)}, the plan has come to its end."
    parts = [*_people(step, start), *_channels(step)]
    if step.nobody is not None:
        parts.append(f"nobody is there to be paged: {step.nobody}")
    text = "; ".join(parts)
    if step.at > start:
        return f"{_if_nobody_reacts(step.at, start)}, {text}."
    return f"{text[:1].upper()}{text[1:]}."


def _people(step: ForecastStep, start: datetime) -> Iterator[str]:
    done = _DONE[step.kind] + (" at once" if step.at == start else "")
    for person in step.people:
        ways = join_words(sorted(_ways(person)))
        yield f"{person.display_name} {_turn(person, start)}is {done} by {ways}"


def _ways(person: ForecastPerson) -> Iterator[str]:
    labelled = {method for method, _ in person.contacts}
    yield from (find_contact(method) for method in person.methods if method not in labelled)
    yield from (find_contact(method, label) for method, label in person.contacts)


def _turn(person: ForecastPerson, start: datetime) -> str:
    if person.rotation is None or person.until is None:
        return ""
    return f"is on call in {person.rotation} until {_until(person.until, start)} and "


def _channels(step: ForecastStep) -> Iterator[str]:
    if step.channels:
        names = [channel.name for channel in step.channels]
        noun = "channel" if len(names) == 1 else "channels"
        yield f"{noun} {join_words(names)} {'gets' if len(names) == 1 else 'get'} a message"


def _end(forecast: SimulationForecast) -> Iterator[str]:
    if forecast.more:
        yield "The plan goes on after that." if forecast.steps else "The plan goes on later."
    told = any(step.kind is StepKind.FALLBACK for step in forecast.steps)
    wanted = any(
        step.nobody is not None or step.kind is StepKind.EXHAUSTED
        for step in forecast.steps
        if step.kind not in _NOTHING_WANTED
    )
    if wanted and not told:
        yield "The team has no fallback contact that could be told."


def _if_nobody_reacts(at: datetime, start: datetime) -> str:
    return f"{_when(at, start)}, if nobody has reacted"


def _when(at: datetime, start: datetime) -> str:
    at, start = at.astimezone(UTC), start.astimezone(UTC)
    seconds = f"{at:%H:%M:%S}" if at.second else f"{at:%H:%M}"
    if at.date() == start.date():
        return f"At {seconds} UTC"
    return f"On {at:%a} {at.day} {at:%b} at {seconds} UTC"


def _until(at: datetime, start: datetime) -> str:
    """``Mon 09:00 UTC``; with the date where it is a week away or more."""
    at = at.astimezone(UTC)
    if at - start < _WEEK:
        return f"{at:%a %H:%M} UTC"
    year = f" {at.year}" if at.year != start.year else ""
    return f"{at:%a} {at.day} {at:%b}{year}, {at:%H:%M} UTC"
