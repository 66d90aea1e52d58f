"""ntfy: push notifications on phones, from ntfy.sh or a server of your own."""
