"""Tests of the transport, against servers on the loopback."""
