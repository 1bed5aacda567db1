//! What several kinds share: closed word lists, amounts, urgency.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

/// Declares an enum whose values are fixed words: serde, `Display`,
/// `FromStr`, the list of all values and a flat `enum` schema from one table.
///
/// The schema is written by hand because a derived one turns documented
/// variants into `oneOf`, which `kubectl explain` cannot list.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[allow(missing_docs)]
        pub enum $name { $($(#[$vmeta])* #[serde(rename = $word)] $variant),+ }

        impl $name {
            /// Every value, in the order of its declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word that stands in YAML and JSON.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            /// Case does not matter; the error lists the words that exist.
            fn from_str(text: &str) -> Result<Self, String> {
                Self::ALL
                    .iter()
                    .copied()
                    .find(|value| value.as_str().eq_ignore_ascii_case(text))
                    .ok_or_else(|| {
                        let words: Vec<_> = Self::ALL.iter().map(|value| value.as_str()).collect();
                        format!("'{text}' is none of {}", words.join(", "))
                    })
            }
        }

        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool { true }
            fn schema_name() -> std::borrow::Cow<'static, str> { stringify!($name).into() }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "enum": [$($word),+] })
            }
        }
    };
}
pub(crate) use words;

words! {
    /// What sort of worker an agent is. It never names an object.
    Genus {
        A = "A", B = "B", C = "C", D = "D", E = "E", F = "F", G = "G", H = "H", I = "I",
        J = "J", K = "K", L = "L", M = "M", N = "N", O = "O", P = "P", Q = "Q", R = "R",
        S = "S", T = "T", U = "U", V = "V", W = "W", X = "X", Y = "Y", Z = "Z",
        Psi = "Psi", Omega = "Omega",
    }
}

impl Genus {
    /// What the genus does, in a word or two; `None` where the letter is free.
    pub const fn role(self) -> Option<&'static str> {
        Some(match self {
            Self::B => "banker",
            Self::D => "data",
            Self::F => "forge",
            Self::I => "interface",
            Self::K => "persona",
            Self::L => "librarian",
            Self::N => "narrator",
            Self::O => "observer",
            Self::Q => "quartermaster",
            Self::T => "tester",
            Self::Psi => "metaphor",
            Self::Omega => "orchestrator",
            _ => return None,
        })
    }
}

words! {
    /// How much something presses.
    Urgency { Low = "LOW", Medium = "MEDIUM", High = "HIGH", Critical = "CRITICAL" }
}

/// A Kubernetes quantity (`100m`, `256Mi`, `2`) as it was written.
///
/// Reads strings and bare numbers, because the API server keeps `cpu: 1` a
/// number; it is always written as a string.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Amount(pub String);

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<&str> for Amount {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Text(String),
            Number(serde_json::Number),
        }
        Written::deserialize(deserializer).map(|written| match written {
            Written::Text(text) => Self(text),
            Written::Number(number) => Self(number.to_string()),
        })
    }
}

impl JsonSchema for Amount {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Amount".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "x-kubernetes-int-or-string": true,
            "anyOf": [{ "type": "integer" }, { "type": "string" }],
            "pattern": r"^([0-9]+(\.[0-9]*)?|\.[0-9]+)(([KMGTPE]i)|[numkMGTPE]|([eE][+-]?[0-9]+))?$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_round_trip_and_errors_list_them() {
        for genus in Genus::ALL {
            assert_eq!(genus.as_str().parse::<Genus>(), Ok(*genus));
        }
        assert_eq!("psi".parse::<Genus>(), Ok(Genus::Psi));
        assert!("NaN".parse::<Urgency>().unwrap_err().contains("LOW, MEDIUM"));
    }

    #[test]
    fn an_amount_reads_numbers_and_text() {
        let read = |json: &str| serde_json::from_str::<Amount>(json).map(|amount| amount.0);
        assert_eq!(read("1").unwrap(), "1");
        assert_eq!(read("0.5").unwrap(), "0.5");
        assert_eq!(read(r#""256Mi""#).unwrap(), "256Mi");
        assert!(read("true").is_err());
    }
}
