//! Who may reach whom, by the policies that are made.
//!
//! [`reaches`] reads rendered `NetworkPolicy` objects as a network plugin
//! does; what it cannot read allows nothing.
//!
//! Source: `networking.k8s.io/v1`, `NetworkPolicySpec`.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::Value;

/// One end of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// A pod.
    Pod {
        /// Its namespace.
        namespace: String,
        /// Its labels.
        labels: BTreeMap<String, String>,
        /// Its address, where a rule may be about addresses.
        address: Option<IpAddr>,
    },
    /// An address that is no pod's.
    Address(IpAddr),
}

impl End {
    /// A pod of which no address is known.
    pub fn pod(namespace: &str, labels: &[(&str, &str)]) -> Self {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self::Pod { namespace: namespace.to_owned(), labels, address: None }
    }

    fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Pod { address, .. } => *address,
            Self::Address(address) => Some(*address),
        }
    }
}

/// Where a connection goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port {
    /// `TCP`, `UDP` or `SCTP`.
    pub protocol: &'static str,
    /// The number on the pod, not that of a Service before it.
    pub number: u16,
}

impl Port {
    /// A TCP port.
    pub const fn tcp(number: u16) -> Self {
        Self { protocol: "TCP", number }
    }

    /// A UDP port.
    pub const fn udp(number: u16) -> Self {
        Self { protocol: "UDP", number }
    }
}

/// Whether `from` may open a connection to `port` of `to`, if these policies
/// are all that there are: what selects `from` has to let it out, what selects
/// `to` has to let it in, and what is selected by none is open.
pub fn reaches(from: &End, to: &End, port: Port, policies: &[Value]) -> bool {
    lets(policies, Way::Out, from, to, port) && lets(policies, Way::In, to, from, port)
}

#[derive(Clone, Copy, PartialEq)]
enum Way {
    In,
    Out,
}

impl Way {
    /// The policy type, the field of its rules, and that of their other ends.
    const fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::In => ("Ingress", "ingress", "from"),
            Self::Out => ("Egress", "egress", "to"),
        }
    }
}

fn lets(policies: &[Value], way: Way, own: &End, other: &End, port: Port) -> bool {
    let End::Pod { namespace, labels, .. } = own else { return true };
    let (type_, rules, ends) = way.words();
    let mut selecting = policies
        .iter()
        .filter(|policy| policy["metadata"]["namespace"] == **namespace)
        .map(|policy| &policy["spec"])
        .filter(|spec| is_of(spec, type_, rules) && selects(&spec["podSelector"], labels))
        .peekable();
    if selecting.peek().is_none() {
        return true;
    }
    let mut rules = selecting.flat_map(|spec| list(&spec[rules]));
    rules.any(|rule| {
        is_among(&rule[ends], |end| is_end(end, namespace, other))
            && is_among(&rule["ports"], |found| is_port(found, port))
    })
}

/// Whether a policy is of this type: by default of Ingress, and of Egress if
/// it has such rules.
fn is_of(spec: &Value, type_: &str, rules: &str) -> bool {
    match spec["policyTypes"].as_array() {
        Some(all) => all.iter().any(|found| found == type_),
        None => type_ == "Ingress" || spec[rules].is_array(),
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Whether one of a list is meant; an empty or absent one means all.
fn is_among(value: &Value, is_one: impl Fn(&Value) -> bool) -> bool {
    list(value).is_empty() || list(value).iter().any(is_one)
}

fn is_port(found: &Value, port: Port) -> bool {
    let protocol = found["protocol"].as_str().unwrap_or("TCP");
    let first = &found["port"];
    let last = found["endPort"].as_u64().or(first.as_u64());
    let number = u64::from(port.number);
    protocol == port.protocol
        && (first.is_null() || first.as_u64().zip(last).is_some_and(|(first, last)| (first..=last).contains(&number)))
}

fn is_end(end: &Value, own_namespace: &str, other: &End) -> bool {
    if let Some(block) = end.get("ipBlock") {
        let is_in = |cidr: &Value| {
            other.address().zip(cidr.as_str()).is_some_and(|(address, cidr)| contains(cidr, address).unwrap_or(false))
        };
        return is_in(&block["cidr"]) && !list(&block["except"]).iter().any(is_in);
    }
    let End::Pod { namespace, labels, .. } = other else { return false };
    let is_namespace = match end.get("namespaceSelector") {
        // Of the labels of a namespace its name is the one that is always there.
        Some(selector) => {
            selects(selector, &BTreeMap::from([("kubernetes.io/metadata.name".to_owned(), namespace.clone())]))
        }
        None => namespace == own_namespace,
    };
    is_namespace && end.get("podSelector").is_none_or(|selector| selects(selector, labels))
}

/// Whether a selector by `matchLabels` selects these labels; one with anything
/// else selects nothing here, for none is rendered.
fn selects(selector: &Value, labels: &BTreeMap<String, String>) -> bool {
    let Some(selector) = selector.as_object() else { return false };
    selector.iter().all(|(field, wanted)| {
        field == "matchLabels"
            && wanted.as_object().is_some_and(|wanted| {
                wanted.iter().all(|(name, value)| labels.get(name).is_some_and(|label| value == label.as_str()))
            })
    })
}

/// Whether an address is in a block; `None` if that is no block.
fn contains(cidr: &str, address: IpAddr) -> Option<bool> {
    let (base, length) = cidr.split_once('/')?;
    let (base, length): (IpAddr, u32) = (base.parse().ok()?, length.parse().ok()?);
    let head = |bits: u128, width: u32| bits.checked_shr(width.checked_sub(length)?).or(Some(0));
    match (base, address) {
        (IpAddr::V4(base), IpAddr::V4(address)) => {
            Some(head(base.to_bits().into(), 32)? == head(address.to_bits().into(), 32)?)
        }
        (IpAddr::V6(base), IpAddr::V6(address)) => Some(head(base.to_bits(), 128)? == head(address.to_bits(), 128)?),
        _ => Some(false),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_address_is_in_a_block_or_not() {
        for (cidr, address, wanted) in [
            ("10.0.0.0/8", "10.255.0.1", Some(true)),
            ("10.0.0.0/8", "11.0.0.1", Some(false)),
            ("0.0.0.0/0", "255.255.255.255", Some(true)),
            ("::/0", "2606::1", Some(true)),
            ("::/0", "1.1.1.1", Some(false)),
            ("fc00::/7", "fdff::1", Some(true)),
            ("fe80::/10", "fec0::1", Some(false)),
            ("1.1.1.1/32", "1.1.1.1", Some(true)),
            ("1.1.1.1/33", "1.1.1.1", None),
            ("1.1.1.1", "1.1.1.1", None),
            ("x/8", "1.1.1.1", None),
        ] {
            assert_eq!(contains(cidr, address.parse().unwrap()), wanted, "{cidr} {address}");
        }
    }

    #[test]
    fn a_pod_that_no_policy_selects_is_open() {
        let (a, b) = (End::pod("n", &[("app", "a")]), End::pod("n", &[("app", "b")]));
        assert!(reaches(&a, &b, Port::tcp(80), &[]));
        let closed =
            json!({ "metadata": { "namespace": "n" }, "spec": { "podSelector": { "matchLabels": { "app": "b" } } } });
        assert!(!reaches(&a, &b, Port::tcp(80), std::slice::from_ref(&closed)));
        assert!(reaches(&b, &a, Port::tcp(80), std::slice::from_ref(&closed)));
        let elsewhere = End::pod("m", &[("app", "b")]);
        assert!(reaches(&a, &elsewhere, Port::tcp(80), &[closed]));
    }

    #[test]
    fn ports_and_ranges_are_kept() {
        let policy = |ports: Value| {
            json!({
                "metadata": { "namespace": "n" },
                "spec": { "podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{ "ports": ports }] },
            })
        };
        let (a, b) = (End::pod("m", &[]), End::pod("n", &[]));
        for (ports, port, wanted) in [
            (json!([{ "port": 80 }]), Port::tcp(80), true),
            (json!([{ "port": 80 }]), Port::udp(80), false),
            (json!([{ "port": 80, "endPort": 90 }]), Port::tcp(85), true),
            (json!([{ "port": 80, "endPort": 90 }]), Port::tcp(91), false),
            (json!([{ "protocol": "UDP" }]), Port::udp(1), true),
            (json!([{ "port": "http" }]), Port::tcp(80), false),
            (json!([]), Port::tcp(1), true),
        ] {
            assert_eq!(reaches(&a, &b, port, &[policy(ports.clone())]), wanted, "{ports}");
        }
    }
}
