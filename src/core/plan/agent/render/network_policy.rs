//! Who may reach an agent, and whom it may reach.

use kgents_api::{LABEL_AGENT, LABEL_GENUS};
use serde_json::Value;

use super::super::super::Resource;
use super::super::About;
use super::super::problems::{Checked, Peer};
use super::{GRPC, HTTP, object, selector};

/// What is no public address: private networks, this machine, the link (cloud
/// metadata is there), addresses shared by carriers, benchmarks, multicast and
/// what is reserved. The API server's own address is among the private ones.
///
/// Source: the IANA special-purpose registries for IPv4 and IPv6.
const NOT_PUBLIC_4: [&str; 12] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "224.0.0.0/4",
    "240.0.0.0/4",
];
/// The same for IPv6; `fd00:ec2::254`, a metadata address, is in `fc00::/7`.
/// By `64:ff9b::/96` and `64:ff9b:1::/48` a translator would reach IPv4
/// addresses that are not public, by `2002::/16` a relay. IPv4-mapped
/// addresses are never on a wire, and the API server refuses to be told of
/// them.
const NOT_PUBLIC_6: [&str; 7] =
    ["::/127", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "fc00::/7", "fe80::/10", "ff00::/8"];

pub(super) fn body(about: About<'_>, checked: &Checked) -> Value {
    let peers: Vec<Value> = checked.peers.iter().map(pods).collect();
    let agents = [tcp(HTTP), tcp(GRPC)];
    let mut ingress = vec![object! { "from": [namespace(&about.config.system_namespace)], "ports": agents.clone() }];
    let mut egress = vec![names(about), cortex(about)];
    if !peers.is_empty() {
        ingress.push(object! { "from": peers.clone(), "ports": agents.clone() });
        egress.push(object! { "to": peers, "ports": agents });
    }
    if about.agent.spec.network_policy.allow_egress {
        egress.push(object! { "to": [
            object! { "ipBlock": object! { "cidr": "0.0.0.0/0", "except": NOT_PUBLIC_4 } },
            object! { "ipBlock": object! { "cidr": "::/0", "except": NOT_PUBLIC_6 } },
        ] });
    }
    let mut body = object(about, Resource::NetworkPolicy);
    body["spec"] = object! {
        "podSelector": object! { "matchLabels": selector(about) },
        "policyTypes": ["Ingress", "Egress"],
        "ingress": ingress,
        "egress": egress,
    };
    body
}

fn port(protocol: &str, port: i32) -> Value {
    object! { "protocol": protocol, "port": port }
}

fn tcp(number: i32) -> Value {
    port("TCP", number)
}

/// All pods of a namespace.
fn namespace(name: &str) -> Value {
    object! { "namespaceSelector": object! { "matchLabels": object! { "kubernetes.io/metadata.name": name } } }
}

/// A peer, in the namespace of the agent.
fn pods(peer: &Peer) -> Value {
    let label = match peer {
        Peer::Name(name) => object! { LABEL_AGENT: name.as_str() },
        Peer::Genus(genus) => object! { LABEL_GENUS: genus.as_str() },
    };
    object! { "podSelector": object! { "matchLabels": label } }
}

/// Where names are resolved.
fn names(about: About<'_>) -> Value {
    let dns = &about.config.dns;
    let (label, value) = &dns.label;
    let mut server = namespace(&dns.namespace);
    server["podSelector"] = object! { "matchLabels": object! { label: value.as_str() } };
    let mut to = vec![server];
    to.extend(dns.node_local.as_ref().map(|cidr| object! { "ipBlock": object! { "cidr": cidr.as_str() } }));
    object! { "to": to, "ports": [port("UDP", 53), port("TCP", 53)] }
}

/// Cortex, on the port that its URL names.
fn cortex(about: About<'_>) -> Value {
    let mut rule = object! { "to": [namespace(&about.config.system_namespace)] };
    if let Some(number) = port_of(&about.config.cortex_url) {
        rule["ports"] = vec![tcp(number)].into();
    }
    rule
}

/// The port of a URL, by its scheme if it names none.
fn port_of(url: &str) -> Option<i32> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    // The last `]` ends an IPv6 address, in which colons part no port.
    let after = authority.rsplit(']').next()?;
    match after.rsplit_once(':') {
        Some((_, port)) => port.parse::<u16>().ok().map(i32::from),
        None if scheme == "https" => Some(443),
        None => Some(80),
    }
}
