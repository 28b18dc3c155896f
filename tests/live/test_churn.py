"""Tabs that come and go leave nothing behind; `python -m tests.churn` is the long form."""

from __future__ import annotations

import random

from tests import churn
from tests.server import Server

from .conftest import Company


async def test_forty_tabs_coming_and_going_leave_nothing_behind(company: Company, server: Server) -> None:
    random.seed(3)
    # The same forty again and again: a state is kept for an hour, so that whoever comes back finds theirs.
    visitors = await churn.visitors_of(company.cast, 40, fresh=0)
    assert await churn.churn(server, visitors, 20, lambda **_: None) == {}
    assert sum(visitor.opened for visitor in visitors) > 40
