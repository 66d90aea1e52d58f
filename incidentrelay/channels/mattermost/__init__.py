"""Mattermost, by an incoming webhook."""
