"""The tests. Assertions in shared helpers are rewritten too, so their failures are explained."""

import pytest

pytest.register_assert_rewrite("tests.support")
