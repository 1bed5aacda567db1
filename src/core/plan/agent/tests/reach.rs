//! Who reaches whom, by the policies that are rendered.

use super::*;
use network::{End, Port, reaches};

const NAMESPACE: &str = "kgents-agents";

/// The policy of an agent of this name and genus.
fn policy(name: &str, genus: &str, peers: &[&str], egress: bool) -> Value {
    let agent = agent(&json!({
        "metadata": { "name": name },
        "spec": { "genus": genus, "networkPolicy": { "allowedPeers": peers, "allowEgress": egress } },
    }));
    body(&World::new(agent).plan(), Resource::NetworkPolicy)
}

fn pod_of(name: &str, genus: &str) -> End {
    End::pod(NAMESPACE, &[("kgents.io/agent", name), ("kgents.io/genus", genus)])
}

fn address(text: &str) -> End {
    End::Address(text.parse().unwrap())
}

const HTTP: Port = Port::tcp(8080);

#[test]
fn both_sides_must_name_each_other() {
    let (b, d) = (pod_of("b-gent", "B"), pod_of("d-gent", "D"));
    for (names_d, names_b, wanted) in [
        (&["d-gent"][..], &["b-gent"][..], true),
        (&["genus:D"], &["genus:B"], true),
        (&["genus:D"], &["b-gent"], true),
        (&["d-gent"], &[], false),
        (&[], &["b-gent"], false),
        (&["genus:D"], &["genus:C"], false),
        (&[], &[], false),
    ] {
        let policies = [policy("b-gent", "B", names_d, false), policy("d-gent", "D", names_b, false)];
        for (from, to) in [(&b, &d), (&d, &b)] {
            assert_eq!(reaches(from, to, HTTP, &policies), wanted, "{names_d:?} {names_b:?}");
            assert_eq!(reaches(from, to, Port::tcp(50052), &policies), wanted);
            assert!(!reaches(from, to, Port::tcp(8081), &policies), "the state is the pod's own");
        }
    }
}

#[test]
fn a_peer_is_an_agent_of_the_same_namespace() {
    let policies = [policy("b-gent", "B", &["d-gent"], false)];
    let other = End::pod("elsewhere", &[("kgents.io/agent", "d-gent")]);
    assert!(!reaches(&other, &pod_of("b-gent", "B"), HTTP, &policies));
    assert!(!reaches(&pod_of("b-gent", "B"), &other, HTTP, &policies));
}

#[test]
fn names_and_cortex_are_always_reached_and_gateway_and_operator_always_let_in() {
    for peers in [&[][..], &["d-gent"]] {
        let policies = [policy("b-gent", "B", peers, false)];
        let b = pod_of("b-gent", "B");
        let dns = End::pod("kube-system", &[("k8s-app", "kube-dns")]);
        for port in [Port::udp(53), Port::tcp(53)] {
            assert!(reaches(&b, &dns, port, &policies));
            assert!(reaches(&b, &address("169.254.20.10"), port, &policies));
        }
        assert!(!reaches(&b, &dns, Port::tcp(443), &policies));
        assert!(!reaches(&b, &address("169.254.169.254"), Port::tcp(80), &policies));
        let system = End::pod("kgents-system", &[]);
        assert!(reaches(&b, &system, Port::tcp(50051), &policies));
        assert!(!reaches(&b, &system, Port::tcp(443), &policies));
        assert!(reaches(&system, &b, HTTP, &policies));
        assert!(!reaches(&system, &b, Port::tcp(8081), &policies));
    }
}

#[test]
fn nobody_else_is_reached_or_let_in() {
    let policies = [policy("b-gent", "B", &["d-gent", "genus:F"], false)];
    let b = pod_of("b-gent", "B");
    for other in [
        End::pod("default", &[]),
        End::pod(NAMESPACE, &[]),
        pod_of("x-gent", "X"),
        address("8.8.8.8"),
        address("10.96.0.1"),
        address("2606:4700::1111"),
    ] {
        assert!(!reaches(&b, &other, HTTP, &policies), "{other:?}");
        assert!(!reaches(&other, &b, HTTP, &policies), "{other:?}");
    }
}

#[test]
fn egress_is_to_public_addresses_only() {
    let policies = [policy("b-gent", "B", &[], true)];
    let b = pod_of("b-gent", "B");
    for public in ["8.8.8.8", "1.1.1.1", "172.15.0.1", "172.32.0.1", "100.63.0.1", "2606:4700::1111", "2a00::1"] {
        assert!(reaches(&b, &address(public), Port::tcp(443), &policies), "{public}");
        assert!(!reaches(&address(public), &b, HTTP, &policies), "nothing comes in: {public}");
    }
    for not in [
        "10.96.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "127.0.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "fe80::1",
        "fd00:ec2::254",
        "ff02::1",
        "64:ff9b::a00:1",
        "64:ff9b:1::a00:1",
        "2002:a00:1::1",
    ] {
        assert!(!reaches(&b, &address(not), Port::tcp(443), &policies), "{not}");
    }
    // A pod is no public address, even if it has one by mistake of a rule about addresses.
    assert!(!reaches(&b, &End::pod("default", &[]), Port::tcp(443), &policies));
}

#[test]
fn cortex_is_reached_where_its_url_says() {
    for (url, port) in [
        ("http://cortex.kgents-system:50051", 50051),
        ("https://cortex.kgents-system", 443),
        ("http://cortex/x", 80),
        ("https://[fd00::1]:7", 7),
    ] {
        let config = Config { cortex_url: url.to_owned(), ..Config::default() };
        let agent = with(&json!({}));
        let plan = plan(Subject::Agent(&agent), &Observed::default(), noon(), &config);
        let policies = [body(&plan, Resource::NetworkPolicy)];
        let system = End::pod("kgents-system", &[]);
        assert!(reaches(&pod_of("b-gent", "B"), &system, Port::tcp(port), &policies), "{url}");
        assert!(!reaches(&pod_of("b-gent", "B"), &system, Port::tcp(port + 1), &policies), "{url}");
    }
}
