//! What happens when: a seeded schedule.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::ChaosOptions;

/// The shortest outage that is worth the name.
const SHORTEST_OUTAGE: Duration = Duration::from_millis(500);
/// Between the end of a fault and the next one of its lane.
const PAUSE_MS: std::ops::Range<u64> = 500..3_000;

/// What happens beside each other: a fault of each lane at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// To gateways.
    Gateways,
    /// To Redis and the CQL server.
    Services,
    /// To the lines between them.
    Lines,
    /// To clients.
    Clients,
}

impl Lane {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Gateways, Self::Services, Self::Lines, Self::Clients];
}

macro_rules! kinds {
    ($($(#[doc = $about:literal])+ $kind:ident in $lane:ident = $name:literal;)+) => {
        /// A kind of fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind {
            $($(#[doc = $about])+ $kind,)+
        }

        impl Kind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$kind),+];

            /// What it is called.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$kind => $name),+ }
            }

            /// Which lane it belongs to.
            pub const fn lane(self) -> Lane {
                match self { $(Self::$kind => Lane::$lane),+ }
            }
        }
    };
}

kinds! {
    /// A gateway is killed with SIGKILL, and started again.
    GatewayKill in Gateways = "gateway-kill";
    /// A gateway hangs, and goes on.
    GatewayHang in Gateways = "gateway-hang";
    /// Each gateway in turn is told to go, goes in good order, and comes back.
    RollingRestart in Gateways = "rolling-restart";
    /// Redis is killed, and comes back with its append-only file.
    RedisKill in Services = "redis-kill";
    /// Redis hangs, and goes on.
    RedisHang in Services = "redis-hang";
    /// Redis is emptied.
    RedisFlush in Services = "redis-flush";
    /// Redis is killed, and comes back with an append-only file that lost its last second.
    RedisForgets in Services = "redis-forgets";
    /// Redis cuts its subscribers, as it does with one that reads too slowly.
    RedisCutsSubscribers in Services = "redis-cuts-subscribers";
    /// A gateway hangs while much is published, so that Redis cuts its subscription for being too slow.
    RedisCutsSlowSubscriber in Services = "redis-cuts-slow-subscriber";
    /// A replica that lags is promoted, and Redis is gone.
    RedisPromotion in Services = "redis-promotion";
    /// The CQL server is stopped, and returns.
    CqlStop in Services = "cql-stop";
    /// One CQL server of those that keep the same is stopped, and returns.
    CqlReplicaStop in Services = "cql-replica-stop";
    /// The CQL server hangs, and goes on.
    CqlHang in Services = "cql-hang";
    /// The CQL server can not be reached.
    CqlUnreachable in Services = "cql-unreachable";
    /// The CQL server is slow for one gateway.
    CqlSlow in Services = "cql-slow";
    /// The CQL server is slow with one thread's partitions, for every gateway.
    CqlPartitionSlow in Services = "cql-partition-slow";
    /// A line of one gateway carries bytes one by one.
    Slicing in Lines = "slicing";
    /// The connections of a line are reset, again and again.
    Resets in Lines = "resets";
    /// A line of one gateway goes nowhere, and stays open.
    HalfOpen in Lines = "half-open";
    /// A line of one gateway to Redis or of one client is long: all arrives late, in its order.
    Latency in Lines = "latency";
    /// Some published messages do not arrive.
    PublishDrops in Lines = "publish-drops";
    /// A client is offline.
    ClientOffline in Clients = "client-offline";
    /// Every other client is offline while Redis is emptied: for longer than its log remembers.
    ClientsMissTheLog in Clients = "clients-miss-the-log";
    /// A client's connection is reset.
    ClientResets in Clients = "client-resets";
}

/// What a run is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// Everything.
    All,
    /// One kind of fault alone.
    One(Kind),
    /// No fault at all: people come and go while messages fly.
    Calm,
}

impl Scenario {
    /// The faults that may happen.
    pub fn kinds(self) -> Vec<Kind> {
        match self {
            Self::All => Kind::ALL.to_vec(),
            Self::One(kind) => vec![kind],
            Self::Calm => Vec::new(),
        }
    }

    /// Every name.
    pub fn names() -> Vec<&'static str> {
        let kinds = Kind::ALL.iter().map(|kind| kind.name());
        ["all", "calm"].into_iter().chain(kinds).collect()
    }
}

impl FromStr for Scenario {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "all" => return Ok(Self::All),
            "calm" => return Ok(Self::Calm),
            _ => {}
        }
        let found = Kind::ALL.iter().find(|kind| kind.name() == text);
        let unknown = || format!("no scenario is called that; there are {}", Self::names().join(", "));
        found.map(|kind| Self::One(*kind)).ok_or_else(unknown)
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::All => "all",
            Self::Calm => "calm",
            Self::One(kind) => kind.name(),
        })
    }
}

/// When faults come and how long they last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outages {
    /// One after the other until the run is over. Each length as chance has it, up to this one.
    UpTo(Duration),
    /// One in each lane, and none before or after.
    Once {
        /// How long nothing happens before it.
        after: Duration,
        /// How long it lasts, exactly.
        lasts: Duration,
    },
}

/// One fault of the schedule.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// How long nothing happens before.
    pub pause: Duration,
    /// What happens.
    pub kind: Kind,
    /// How long it lasts, if it lasts.
    pub outage: Duration,
    /// Whom it meets, and whatever else is left to chance.
    pub choice: u64,
}

/// The faults of one lane, without end unless there is to be one: the same for the same seed. A fault that is all the
/// scenario begins at once.
pub fn steps(options: &ChaosOptions, lane: Lane, kinds: Vec<Kind>) -> impl Iterator<Item = Step> + Send + use<> {
    let mut random = ChaCha8Rng::seed_from_u64(options.seed);
    random.set_stream(1 + lane as u64);
    let outages = options.outages;
    let mut is_over = false;
    let mut begins_at_once = matches!(options.scenario, Scenario::One(_));
    std::iter::from_fn(move || {
        if is_over {
            return None;
        }
        let (pause, outage) = match outages {
            Outages::UpTo(longest) => {
                let outage = length_up_to(longest, &mut random);
                let pause = Duration::from_millis(random.random_range(PAUSE_MS));
                let is_first = std::mem::take(&mut begins_at_once);
                (if is_first { Duration::ZERO } else { pause }, outage)
            }
            Outages::Once { after, lasts } => {
                is_over = true;
                (after, lasts)
            }
        };
        Some(Step {
            pause,
            kind: kinds[random.random_range(0..kinds.len())],
            outage,
            choice: random.next_u64(),
        })
    })
}

/// Short ones are more frequent: each length is as likely as its double.
fn length_up_to(longest: Duration, random: &mut ChaCha8Rng) -> Duration {
    let stretch = longest.max(SHORTEST_OUTAGE).as_secs_f64() / SHORTEST_OUTAGE.as_secs_f64();
    SHORTEST_OUTAGE.mul_f64(stretch.powf(random.random_range(0.0..=1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_is_the_same_for_the_same_seed() {
        let schedule = |seed, lane| {
            let options = ChaosOptions::new(Scenario::All, Duration::from_secs(90), seed);
            let steps = steps(&options, lane, Kind::ALL.to_vec()).take(50);
            steps.map(|step| format!("{step:?}")).collect::<Vec<_>>()
        };
        assert_eq!(schedule(1, Lane::Services), schedule(1, Lane::Services));
        assert_ne!(schedule(1, Lane::Services), schedule(2, Lane::Services));
        assert_ne!(schedule(1, Lane::Services), schedule(1, Lane::Lines));
    }

    #[test]
    fn outages_have_all_lengths_and_short_ones_are_frequent() {
        let options = ChaosOptions::new(Scenario::All, Duration::from_secs(900), 3);
        assert_eq!(options.outages, Outages::UpTo(Duration::from_secs(30)));
        let outages: Vec<Duration> = steps(&options, Lane::Services, vec![Kind::RedisKill])
            .take(400)
            .map(|step| step.outage)
            .collect();
        let longer = |seconds| outages.iter().filter(|outage| outage.as_secs() >= seconds).count();
        assert!(
            longer(31) == 0 && longer(20) > 10 && (100..300).contains(&longer(4)),
            "{outages:?}"
        );
    }

    #[test]
    fn an_outage_that_comes_once_has_its_exact_length() {
        let (after, lasts) = (Duration::from_secs(15), Duration::from_secs(300));
        let mut options = ChaosOptions::new(Scenario::One(Kind::RedisKill), Duration::from_secs(330), 4);
        options.outages = Outages::Once { after, lasts };
        let steps: Vec<Step> = steps(&options, Lane::Services, vec![Kind::RedisKill]).collect();
        let found: Vec<_> = steps.iter().map(|step| (step.pause, step.outage)).collect();
        assert_eq!(found, [(after, lasts)]);
    }

    #[test]
    fn scenarios_are_found_by_name() {
        for name in Scenario::names() {
            assert_eq!(name.parse::<Scenario>().unwrap().to_string(), name);
        }
        assert!("redis".parse::<Scenario>().is_err());
    }
}
