//! kube's errors in our words.

use std::error::Error as StdError;
use std::io;
use std::sync::Arc;

use ::kube::Error;
use ::kube::client::{AuthError, RustlsTlsError};
use ::kube::core::Status;
use kgents_store::Kind;
use rustls::{AlertDescription, CertificateError};

use super::words;
use crate::error::{Origin, SourceError, parts};

/// The reason that kube makes up for an error whose body is no `Status`.
const NO_STATUS: &str = "Failed to parse error data";

/// What was asked, for the words about its failure.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    /// The verb, as RBAC names it.
    pub verb: &'static str,
    /// The resource with its group, as RBAC names it.
    pub resource: String,
    /// Where; `None` for the whole cluster.
    pub namespace: Option<String>,
    /// Which one, if one was asked for.
    pub name: Option<String>,
}

impl Ask {
    pub(crate) fn new(verb: &'static str, resource: &str) -> Self {
        Self { verb, resource: resource.to_owned(), namespace: None, name: None }
    }

    pub(crate) fn of(verb: &'static str, kind: Kind, namespace: Option<&str>) -> Self {
        let namespace = namespace.map(str::to_owned);
        Self { verb, resource: kind.resource(), namespace, name: None }
    }

    pub(crate) fn named(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// The same, asked of a subresource.
    pub(crate) fn sub(mut self, subresource: Option<&str>) -> Self {
        if let Some(sub) = subresource {
            self.resource = match self.resource.split_once('.') {
                Some((plural, group)) => format!("{plural}/{sub}.{group}"),
                None => format!("{}/{sub}", self.resource),
            };
        }
        self
    }
}

/// What an error of kube means.
pub(crate) fn explain(error: &Error, ask: &Ask, origin: &Arc<Origin>) -> SourceError {
    let origin = origin.clone();
    match error {
        Error::Api(status) => refused(status, ask, origin),
        Error::SerdeError(error) => unreadable(error, "", ask, origin),
        Error::FromUtf8(_) => SourceError::NotKubernetes { origin, saw: "something that is no text".to_owned() },
        Error::RustlsTls(error) => {
            // What a PEM reader stumbled over may be a piece of the key.
            let problem = match error {
                RustlsTlsError::InvalidIdentityPem(_) => "the client certificate or its key is no PEM".to_owned(),
                error => words::clean(&error.to_string()),
            };
            SourceError::Tls { origin, problem: format!("the kubeconfig's certificates cannot be used: {problem}") }
        }
        error => broken(error, origin),
    }
}

/// An answer that came but is not what it should be.
pub(crate) fn unreadable(error: &serde_json::Error, text: &str, ask: &Ask, origin: Arc<Origin>) -> SourceError {
    if error.is_syntax() || error.is_eof() {
        let saw = if text.is_empty() { "something that is no JSON".to_owned() } else { words::beginning(text) };
        return SourceError::NotKubernetes { origin, saw };
    }
    SourceError::Unreadable { what: ask.resource.clone(), problem: words::clean(&error.to_string()) }
}

/// An answer that says no.
fn refused(status: &Status, ask: &Ask, origin: Arc<Origin>) -> SourceError {
    let message = words::clean(&status.message);
    let proper = status.reason != NO_STATUS;
    // A page for a browser, whatever its code, but that nobody is behind it.
    if !proper && status.message.trim_start().starts_with('<') && !matches!(status.code, 502..=504) {
        return SourceError::NotKubernetes { origin, saw: words::beginning(&status.message) };
    }
    match status.code {
        401 => SourceError::Unauthorized { origin, problem: message },
        403 => SourceError::Forbidden {
            origin,
            verb: ask.verb.to_owned(),
            resource: ask.resource.clone(),
            namespace: ask.namespace.clone(),
            detail: message,
        },
        404 => not_found(status, ask),
        409 => SourceError::Conflict { message },
        410 => SourceError::Expired { resource: ask.resource.clone() },
        // A TLS port that is spoken to without TLS answers 400 and no Status.
        400 if !proper => SourceError::NotKubernetes { origin, saw: words::beginning(&status.message) },
        400 | 422 => SourceError::Invalid { message: words::faults(&status.message) },
        code @ (429 | 502..=504) => {
            let message = if proper { message } else { words::beginning(&status.message) };
            SourceError::Unavailable { origin, code, message }
        }
        code => SourceError::Api { code, message },
    }
}

/// Whether it is the object, its namespace or the whole resource that is not
/// there: the details name what was looked for, if the resource is known.
fn not_found(status: &Status, ask: &Ask) -> SourceError {
    let (resource, _) = parts(&ask.resource);
    let details = status.details.as_ref().filter(|details| !details.name.is_empty());
    let Some(details) = details else {
        return SourceError::Missing { resource };
    };
    let (plural, name) = (words::clean(&details.kind), words::clean(&details.name));
    // In details, `kind` holds the plural.
    if plural.is_empty() || resource.split('.').next() == Some(&plural) {
        return SourceError::NotFound { resource, name, namespace: ask.namespace.clone() };
    }
    SourceError::NotFound { resource: plural, name, namespace: None }
}

/// No answer: something broke on the way.
fn broken(error: &Error, origin: Arc<Origin>) -> SourceError {
    let mut deepest = words::clean(&error.to_string());
    let mut link: Option<&(dyn StdError + 'static)> = error.source();
    // Stacks are a handful deep; a cycle must not hang us.
    for _ in 0..16 {
        let Some(error) = link else { break };
        deepest = words::clean(&error.to_string());
        if let Some(error) = error.downcast_ref::<rustls::Error>() {
            return SourceError::Tls { origin, problem: tls(error) };
        }
        if let Some(error) = error.downcast_ref::<AuthError>() {
            return SourceError::Unauthorized { origin, problem: words::clean(&error.to_string()) };
        }
        if let Some(error) = error.downcast_ref::<Error>() {
            return broken(error, origin);
        }
        if let Some(error) = error.downcast_ref::<io::Error>() {
            // What an io::Error carries is not its source but itself.
            if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
                return SourceError::Tls { origin, problem: tls(error) };
            }
            if let Some(problem) = network(error.kind()) {
                return SourceError::Connect { origin, problem: problem.to_owned() };
            }
            if let Some(inner) = error.get_ref() {
                link = Some(inner);
                continue;
            }
        }
        link = error.source();
    }
    SourceError::Connect { origin, problem: deepest }
}

/// The usual troubles of a network, in words.
fn network(kind: io::ErrorKind) -> Option<&'static str> {
    Some(match kind {
        io::ErrorKind::ConnectionRefused => "connection refused",
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
            "the connection was cut"
        }
        io::ErrorKind::UnexpectedEof => "it closed the connection without an answer",
        io::ErrorKind::TimedOut => "no connection in time",
        io::ErrorKind::HostUnreachable => "no route to the host",
        io::ErrorKind::NetworkUnreachable => "no network",
        io::ErrorKind::NetworkDown => "the network is down",
        io::ErrorKind::AddrNotAvailable => "no such address on this machine",
        io::ErrorKind::PermissionDenied => "this machine does not allow it",
        _ => return None,
    })
}

/// What is wrong with whose certificate.
fn tls(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(error) => match error {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "its certificate has expired".to_owned()
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "its certificate is not valid yet, or this machine's clock is wrong".to_owned()
            }
            CertificateError::UnknownIssuer => {
                "its certificate is signed by an authority that the kubeconfig does not trust".to_owned()
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                format!("its certificate is for another name: {}", words::clean(&error.to_string()))
            }
            CertificateError::Revoked => "its certificate was revoked".to_owned(),
            error => format!("its certificate is not accepted: {}", words::clean(&error.to_string())),
        },
        rustls::Error::AlertReceived(alert) => match alert {
            AlertDescription::CertificateExpired => "it says that our client certificate has expired".to_owned(),
            AlertDescription::CertificateRequired => "it wants a client certificate".to_owned(),
            AlertDescription::BadCertificate
            | AlertDescription::UnknownCA
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateRevoked
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::AccessDenied => format!("it refuses our client certificate ({alert:?})"),
            alert => format!("it ends the handshake ({alert:?})"),
        },
        rustls::Error::InvalidMessage(_) => {
            "it does not speak TLS; perhaps its URL should begin with http://".to_owned()
        }
        error => words::clean(&error.to_string()),
    }
}

#[cfg(test)]
mod tests;
