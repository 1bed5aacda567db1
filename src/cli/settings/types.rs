//! The types of values that are written as text.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use kgents_source::grpc;
use kgents_store::Layer;
use kgents_tui::action::TABLE;
use serde_json::{Map, Value, json};

use crate::value;

/// A layer of the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LayerName {
    /// gRPC to the Cortex.
    Grpc,
    /// The Ghost, the last known state on disk.
    Ghost,
    /// The Kubernetes API.
    Kube,
}

impl LayerName {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Grpc, Self::Ghost, Self::Kube];

    /// How it is written.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Grpc => "grpc",
            Self::Ghost => "ghost",
            Self::Kube => "kube",
        }
    }

    /// The layer of that name.
    pub(crate) const fn layer(self) -> Layer {
        match self {
            Self::Grpc => Layer::Grpc,
            Self::Ghost => Layer::Ghost,
            Self::Kube => Layer::Kube,
        }
    }
}

impl FromStr for LayerName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|layer| layer.as_str() == text);
        found.ok_or_else(|| "expected grpc, ghost or kube".to_owned())
    }
}

/// Which keys the window begins with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum KeymapName {
    /// Those of vi and less.
    #[default]
    Default,
    /// Those of k9s, where the two differ.
    K9s,
}

impl KeymapName {
    /// How it is written.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::K9s => "k9s",
        }
    }
}

/// Keys by the names of actions. Whether there are such actions and keys, the
/// keymap tells: a window opens whatever is wrong with them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(transparent)]
pub(crate) struct Chords(pub(crate) BTreeMap<String, Vec<String>>);

impl JsonSchema for Chords {
    fn schema_name() -> Cow<'static, str> {
        "Keys".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let property = |row: &kgents_tui::action::Row| {
            let mut said = row.said().to_owned();
            if let Some(first) = said.get_mut(..1) {
                first.make_ascii_uppercase();
            }
            let schema =
                json!({ "description": said + ".", "type": ["string", "array"], "items": { "type": "string" } });
            (row.name.to_owned(), schema)
        };
        let properties: Map<String, Value> = TABLE.iter().map(property).collect();
        json_schema!({ "type": "object", "properties": properties, "additionalProperties": false })
    }
}

/// How long something may take, longer than nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Limit(pub(crate) Duration);

impl Default for Limit {
    fn default() -> Self {
        Self(kgents_source::options::REQUEST_TIMEOUT)
    }
}

impl TryFrom<String> for Limit {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        value::duration(&text).map(Self)
    }
}

impl From<Limit> for String {
    fn from(Limit(duration): Limit) -> Self {
        match duration.subsec_nanos() {
            0 => format!("{}s", duration.as_secs()),
            _ => format!("{}ms", duration.as_secs_f64() * 1_000.0),
        }
    }
}

/// A filter of what is logged.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Filter(pub(crate) String);

impl TryFrom<String> for Filter {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        crate::log::filter(&text).map(Self)
    }
}

impl From<Filter> for String {
    fn from(filter: Filter) -> Self {
        filter.0
    }
}

/// A secret. It is written down as `(set)` wherever it is printed.
#[derive(Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Token(String);

impl Token {
    /// The secret itself, for the one who sends it.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Token {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        // It is sent in a header, which takes nothing else.
        if text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text))
        } else {
            Err("a token has no spaces, line feeds or other characters than visible ASCII".to_owned())
        }
    }
}

impl From<Token> for String {
    fn from(_: Token) -> Self {
        "(set)".to_owned()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token((set))")
    }
}

/// Where metrics and health are served; `None` is nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct MetricsAddr(pub(crate) Option<SocketAddr>);

impl FromStr for MetricsAddr {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self(None));
        }
        value::address(text, "127.0.0.1:8383, or as none").map(Some).map(Self)
    }
}

impl TryFrom<String> for MetricsAddr {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<MetricsAddr> for String {
    fn from(MetricsAddr(address): MetricsAddr) -> Self {
        address.map_or_else(|| "none".to_owned(), |address| address.to_string())
    }
}

/// How many workers there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub(crate) struct Workers(#[schemars(range(min = 1, max = 1024))] pub(crate) u16);

impl Default for Workers {
    fn default() -> Self {
        Self(16)
    }
}

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Address(pub(crate) grpc::Address);

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(Self)
    }
}

impl TryFrom<String> for Address {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.0.to_string()
    }
}
