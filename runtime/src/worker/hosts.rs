//! The hosts of a connection string, each with what a worker needs to notice that it is gone.

use std::time::Duration;

use rand::seq::SliceRandom as _;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, LoadBalanceHosts, TargetSessionAttrs};

/// How long a host may take to accept a connection, and once more to greet us on it.
const CONNECT: Duration = Duration::from_secs(10);

/// A peer that has gone without a word is noticed within a minute: after half of that, it is asked three times.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_RETRIES: u32 = 3;
/// The same while something that we have sent is not acknowledged.
const UNACKNOWLEDGED: Duration = Duration::from_secs(60);

/// What tokio-postgres does unless it is told otherwise.
const DEFAULT_IDLE: Duration = Duration::from_secs(2 * 60 * 60);

/// Sets what the user left alone.
pub(super) fn complete(config: &mut Config) {
    if config.get_application_name().is_none() {
        config.application_name("pgpubsub");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT);
    }
    if config.get_keepalives_idle() == DEFAULT_IDLE {
        config.keepalives_idle(KEEPALIVE_IDLE);
    }
    if config.get_keepalives_interval().is_none() {
        config.keepalives_interval(KEEPALIVE_INTERVAL);
    }
    if config.get_keepalives_retries().is_none() {
        config.keepalives_retries(KEEPALIVE_RETRIES);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(UNACKNOWLEDGED);
    }
    if config.get_target_session_attrs() == TargetSessionAttrs::ReadWrite {
        // Every session of a worker must be, and `connect` asks for it itself, to be able to say why it is not.
        config.target_session_attrs(TargetSessionAttrs::Any);
    }
}

/// One configuration for each host, in the order in which to try them: so each has a deadline of its own.
///
/// tokio-postgres goes through the hosts by itself, but waits for ever for one that accepts connections and says nothing.
pub(super) fn one_by_one(config: &Config) -> Vec<Config> {
    let (hosts, addresses, ports) = (
        config.get_hosts(),
        config.get_hostaddrs(),
        config.get_ports(),
    );
    let count = hosts.len().max(addresses.len());
    let fits = |length: usize| length == 0 || length == count;
    if count < 2
        || !fits(hosts.len())
        || !fits(addresses.len())
        || !(ports.len() == 1 || fits(ports.len()))
    {
        // Lists that do not fit together are an error, of which tokio-postgres tells.
        return vec![config.clone()];
    }
    let mut all: Vec<Config> = (0..count)
        .map(|place| {
            let mut one = without_hosts(config);
            match hosts.get(place) {
                Some(Host::Tcp(name)) => drop(one.host(name)),
                #[cfg(unix)]
                Some(Host::Unix(folder)) => drop(one.host_path(folder)),
                None => {}
            }
            if let Some(address) = addresses.get(place) {
                one.hostaddr(*address);
            }
            if let Some(port) = ports.get(place).or(ports.first()) {
                one.port(*port);
            }
            one
        })
        .collect();
    if config.get_load_balance_hosts() == LoadBalanceHosts::Random {
        all.shuffle(&mut rand::rng());
    }
    all
}

/// Everything but the hosts.
fn without_hosts(config: &Config) -> Config {
    let mut copy = Config::new();
    if let Some(user) = config.get_user() {
        copy.user(user);
    }
    if let Some(password) = config.get_password() {
        copy.password(password);
    }
    if let Some(name) = config.get_dbname() {
        copy.dbname(name);
    }
    if let Some(options) = config.get_options() {
        copy.options(options);
    }
    if let Some(name) = config.get_application_name() {
        copy.application_name(name);
    }
    if let Some(timeout) = config.get_connect_timeout() {
        copy.connect_timeout(*timeout);
    }
    if let Some(timeout) = config.get_tcp_user_timeout() {
        copy.tcp_user_timeout(*timeout);
    }
    if let Some(interval) = config.get_keepalives_interval() {
        copy.keepalives_interval(interval);
    }
    if let Some(retries) = config.get_keepalives_retries() {
        copy.keepalives_retries(retries);
    }
    copy.ssl_mode(config.get_ssl_mode())
        .ssl_negotiation(config.get_ssl_negotiation())
        .keepalives(config.get_keepalives())
        .keepalives_idle(config.get_keepalives_idle())
        .target_session_attrs(config.get_target_session_attrs())
        .channel_binding(config.get_channel_binding())
        .load_balance_hosts(config.get_load_balance_hosts());
    copy
}

/// How long connecting to one host may take in all.
pub(super) fn deadline(config: &Config) -> Duration {
    2 * config.get_connect_timeout().copied().unwrap_or(CONNECT)
}

/// For a message.
pub(super) fn name(config: &Config) -> String {
    let port = config.get_ports().first().copied().unwrap_or(5432);
    match (config.get_hosts().first(), config.get_hostaddrs().first()) {
        (Some(Host::Tcp(name)), _) => format!("{name}:{port}"),
        #[cfg(unix)]
        (Some(Host::Unix(folder)), _) => format!("{}:{port}", folder.display()),
        (None, Some(address)) => format!("{address}:{port}"),
        (None, None) => "no host".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_host_is_tried_with_its_own_port_and_everything_else() {
        let text = "host=one,two port=1,2 user=me password=secret dbname=app options='-c a=b' connect_timeout=3 \
                    keepalives_idle=7 sslmode=disable target_session_attrs=read-write";
        let mut config: Config = text.parse().expect("a connection string");
        complete(&mut config);
        let all = one_by_one(&config);
        assert_eq!(all.iter().map(name).collect::<Vec<_>>(), ["one:1", "two:2"]);
        for (one, host) in all.iter().zip(["host=one port=1", "host=two port=2"]) {
            let mut expected: Config = format!(
                "{host} user=me password=secret dbname=app options='-c a=b' connect_timeout=3 keepalives_idle=7 sslmode=disable"
            )
            .parse()
            .expect("a connection string");
            complete(&mut expected);
            assert_eq!(*one, expected);
        }
        assert_eq!(deadline(&config), Duration::from_secs(6));
    }

    #[test]
    fn one_port_is_for_all_hosts_and_lists_that_do_not_fit_are_left_alone() {
        let names = |text: &str| -> Vec<String> {
            let config: Config = text.parse().expect("a connection string");
            one_by_one(&config).iter().map(name).collect()
        };
        assert_eq!(names("host=a,/b port=7"), ["a:7", "/b:7"]);
        assert_eq!(names("host=a,b"), ["a:5432", "b:5432"]);
        assert_eq!(
            names("hostaddr=127.0.0.1,127.0.0.2"),
            ["127.0.0.1:5432", "127.0.0.2:5432"]
        );
        assert_eq!(names("host=a,b,c port=1,2").len(), 1);
    }

    #[test]
    fn what_the_user_has_set_stays() {
        let text = "host=a keepalives_idle=1 keepalives_interval=2 keepalives_retries=4 tcp_user_timeout=5 connect_timeout=6 \
                    application_name=mine";
        let mut config: Config = text.parse().expect("a connection string");
        let before = config.clone();
        complete(&mut config);
        assert_eq!(config, before);
    }
}
