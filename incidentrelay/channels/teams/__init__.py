"""Microsoft Teams, by a Workflow."""
