//! From a kubeconfig to a client.

use std::sync::Arc;
use std::time::Duration;

use ::kube::config::Config;
use http::HeaderValue;
use http::header::USER_AGENT;
use jiff::Timestamp;

use super::explain::{Ask, explain};
use super::kubeconfig::Target;
use super::wire::Wire;
use super::{certificate, plugin};
use crate::error::SourceError;

/// How long a connection may take to stand, TLS included.
pub(crate) const CONNECT_LIMIT: Duration = Duration::from_secs(2);

/// How long an answer may take.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Patience {
    /// For single questions: so long for each, to the last byte.
    Question(Duration),
    /// For one who watches: so long for each question, and for ever between
    /// two events.
    Watch(Duration),
}

/// A client for this target. Runs the credential plugin if there is one, but
/// asks the API server nothing. Returns when the credentials expire, if the
/// plugin says so.
pub(crate) async fn connect(target: &Target, patience: Patience) -> Result<(Wire, Option<Timestamp>), SourceError> {
    let mut target = target.clone();
    let expires = plugin::settle(&mut target.config).await?;
    Ok((build(&target, patience)?, expires))
}

/// The same for a target whose credential plugin has run. Reads files.
pub(crate) fn build(target: &Target, patience: Patience) -> Result<Wire, SourceError> {
    let mut config = target.config.clone();
    let origin = Arc::new(target.origin());
    let ends = certificate::end(&config.auth_info);
    let limit = tune(&mut config, patience);
    let client = ::kube::Client::try_from(config)
        .map_err(|error| explain(&error, &Ask::new("connect to", "the API server"), &origin))?;
    Ok(Wire::new(client, origin, limit, ends))
}

fn tune(config: &mut Config, patience: Patience) -> Duration {
    config.default_retry = false;
    config.connect_timeout = Some(CONNECT_LIMIT);
    let limit = match patience {
        Patience::Question(limit) => {
            config.connect_timeout = Some(CONNECT_LIMIT.min(limit));
            config.read_timeout = Some(limit);
            // Else the time that a pooled connection lay idle would count.
            config.reset_reader_on_write = true;
            limit
        }
        Patience::Watch(limit) => {
            config.read_timeout = None;
            limit
        }
    };
    config.write_timeout = Some(limit);
    let agent = HeaderValue::from_static(concat!("kgents/", env!("CARGO_PKG_VERSION")));
    config.headers.push((USER_AGENT, agent));
    limit
}
