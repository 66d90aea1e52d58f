"""Discord, by a webhook."""
