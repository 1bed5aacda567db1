//! Whether we run in a pod, and where.

use std::path::Path;

/// Where the kubelet puts what a pod may know of itself.
const NAMESPACE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

/// Whether this process runs in a pod.
pub(crate) fn is_here() -> bool {
    is_in(std::env::var_os("KUBERNETES_SERVICE_HOST").is_some(), Path::new(NAMESPACE))
}

/// The namespace of the pod that we run in.
pub(crate) fn namespace() -> Option<String> {
    is_here().then(|| read(Path::new(NAMESPACE))).flatten()
}

/// The address of the pod that we run in, if its template tells it.
pub(crate) fn address() -> Option<std::net::IpAddr> {
    std::env::var("POD_IP").ok()?.parse().ok()
}

fn is_in(names_server: bool, file: &Path) -> bool {
    names_server && file.exists()
}

fn read(file: &Path) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    Some(text.trim().to_owned()).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_is_told_by_both_signs() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("namespace");
        assert!(!is_in(true, &file));
        std::fs::write(&file, " garden\n").unwrap();
        assert!(is_in(true, &file) && !is_in(false, &file));
        assert_eq!(read(&file).as_deref(), Some("garden"));
        std::fs::write(&file, "\n").unwrap();
        assert_eq!(read(&file), None);
    }
}
