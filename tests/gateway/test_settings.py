from __future__ import annotations

import json
import re
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from pydantic_core import PydanticUndefined

from gateway.account_means import open_means
from gateway.app import utc_now
from gateway.keys import Keyring
from gateway.settings import Settings, TrustedIssuer, load_settings
from resolvers.commands.erasure import SETTLING
from schema.errors import SettingsError

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "settings.md"
ROWS = dict(re.findall(r"^\| `(GATEWAY_[A-Z_]+)` \| ([^|]+) \|", DOCUMENT.read_text("utf-8"), re.MULTILINE))
FIELDS = {f"GATEWAY_{name.upper()}": field for name, field in Settings.model_fields.items()}


def test_every_setting_is_described_and_no_other() -> None:
    assert ROWS.keys() == FIELDS.keys()


@pytest.mark.parametrize("name", FIELDS)
def test_the_default_is_the_one_described(name: str) -> None:
    if name == "GATEWAY_PUBLIC_URL":
        assert f"`{str(Settings().public_url).rstrip('/')}`" in ROWS[name]
        return
    default = FIELDS[name].default
    assert default is not PydanticUndefined
    if default is None:
        assert "`" not in ROWS[name]
        return
    assert ROWS[name] == f"`{_written(default)}`"


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ({"port": 9000}, "http://127.0.0.1:9000/"),
        ({"host": "::1", "port": 9000}, "http://[::1]:9000/"),
        ({"host": "0.0.0.0"}, "http://127.0.0.1:8000/"),  # noqa: S104 - it is read, and not listened on
        ({"port": 0}, "http://127.0.0.1:8000/"),
        ({"tls_certificate": "chain.pem"}, "https://127.0.0.1:8000/"),
        ({"port": 9000, "public_url": "https://members.example.org"}, "https://members.example.org/"),
    ],
)
def test_links_lead_to_where_the_gateway_listens_unless_told(given: dict[str, Any], address: str) -> None:
    assert str(Settings.model_validate(given).public_url) == address


def _written(value: Any) -> str:
    if isinstance(value, bool | tuple):
        return json.dumps(value)
    if isinstance(value, Enum):
        return str(value.value)
    return str(value).rstrip("/")


def test_every_part_of_an_issuer_is_described() -> None:
    text = DOCUMENT.read_text("utf-8")
    assert all(f"`{name}`" in text for name in TrustedIssuer.model_fields)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GATEWAY_PORT", "70000"),
        ("GATEWAY_MAX_PAGE_SIZE", "zero"),
        ("GATEWAY_REVOCATION_STALENESS", "60"),
        ("GATEWAY_DOCUMENTS", "some"),
        ("GATEWAY_CORS_ORIGINS", "http://localhost:3000"),
        ("GATEWAY_CORS_ORIGINS", '["localhost:3000"]'),
        ("GATEWAY_CORS_ORIGINS", '["http://localhost:3000/"]'),
        ("GATEWAY_TRUSTED_ISSUERS", '[{"issuer": 7}]'),
    ],
)
def test_a_value_out_of_bounds_is_named_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert f"`{name}`" in str(caught.value)
    assert value not in str(caught.value)


async def test_no_gateway_opens_where_a_request_may_outlast_the_pause_before_an_erasure(
    settings: Settings, keys: Keyring
) -> None:
    short = {"request_timeout": SETTLING.total_seconds() - 2.5, "disclosure_timeout": 2.0}
    with open_means(settings.model_copy(update=short), keys, utc_now):
        pass
    long = settings.model_copy(update={**short, "disclosure_timeout": 2.5})
    with (
        pytest.raises(SettingsError, match=r"`GATEWAY_REQUEST_TIMEOUT` and `GATEWAY_DISCLOSURE_TIMEOUT`"),
        open_means(long, keys, utc_now),
    ):
        pass
