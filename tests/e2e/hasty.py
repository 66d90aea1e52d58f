"""The commands of the product, with a late window of three seconds instead of sixty."""

from datetime import timedelta

from incidentrelay.cli.main import main
from incidentrelay.domain.intake import lateness

if __name__ == "__main__":
    lateness.LATE_WINDOW = timedelta(seconds=3)
    main(prog_name="incidentrelay")
