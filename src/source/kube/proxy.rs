//! When the proxy of the environment does not count.
//!
//! kube compares `NO_PROXY` with the proxy's own address, and takes
//! `HTTPS_PROXY` for a server on this machine too. kubectl compares it with
//! the server, and leaves out this machine: so do we.

use std::net::IpAddr;

use http::Uri;

/// Whether the server is reached without the proxy that the environment names.
pub(crate) fn is_bypassed(server: &Uri) -> bool {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let no_proxy = variable("NO_PROXY").or_else(|| variable("no_proxy")).unwrap_or_default();
    bypasses(server, &no_proxy)
}

fn bypasses(server: &Uri, no_proxy: &str) -> bool {
    // HTTPS_PROXY is for https.
    if server.scheme_str() != Some("https") {
        return true;
    }
    let host = server.host().unwrap_or_default().trim_matches(['[', ']']).to_ascii_lowercase();
    let port = server.port_u16().unwrap_or(443);
    let address: Option<IpAddr> = host.parse().ok();
    if host == "localhost" || address.is_some_and(|address| address.is_loopback()) {
        return true;
    }
    no_proxy.split(',').map(str::trim).any(|entry| covers(&entry.to_ascii_lowercase(), &host, address, port))
}

fn covers(entry: &str, host: &str, address: Option<IpAddr>, port: u16) -> bool {
    if entry == "*" {
        return true;
    }
    if let Some((network, bits)) = entry.split_once('/') {
        return address.is_some_and(|address| holds(network, bits, address).unwrap_or(false));
    }
    // A port says which of a host's; an address of version 6 has colons of its own.
    let (entry, wanted) = match entry.rsplit_once(':') {
        Some((name, digits)) if !name.contains(':') || name.ends_with(']') => (name, digits.parse().ok()),
        _ => (entry, None),
    };
    let entry = entry.trim_matches(['[', ']']);
    if wanted.is_some_and(|wanted: u16| wanted != port) || entry.is_empty() {
        return false;
    }
    if let (Some(address), Ok(entry)) = (address, entry.parse::<IpAddr>()) {
        return address == entry;
    }
    let domain = entry.strip_prefix("*.").or_else(|| entry.strip_prefix('.')).unwrap_or(entry);
    let below = host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
    below || (host == domain && domain == entry)
}

/// Whether a network in CIDR notation holds an address.
fn holds(network: &str, bits: &str, address: IpAddr) -> Option<bool> {
    let (network, bits): (IpAddr, u32) = (network.parse().ok()?, bits.parse().ok()?);
    Some(match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            let shift = 32_u32.checked_sub(bits)?;
            network.to_bits().checked_shr(shift).unwrap_or(0) == address.to_bits().checked_shr(shift).unwrap_or(0)
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            let shift = 128_u32.checked_sub(bits)?;
            network.to_bits().checked_shr(shift).unwrap_or(0) == address.to_bits().checked_shr(shift).unwrap_or(0)
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_is_compared_and_this_machine_is_left_out() {
        let cases = [
            ("https://127.0.0.1:6443", "", true),
            ("https://[::1]:6443", "", true),
            ("https://localhost", "", true),
            ("http://10.1.2.3", "", true),
            ("https://10.1.2.3", "", false),
            ("https://10.1.2.3", "*", true),
            ("https://10.1.2.3", "a, 10.0.0.0/8", true),
            ("https://11.1.2.3", "10.0.0.0/8", false),
            ("https://11.1.2.3", "0.0.0.0/0", true),
            ("https://10.1.2.3", "10.1.2.3", true),
            ("https://10.1.2.3:6443", "10.1.2.3:6443", true),
            ("https://10.1.2.3", "10.1.2.3:6443", false),
            ("https://[fd00::1]:6443", "fd00::/8", true),
            ("https://[fd00::1]:6443", "fd00::1", true),
            ("https://[fd00::1]:6443", "[fd00::1]:6443", true),
            ("https://api.Example.com", "example.com", true),
            ("https://example.com", "example.com", true),
            ("https://example.com", ".example.com", false),
            ("https://api.example.com", ".example.com", true),
            ("https://api.example.com", "*.example.com", true),
            ("https://badexample.com", "example.com", false),
            ("https://example.com", ",,", false),
            ("https://example.com", "10.0.0.0/99,x/y,/", false),
        ];
        for (server, no_proxy, expected) in cases {
            assert_eq!(bypasses(&server.parse().unwrap(), no_proxy), expected, "{server} {no_proxy}");
        }
    }
}
