//! Rates of addresses, with a clock that the test moves.

use governor::clock::FakeRelativeClock;

use super::*;

fn limits(per_minute: u32, spares_loopback: bool) -> (AddressLimits<FakeRelativeClock>, FakeRelativeClock) {
    let clock = FakeRelativeClock::default();
    let per_minute = NonZeroU32::new(per_minute).unwrap();
    let rates = AddressRates {
        connections_per_minute: per_minute,
        logins_per_minute: per_minute,
        spares_loopback,
    };
    (AddressLimits::with_clock(rates, &clock), clock)
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn an_address_gets_its_minute_at_once_and_then_hears_when_the_next_is_free() {
    let (limits, clock) = limits(60, true);
    let school = address("198.51.100.7");
    for _ in 0..60 {
        limits.connect(school).unwrap();
    }
    let wait = limits.connect(school).unwrap_err();
    assert!(wait > Duration::ZERO && wait <= Duration::from_secs(1), "{wait:?}");
    limits.log_in(school).unwrap();
    limits.connect(address("198.51.100.8")).unwrap();
    clock.advance(wait);
    limits.connect(school).unwrap();
    limits.connect(school).unwrap_err();
}

#[test]
fn a_network_of_ipv6_is_one_address_and_a_mapped_one_is_itself() {
    let (limits, _) = limits(1, true);
    limits.connect(address("2001:db8:1:2::1")).unwrap();
    limits.connect(address("2001:db8:1:2:ffff::9")).unwrap_err();
    limits.connect(address("2001:db8:1:3::1")).unwrap();
    limits.connect(address("198.51.100.7")).unwrap();
    limits.connect(address("::ffff:198.51.100.7")).unwrap_err();
}

#[test]
fn this_machine_is_spared_if_that_is_wanted() {
    for (spared, refused) in [(true, false), (false, true)] {
        let (limits, _) = limits(1, spared);
        for local in ["127.0.0.1", "::1", "::ffff:127.0.0.2"] {
            limits.log_in(address(local)).unwrap();
            assert_eq!(limits.log_in(address(local)).is_err(), refused, "{local}");
        }
    }
}

#[test]
fn what_is_known_is_bounded_and_forgotten_when_it_is_free_again() {
    let (limits, clock) = limits(1, true);
    let flood = |count: u32| {
        for number in 0..count {
            let _ = limits.connect(IpAddr::from((0x0a00_0000 + number).to_be_bytes()));
        }
    };
    flood(200_000);
    let bound = KNOWN + usize::try_from(SHARED).unwrap();
    assert!(limits.connections.used.len() <= bound);
    limits.forget();
    assert!(limits.connections.used.len() >= KNOWN, "they are still in use");
    // Governor keeps a place for one interval longer than it is in use.
    clock.advance(Duration::from_secs(121));
    limits.forget();
    assert_eq!(limits.connections.used.len(), 0);
    flood(10);
    assert_eq!(limits.connections.used.len(), 10);
}
