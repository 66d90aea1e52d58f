"""Which alerts have a label, so that searches need not read all alerts."""

from typing import cast

from sqlalchemy import DDL, PrimaryKeyConstraint, String, Table, event
from sqlalchemy.orm import Mapped, mapped_column

from incidentrelay.models.alerts.alert import Alert, Signal
from incidentrelay.models.meta import Base, BigId

LABEL_LENGTH = 200
_BYTES = String(LABEL_LENGTH).with_variant(String(LABEL_LENGTH, collation="C"), "postgresql")


class AlertLabel(Base):
    """An alert of which a signal has this label (``name=value``, cut off after LABEL_LENGTH).

    Triggers keep the rows. They are candidates only: the signal may be over, or the label cut.
    """

    __tablename__ = "alert_labels"
    __table_args__ = (
        PrimaryKeyConstraint("label", "team_id", "alert_id"),
        {"sqlite_with_rowid": False},
    )

    label: Mapped[str] = mapped_column(_BYTES)
    team_id: Mapped[int] = mapped_column(BigId)
    alert_id: Mapped[int] = mapped_column(BigId)


# Triggers instead of a foreign key: that would need a second index, and double each write.
_SQLITE = (
    """
    CREATE TRIGGER signals_index_labels AFTER INSERT ON signals
    BEGIN
        INSERT OR IGNORE INTO alert_labels (label, team_id, alert_id)
        SELECT substr(pair.key || '=' || pair.value, 1, 200), alerts.team_id, alerts.id
        FROM alerts, json_each(NEW.labels) AS pair WHERE alerts.id = NEW.alert_id;
    END
    """,
    """
    CREATE TRIGGER signals_reindex_labels AFTER UPDATE OF labels ON signals
    WHEN NEW.labels IS NOT OLD.labels
    BEGIN
        DELETE FROM alert_labels WHERE (label, team_id, alert_id) IN (
            SELECT substr(pair.key || '=' || pair.value, 1, 200), alerts.team_id, alerts.id
            FROM alerts, json_each(OLD.labels) AS pair WHERE alerts.id = OLD.alert_id
        );
        INSERT OR IGNORE INTO alert_labels (label, team_id, alert_id)
        SELECT substr(pair.key || '=' || pair.value, 1, 200), alerts.team_id, alerts.id
        FROM alerts JOIN signals AS each_one ON each_one.alert_id = alerts.id,
            json_each(each_one.labels) AS pair
        WHERE alerts.id = NEW.alert_id;
    END
    """,
    """
    CREATE TRIGGER alerts_unindex_labels BEFORE DELETE ON alerts
    BEGIN
        DELETE FROM alert_labels WHERE (label, team_id, alert_id) IN (
            SELECT substr(pair.key || '=' || pair.value, 1, 200), OLD.team_id, OLD.id
            FROM signals, json_each(signals.labels) AS pair WHERE signals.alert_id = OLD.id
        );
    END
    """,
)
_POSTGRESQL = (
    """
    CREATE FUNCTION signals_index_labels() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO alert_labels (label, team_id, alert_id)
        SELECT left(pair.key || '=' || pair.value, 200),
            (SELECT team_id FROM alerts WHERE alerts.id = fresh.alert_id), fresh.alert_id
        FROM fresh, jsonb_each_text(fresh.labels) AS pair
        ON CONFLICT DO NOTHING;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER signals_index_labels AFTER INSERT ON signals
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION signals_index_labels()
    """,
    """
    CREATE FUNCTION signals_reindex_labels() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        DELETE FROM alert_labels USING alerts, jsonb_each_text(OLD.labels) AS pair
        WHERE alerts.id = OLD.alert_id AND alert_labels.alert_id = alerts.id
            AND alert_labels.team_id = alerts.team_id
            AND alert_labels.label = left(pair.key || '=' || pair.value, 200);
        INSERT INTO alert_labels (label, team_id, alert_id)
        SELECT left(pair.key || '=' || pair.value, 200), alerts.team_id, alerts.id
        FROM alerts JOIN signals ON signals.alert_id = alerts.id,
            jsonb_each_text(signals.labels) AS pair
        WHERE alerts.id = NEW.alert_id
        ON CONFLICT DO NOTHING;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER signals_reindex_labels AFTER UPDATE OF labels ON signals
    FOR EACH ROW WHEN (NEW.labels IS DISTINCT FROM OLD.labels)
    EXECUTE FUNCTION signals_reindex_labels()
    """,
    """
    CREATE FUNCTION alerts_unindex_labels() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        DELETE FROM alert_labels USING signals, jsonb_each_text(signals.labels) AS pair
        WHERE signals.alert_id = OLD.id AND alert_labels.alert_id = OLD.id
            AND alert_labels.team_id = OLD.team_id
            AND alert_labels.label = left(pair.key || '=' || pair.value, 200);
        RETURN OLD;
    END $$
    """,
    """
    CREATE TRIGGER alerts_unindex_labels BEFORE DELETE ON alerts
    FOR EACH ROW EXECUTE FUNCTION alerts_unindex_labels()
    """,
)
_TABLE = cast(Table, AlertLabel.__table__)
# The triggers are on these tables, so they must exist first.
for _model in (Alert, Signal):
    _TABLE.add_is_dependent_on(cast(Table, _model.__table__))
for _dialect, _statements in (("sqlite", _SQLITE), ("postgresql", _POSTGRESQL)):
    for _statement in _statements:
        _ddl = DDL(_statement)  # type: ignore[no-untyped-call]
        event.listen(_TABLE, "after_create", _ddl.execute_if(dialect=_dialect))
