"""What lies here runs only for `-m real`: its servers are gigabytes, and a machine without them has not failed."""

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "real" in config.getoption("markexpr"):
        return
    heavy = [item for item in items if item.get_closest_marker("real")]
    config.hook.pytest_deselected(items=heavy)
    items[:] = [item for item in items if item not in heavy]
