from __future__ import annotations

from starlette.applications import Starlette

from gateway.http.cors import cors
from gateway.http.health import health_routes
from tests.gateway.http.conftest import Log, client


async def yes() -> bool:
    return True


async def no() -> bool:
    return False


async def broken() -> bool:
    raise OSError("host=db password=4711")


async def test_the_process_answers_without_asking_anybody() -> None:
    async with client(Starlette(routes=health_routes({"database": broken}))) as http:
        response = await http.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


async def test_ready_says_which_part_is_not_and_not_why(log: Log) -> None:
    checks = {"database": broken, "authority": no, "disclosures": yes}
    async with client(Starlette(routes=health_routes(checks))) as http:
        response = await http.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {"status": "unavailable", "failing": ["database", "authority"]}
    assert [line["check"] for line in log()] == ["database"]
    assert "4711" not in str([line | {"time": None} for line in log()])


async def test_ready_when_all_parts_are() -> None:
    async with client(Starlette(routes=health_routes({"database": yes}))) as http:
        assert (await http.get("/readyz")).status_code == 200


PREFLIGHT = {
    "origin": "https://shop.example",
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization,content-type",
}


async def test_no_page_may_call_unless_a_setting_says_so() -> None:
    async with client(Starlette(routes=health_routes({}), middleware=cors(()))) as http:
        preflight = await http.options("/healthz", headers=PREFLIGHT)
        plain = await http.get("/healthz", headers={"origin": "https://shop.example"})
    for response in (preflight, plain):
        assert not [name for name in response.headers if name.startswith("access-control-")]


async def test_only_listed_origins_may_call_and_with_cookies() -> None:
    app = Starlette(routes=health_routes({}), middleware=cors(("https://shop.example",)))
    async with client(app) as http:
        allowed = await http.options("/healthz", headers=PREFLIGHT)
        other = await http.options("/healthz", headers=PREFLIGHT | {"origin": "https://other.example"})
    assert allowed.headers["access-control-allow-origin"] == "https://shop.example"
    assert allowed.headers["access-control-allow-credentials"] == "true"
    assert "idempotency-key" in allowed.headers["access-control-allow-headers"].lower()
    assert other.status_code == 400
    assert "access-control-allow-origin" not in other.headers
