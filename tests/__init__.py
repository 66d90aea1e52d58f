"""The tests. What they share explains its failing assertions as they do themselves."""

import pytest

pytest.register_assert_rewrite("tests.support")
