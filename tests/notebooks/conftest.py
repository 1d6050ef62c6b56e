"""The miniature lesson, run once for all tests that try the guards on it."""

import copy

import pytest
from nbformat import NotebookNode

import mini
from refresh import execute, normalise


@pytest.fixture(scope="session")
def _run_once(tmp_path_factory: pytest.TempPathFactory) -> NotebookNode:
    return normalise(execute(mini.unrun(), folder=tmp_path_factory.mktemp("lesson")))


@pytest.fixture
def lesson(_run_once: NotebookNode) -> NotebookNode:
    """A fresh copy of the miniature lesson, run and normalised, to be spoilt at will."""
    return copy.deepcopy(_run_once)
