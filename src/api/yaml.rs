//! YAML as `kubectl` reads it.

use serde::Serialize;

/// Writes a value as YAML in which every string that YAML 1.1 could read as
/// something else (`N`, `Y`, `on`, `1_000`, `12:30`) is quoted: kubectl reads
/// YAML 1.1, where a bare `N` is `false`.
///
/// # Errors
/// When the value cannot be YAML (a map key that is no scalar).
pub fn to_string<T: Serialize>(value: &T) -> Result<String, String> {
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    let mut text = String::new();
    serde_saphyr::to_fmt_writer_with_options(&mut text, value, options).map_err(|error| error.to_string())?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    /// The plain scalars that YAML 1.1 resolves to something that is no string.
    const TRAPS: &[&str] = &[
        "N",
        "Y",
        "n",
        "y",
        "no",
        "No",
        "NO",
        "yes",
        "Yes",
        "YES",
        "on",
        "On",
        "ON",
        "off",
        "Off",
        "OFF",
        "true",
        "True",
        "false",
        "FALSE",
        "null",
        "Null",
        "~",
        "",
        "1",
        "1.0",
        "0x1f",
        "0o17",
        "017",
        "1_000",
        "12:30",
        "190:20:30",
        "1e3",
        ".inf",
        "-.INF",
        ".nan",
        "2026-01-02",
        "2026-01-02T03:04:05Z",
        "<<",
        "=",
        "- a",
        "a: b",
        "# no",
        "!tag",
        "&a",
        "*a",
        "@a",
        "`a",
        "%a",
        "{a",
        "[a",
        "a #b",
        " a",
        "a ",
        "\"a",
        "'a",
        "?",
        "-",
        ":",
    ];

    #[test]
    fn every_ambiguous_string_is_quoted() {
        for trap in TRAPS {
            let yaml = super::to_string(&serde_json::json!({ "key": trap })).unwrap();
            let value = yaml.trim_end().trim_start_matches("key:").trim();
            assert!(value.starts_with('"') || value.starts_with('\''), "{trap:?} stands bare in {yaml:?}");
            let back: serde_json::Value = serde_saphyr::from_str(&yaml).unwrap();
            assert_eq!(back["key"], *trap, "{yaml}");
        }
    }

    #[test]
    fn keys_are_quoted_as_values_are() {
        let yaml = super::to_string(&serde_json::json!({ "on": 1, "y": { "N": "x" } })).unwrap();
        for line in yaml.lines() {
            assert!(line.trim_start().starts_with(['"', '\'']), "{yaml}");
        }
    }
}
