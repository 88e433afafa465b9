"""The made-up run that the report's tests write down."""

from __future__ import annotations

import pytest

from tests.report.harbour import make_evidence, make_small
from whoworks.report.evidence import Evidence
from whoworks.report.labels import Words, read_words
from whoworks.report.write import compose_files


@pytest.fixture(scope="session")
def evidence() -> Evidence:
    return make_evidence()


@pytest.fixture(scope="session")
def small() -> Evidence:
    return make_small()


@pytest.fixture(scope="session")
def words(evidence) -> Words:
    return read_words(evidence)


@pytest.fixture(scope="session")
def files(evidence) -> dict[str, bytes]:
    return compose_files(evidence)


@pytest.fixture(scope="session")
def small_files(small) -> dict[str, bytes]:
    return compose_files(small)
