import pytest
from relevance.planted import Planted, plant


@pytest.fixture(scope="session")
def planted() -> Planted:
    return plant()
