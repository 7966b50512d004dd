//! What a session is for, and for how long the server keeps it without a sign of life.

use std::time::Duration;

use tokio_postgres::{Client, Config};

/// What a session is for: its application name says it, unless the application has set one.
#[derive(Clone, Copy, Debug)]
pub(super) enum Role {
    Start,
    Listening,
    Consumer,
    Spills,
    Maintenance,
    Schedules,
    Lookout,
}

/// What is between a worker and the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Direct,
    /// A pooler that gives each transaction a session: nothing may be kept on it, neither settings nor statements.
    Pooled,
}

/// A longer limit is none: the settings of the server are milliseconds of 32 bits.
const LONGEST: Duration = Duration::from_secs(24 * 3_600);

/// Where there is no limit, a lease has one all the same.
const USUAL_LEASE: Duration = Duration::from_secs(60);

/// How long a worker may be silent before it counts as dead.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// None: as the server is set.
    silence: Option<Duration>,
}

impl Role {
    fn application_name(self) -> &'static str {
        match self {
            Self::Start => "pgpubsub starting",
            Self::Listening => "pgpubsub listening",
            Self::Consumer => "pgpubsub consumer",
            Self::Spills => "pgpubsub spills",
            Self::Maintenance => "pgpubsub maintenance",
            Self::Schedules => "pgpubsub schedules",
            Self::Lookout => "pgpubsub lookout",
        }
    }
}

impl Bounds {
    pub(super) fn new(silence: Duration) -> Self {
        Self {
            silence: (silence > Duration::ZERO).then(|| silence.min(LONGEST)),
        }
    }

    /// What the client itself does about a server that is gone. What the application has set stays.
    pub(super) fn configure(self, config: &mut Config, role: Role) {
        if config.get_application_name().is_none() {
            config.application_name(role.application_name());
        }
        if let Some(silence) = self.silence {
            let usual = Config::new();
            let part = |part: u32| (silence / part).max(Duration::from_secs(1));
            if config.get_keepalives_idle() == usual.get_keepalives_idle() {
                config
                    .keepalives_idle(part(2))
                    .keepalives_interval(part(6))
                    .keepalives_retries(3);
            }
            if config.get_tcp_user_timeout().is_none() {
                config.tcp_user_timeout(silence);
            }
        }
    }

    /// What the server does about a client that is gone, whatever its own settings are.
    ///
    /// The kernel of the client answers keepalives, so they tell of a machine or network that is gone; the time without a
    /// statement in a transaction tells of a process that stands still. What runs a statement for a client that is gone looks
    /// after it in between.
    pub(super) async fn announce(self, client: &Client) -> Result<(), tokio_postgres::Error> {
        let Some(silence) = self.silence else {
            return Ok(());
        };
        let seconds = |part: u32| (silence / part).as_secs().max(1);
        let settings = format!(
            "SET tcp_keepalives_idle = {}; SET tcp_keepalives_interval = {}; SET tcp_keepalives_count = 3; \
             SET tcp_user_timeout = {}; {}",
            seconds(2),
            seconds(6),
            silence.as_millis().max(1),
            self.within("SET"),
        );
        let check = format!(
            "SET client_connection_check_interval = {}",
            (silence / 6).as_millis().max(1)
        );
        let (settings, _not_on_every_platform) = futures_util::future::join(
            client.batch_execute(&settings),
            client.batch_execute(&check),
        )
        .await;
        settings
    }

    /// How long a lease lasts that is not renewed.
    pub(super) fn lease(self) -> Duration {
        self.silence.unwrap_or(USUAL_LEASE)
    }

    /// After which silence something is dead; None: never.
    pub(super) fn silence(self) -> Option<Duration> {
        self.silence
    }

    /// How often a consumer gives a sign of life while a listener runs.
    pub(super) fn beat(self) -> Option<Duration> {
        self.silence.map(|silence| silence / 3)
    }

    /// The same for one transaction, through a pooler; what is between it and the client is the pooler's.
    pub(super) fn of_transaction(self) -> String {
        self.within("; SET LOCAL")
    }

    fn within(self, set: &str) -> String {
        self.silence.map_or_else(String::new, |silence| {
            let limit = silence.as_millis().max(1);
            format!("{set} idle_in_transaction_session_timeout = {limit}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_application_has_set_stays() {
        let mut config: Config = "application_name=mine keepalives_idle=7 tcp_user_timeout=5"
            .parse()
            .expect("a configuration");
        Bounds::new(Duration::from_secs(60)).configure(&mut config, Role::Consumer);
        assert_eq!(config.get_application_name(), Some("mine"));
        assert_eq!(config.get_keepalives_idle(), Duration::from_secs(7));
        assert_eq!(config.get_tcp_user_timeout(), Some(&Duration::from_secs(5)));
    }

    #[test]
    fn zero_is_no_limit_and_a_very_long_one_fits_the_setting() {
        assert_eq!(Bounds::new(Duration::ZERO).within("SET"), "");
        assert_eq!(
            Bounds::new(Duration::MAX).within("SET"),
            "SET idle_in_transaction_session_timeout = 86400000"
        );
    }
}
