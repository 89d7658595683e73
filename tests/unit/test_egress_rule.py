"""Which addresses may be dialled: public ones, and what the operator allows."""

from ipaddress import ip_address, ip_network

import pytest

from infrastructure.http import forbidden

LOCAL = (ip_network("127.0.0.0/8"), ip_network("fd00::/8"))


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "100.63.255.255", "172.32.0.1", "2606:4700:4700::1111"])
def test_public_addresses_are_allowed(address: str) -> None:
    assert not forbidden(ip_address(address), ())


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1"),  # noqa: S104 - not bound
        *("169.254.169.254", "100.64.0.1", "192.0.0.8", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1"),
        *("255.255.255.255", "192.88.99.1", "::", "::1", "fe80::1", "fe80::1%1", "fc00::1", "fd00:ec2::254"),
        *("fec0::1", "ff02::1", "2001:db8::1", "3fff::1", "5f00::1", "100::1", "64:ff9b:1::1"),
    ],
)
def test_special_purpose_addresses_are_forbidden(address: str) -> None:
    assert forbidden(ip_address(address), ())


@pytest.mark.parametrize(
    "disguise",
    [
        *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:0:127.0.0.1", "::127.0.0.1", "64:ff9b::127.0.0.1"),
        *("64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2001:0:808:808::80ff:fffe"),
    ],
)
def test_an_address_inside_another_is_judged_by_what_it_is(disguise: str) -> None:
    assert forbidden(ip_address(disguise), ())


@pytest.mark.parametrize("address", ["::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"])
def test_a_public_address_inside_another_is_allowed(address: str) -> None:
    assert not forbidden(ip_address(address), ())


@pytest.mark.parametrize("address", ["127.0.0.1", "::ffff:127.0.0.1", "64:ff9b::127.0.0.1", "fd00::1"])
def test_the_operator_may_allow_networks(address: str) -> None:
    assert not forbidden(ip_address(address), LOCAL)


def test_an_allowed_network_allows_no_other() -> None:
    assert forbidden(ip_address("127.0.0.1"), (ip_network("127.0.0.2/32"),))
    assert forbidden(ip_address("10.0.0.1"), LOCAL)
