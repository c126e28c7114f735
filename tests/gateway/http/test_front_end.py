"""A front-end made of stock parts, in Node: urql, its auth exchange and a cookie jar, against a real server.

It registers, follows the link in the mail, signs in by cookie, reads, corrects, chooses, previews, loses its
access token, and signs out everywhere.
"""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest

from gateway.app import Product, compose, utc_now
from gateway.database import Database
from gateway.keys import Keyring
from gateway.serving import listen, served
from gateway.settings import Settings
from tests.gateway.http.test_audit import lines, scripts

__all__ = ["scripts"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("npm") is None, reason="Node and npm are not installed: no front-end"),
]

EMAIL = "nora.front@example.org"


@pytest.mark.clause("C1", "C9", "C11", "C13", "C14")
async def test_a_stock_front_end_registers_serves_the_member_and_signs_out_everywhere(
    scripts: Path,
    settings: Settings,
    keys: Keyring,
    own_world: Database,
    product: Product,
    tmp_path: Path,
) -> None:
    listening = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    own = Settings.model_validate({**settings.model_dump(), "data_dir": tmp_path, "public_url": url})
    async with (
        compose(own, keys, own_world, product, utc_now) as gateway,
        gateway.sender,
        served(gateway.app, listening),
        asyncio.timeout(60),
    ):
        printed = await lines(scripts, "front_end.mjs", f"{url}/graphql", str(tmp_path / "mail"), EMAIL)
    steps: dict[str, Any] = {line["step"]: line["data"] for line in printed}
    codes = {line["step"]: line["codes"] for line in printed if line.get("codes")}

    missing = steps["register without most of it"]["register"]["errors"]
    assert {error["code"] for error in missing} == {"REQUIRED"}
    assert ["password"] in [error["path"] for error in missing]
    assert steps["register"] == {"register": {"errors": []}}
    refused = [{"path": [], "code": "INVALID_CREDENTIALS"}]
    assert steps["sign in too early"]["signIn"]["errors"] == refused
    assert steps["follow the link"] == {"followLink": {"errors": []}}
    assert steps["sign in with a wrong password"]["signIn"]["errors"] == refused
    assert steps["sign in"] == {"errors": [], "accessToken": 3, "refreshToken": None, "sessionId": 36}

    me = steps["read"]
    assert (me["givenName"], me["emailVerifiedAt"], me["sessions"]["totalCount"]) == ("Nora", True, 1)
    assert me["phones"]["edges"] == [{"node": {"label": "Home"}}]
    newsletter = {"topic": "NEWSLETTER", "direction": "IN", "source": "REGISTRATION"}
    assert newsletter in [edge["node"] for edge in me["choices"]["edges"]]
    corrected = steps["correct"]["correctProfile"]
    assert corrected["errors"] == []
    assert corrected["me"]["givenName"] == "Eleonora"
    conflict = steps["correct what has changed"]["correctProfile"]
    assert (conflict["errors"][0]["code"], conflict["me"]) == ("CONFLICT", corrected["me"])

    assert {"acme", "bolt"} <= set(steps["who sees what"])
    name = "Eleonora Front"
    assert steps["preview"]["previewAsPartner"] == {"name": name, "email": EMAIL, "region": "US-CA"}
    assert steps["preview after that"]["previewAsPartner"] == {"name": name, "email": None, "region": "US-CA"}
    assert steps["preview of nothing"] == {"previewAsPartner": None}

    assert steps["read with a spoiled token"] == {"me": {"givenName": "Eleonora"}}
    assert steps["refreshes"] == 1
    assert steps["sign out everywhere"] == {"signOutEverywhere": {"errors": []}}
    assert steps["read afterwards"] is None
    assert steps["refresh afterwards"]["refreshSession"]["errors"] == [{"code": "SESSION_OVER"}]
    assert codes == {"read afterwards": ["UNAUTHENTICATED"]}
    assert steps["cookies"] == []
