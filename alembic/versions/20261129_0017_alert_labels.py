"""Index the labels of alerts, and sort alerts by when they were last seen."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_LABEL = sa.String(200).with_variant(sa.String(200, collation="C"), "postgresql")
_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
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
_TRIGGERS = {"sqlite": _SQLITE, "postgresql": _POSTGRESQL}
# Labels are sorted, so that each page of the new table is written once.
_FILL = {
    "sqlite": """
        INSERT OR IGNORE INTO alert_labels (label, team_id, alert_id)
        SELECT substr(pair.key || '=' || pair.value, 1, 200), alerts.team_id, alerts.id
        FROM signals JOIN alerts ON alerts.id = signals.alert_id,
            json_each(signals.labels) AS pair
        ORDER BY 1, 2, 3
    """,
    "postgresql": """
        INSERT INTO alert_labels (label, team_id, alert_id)
        SELECT left(pair.key || '=' || pair.value, 200), alerts.team_id, alerts.id
        FROM signals JOIN alerts ON alerts.id = signals.alert_id,
            jsonb_each_text(signals.labels) AS pair
        ORDER BY left(pair.key || '=' || pair.value, 200) COLLATE "C", 2, 3
        ON CONFLICT DO NOTHING
    """,
}


def upgrade() -> None:
    op.create_table(
        "alert_labels",
        sa.Column("label", _LABEL, nullable=False),
        sa.Column("team_id", _BIG, nullable=False),
        sa.Column("alert_id", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("label", "team_id", "alert_id", name="pk_alert_labels"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_alerts_team_id_last_seen_at_id", "alerts", ["team_id", "last_seen_at", "id"]
    )
    dialect = op.get_bind().dialect.name
    op.execute(_FILL[dialect])
    for statement in _TRIGGERS[dialect]:
        op.execute(sa.DDL(statement))


def downgrade() -> None:
    for table, name in (
        ("signals", "signals_index_labels"),
        ("signals", "signals_reindex_labels"),
        ("alerts", "alerts_unindex_labels"),
    ):
        if op.get_bind().dialect.name == "sqlite":
            op.execute(f"DROP TRIGGER {name}")
        else:
            op.execute(f"DROP TRIGGER {name} ON {table}")
            op.execute(f"DROP FUNCTION {name}()")
    op.drop_index("ix_alerts_team_id_last_seen_at_id", table_name="alerts")
    op.drop_table("alert_labels")
