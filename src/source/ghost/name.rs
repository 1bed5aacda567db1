//! Names of contexts and agents as names of files.
//!
//! Two names never share a file: what is not plain is percent-encoded, `%`
//! among it. Names that no file system could hold end in a hash.

use std::fmt::Write as _;

use kgents_api::NAMESPACE_AGENTS;
use kgents_store::Key;

/// The longest name made here, in bytes; file systems allow 255.
const MAX_NAME: usize = 200;
/// What is left of a name that is too long, before its hash.
const KEPT: usize = 160;

/// The folder of a context below `contexts`. It never starts with a dot.
pub(super) fn context(name: &str) -> String {
    encode(name, |place, byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte) || (byte == b'.' && place > 0))
}

/// The file of an agent below `agents`.
pub(super) fn agent(key: &Key) -> String {
    stem(key) + ".json"
}

/// An agent as the name of a file, without its ending. Capitals are encoded,
/// for file systems that do not know them; the one dot parts namespace and name.
pub(crate) fn stem(key: &Key) -> String {
    let part = |text: &str| {
        encode(text, |place, byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || (byte == b'-' && place > 0))
    };
    let name = part(key.name());
    if key.namespace() == NAMESPACE_AGENTS {
        name
    } else {
        // Both may be long: together they stay below what file systems allow.
        capped(format!("{}.{name}", part(key.namespace())), &key.to_string())
    }
}

/// Whether a file below `agents` is named as [`agent`] names them.
pub(super) fn is_agent(file: &str) -> bool {
    file.strip_suffix(".json").is_some_and(|stem| {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-%.ABCDEF".contains(&byte);
        !stem.is_empty() && !stem.starts_with(['.', '-']) && stem.len() <= MAX_NAME && stem.bytes().all(plain)
    })
}

fn encode(text: &str, plain: impl Fn(usize, u8) -> bool) -> String {
    if text.is_empty() {
        // No encoding of anything is a lone percent sign.
        return "%".to_owned();
    }
    let mut name = String::with_capacity(text.len());
    for (place, byte) in text.bytes().enumerate() {
        if plain(place, byte) {
            name.push(char::from(byte));
        } else {
            // Writing into a string cannot fail.
            let _ = write!(name, "%{byte:02X}");
        }
    }
    capped(name, text)
}

fn capped(name: String, text: &str) -> String {
    if name.len() <= MAX_NAME {
        return name;
    }
    // `%-` is in no encoding, so no other name is like it.
    format!("{}%-{:016x}", name.get(..KEPT).unwrap_or_default(), hash(text.as_bytes()))
}

/// FNV-1a: the same in every build, as names on disk have to be.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn contexts_become_folders() {
        let arn = "arn:aws:eks:eu-central-1:123456789012:cluster/garden";
        for (name, expected) in [
            ("kind-garden_1.x", "kind-garden_1.x"),
            (arn, "arn%3Aaws%3Aeks%3Aeu-central-1%3A123456789012%3Acluster%2Fgarden"),
            ("..", "%2E."),
            (".hidden", "%2Ehidden"),
            ("50%", "50%25"),
            ("ünïcode", "%C3%BCn%C3%AFcode"),
            ("", "%"),
        ] {
            assert_eq!(context(name), expected);
        }
        let long = context(&"x/".repeat(2_000));
        assert!(long.len() <= MAX_NAME, "{}", long.len());
        assert_ne!(long, context(&"x/".repeat(2_001)));
        assert_eq!(long, context(&"x/".repeat(2_000)));
    }

    #[test]
    fn agents_become_files_and_no_two_share_one() {
        for ((namespace, name), expected) in [
            (("kgents-agents", "b-gent"), "b-gent.json"),
            (("team", "b-gent"), "team.b-gent.json"),
            (("kgents-agents", "team.b-gent"), "team%2Eb-gent.json"),
            (("kgents-agents", "_index"), "%5Findex.json"),
            (("kgents-agents", "B"), "%42.json"),
            (("kgents-agents", "../x"), "%2E%2E%2Fx.json"),
            (("kgents-agents", "-rf"), "%2Drf.json"),
            (("", "x"), "%.x.json"),
        ] {
            assert_eq!(agent(&Key::new(namespace, name)), expected);
            assert!(is_agent(expected), "{expected}");
        }
        let long = "n".repeat(253);
        let files: BTreeSet<String> =
            ["a", "b", &long].iter().flat_map(|ns| ["a", "b", &long].map(|name| agent(&Key::new(ns, name)))).collect();
        assert_eq!(files.len(), 9);
        assert!(files.iter().all(|file| file.len() < 230 && is_agent(file)), "{files:?}");
        for stranger in
            ["_index.json", ".x.json", "x.txt", "x.json.bak", "Notes.json", ".tmp-kgents-1", "a/b.json", ".json"]
        {
            assert!(!is_agent(stranger), "{stranger}");
        }
    }
}
