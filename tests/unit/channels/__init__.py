"""Tests of the channels, against vendors on the loopback."""
