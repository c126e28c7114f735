from __future__ import annotations

from ipaddress import ip_address

import pytest

from policies.destinations import Rules, admit, is_public, read_destination
from schema.errors import InputError

PUBLIC = ["93.184.215.14", "1.1.1.1", "2606:4700:4700::1111", "2a00:1450:4001::1", "64:ff9b::101:101"]
INSIDE = [
    "0.0.0.0", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.8.8.8", "169.254.169.254", "172.16.0.1",  # noqa: S104
    "172.31.255.255", "192.168.1.1", "192.0.0.8", "192.0.0.9", "192.0.2.1", "192.88.99.1", "198.18.0.1",
    "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::7f00:1", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "::ffff:93.184.215.14",
    "::ffff:0:10.0.0.1", "64:ff9b::a00:1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1",
    "100::1", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::1", "2002:7f00:1::",
    "2002:a00:1::", "2002:5db8:d70e::1", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1",
    "fe80::1%eth0", "2606:4700::1%eth0", "fec0::1", "ff02::1",
]  # fmt: skip
REFUSED = [
    "http://hooks.example.org/", "ftp://hooks.example.org/", "//hooks.example.org/", "hooks.example.org",
    "https://", "https:///x", "https://user@hooks.example.org/", "https://u:p@hooks.example.org/",
    "https://@hooks.example.org/", "https://hooks.example.org/#part", "https://hooks.example.org/#",
    "https://hooks.example.org:8443/", "https://hooks.example.org:80/", "https://hooks.example.org:x/",
    "https://hooks.example.org:99999/", "https://hooks.example.org /", "https://hooks.example.org/a b",
    "https://hooks.example.org\\@10.0.0.1/", "https://hooks.example.org/\r\nHost: x", "https://hook\u00e9.org/",
    "https://hooks\uff0eexample.org/", "https://hooks.example.org./", "https://-a.example.org/",
    "https://a_b.example.org/", "https://*.example.org/", "https://hooks..example.org/",
    "https://%31%30.0.0.1/", "https://0x7f000001/", "https://0x7f.1/", "https://2130706433/",
    "https://017700000001/", "https://127.1/", "https://127.0.0.01/", "https://0177.0.0.1/",
    "https://1.2.3.4.5/", "https://a.0x7f/", "https://0x/", "https://[::]/", "https://[::1]/",
    "https://[::ffff:10.0.0.1]/", "https://[::ffff:7f00:1]/", "https://[64:ff9b::a00:1]/",
    "https://[2002:7f00:1::]/", "https://[fe80::1%25eth0]/", "https://[::1", "https://10.0.0.1/",
    "https://127.0.0.1/", "https://169.254.169.254/latest/meta-data/", "https://100.64.0.1/",
    "http://127.0.0.1/", "http://localhost/", "https://" + "a" * 64 + ".org/",
    "https://hooks.example.org/" + "a" * 2_000,
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_admitted(address: str) -> None:
    assert is_public(ip_address(address))
    admit([ip_address(address)], Rules())


@pytest.mark.parametrize("address", INSIDE)
def test_no_other_address_is_in_whatever_form(address: str) -> None:
    with pytest.raises(InputError, match="not public"):
        admit([ip_address(address)], Rules())


def test_one_address_inside_spoils_all_and_none_is_not_enough() -> None:
    with pytest.raises(InputError):
        admit([ip_address("1.1.1.1"), ip_address("10.0.0.1")], Rules())
    with pytest.raises(InputError):
        admit([], Rules())


@pytest.mark.parametrize("url", REFUSED)
def test_a_url_that_leads_elsewhere_or_reads_in_two_ways_is_refused(url: str) -> None:
    with pytest.raises(InputError) as caught:
        read_destination(url, Rules())
    assert "hooks.example.org" not in str(caught.value), "an error repeats nothing"


@pytest.mark.parametrize(
    ("url", "origin", "target"),
    [
        ("https://hooks.example.org", "https://hooks.example.org", "/"),
        ("https://Hooks.Example.ORG:443/a?b=c", "https://hooks.example.org", "/a?b=c"),
        ("https://xn--hk-fka.example/", "https://xn--hk-fka.example", "/"),
        ("https://1.1.1.1/x", "https://1.1.1.1", "/x"),
        ("https://[2606:4700:4700::1111]/", "https://[2606:4700:4700::1111]", "/"),
        ("https://h?a=/b", "https://h", "/?a=/b"),
    ],
)
def test_a_url_is_read_in_its_parts(url: str, origin: str, target: str) -> None:
    read = read_destination(url, Rules())
    assert (read.origin, read.target) == (origin, target)
    assert target == "/" or target not in repr(read)


def test_the_operator_may_name_networks_and_ports() -> None:
    rules = Rules.of(["10.20.0.0/16", "127.0.0.0/8", "fd12::/16"], [443, 8443])
    for inside in ("10.20.3.4", "127.0.0.1", "fd12::1"):
        admit([ip_address(inside)], rules)
    for outside in ("10.21.0.1", "fd13::1", "::ffff:10.20.3.4", "64:ff9b::a14:304"):
        with pytest.raises(InputError):
            admit([ip_address(outside)], rules)
    assert read_destination("https://10.20.3.4:8443/", rules).port == 8443
    assert not read_destination("http://127.0.0.1:8443/", rules).secure
    with pytest.raises(InputError, match="https"):
        read_destination("http://10.20.3.4:8443/", rules)
