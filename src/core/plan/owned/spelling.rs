//! The one spelling of a value, as JSON text: what is equal is equal bytes.
//!
//! Keys and keyed lists are in order, amounts and numbers by value, and what
//! the API server's types omit is omitted. Written in one pass, for each plan
//! compares every child in it.

use std::borrow::Cow;
use std::fmt::Write;

use serde_json::{Map, Value};

use crate::quantity::Quantity;

/// An apply body, without what identifies the object: managedFields do not
/// hold that.
pub(in crate::plan) fn wanted(body: &Value) -> String {
    spell(body, Within::Object)
}

/// Any other value.
pub(in crate::plan) fn canonical(value: &Value) -> String {
    spell(value, Within::Else)
}

fn spell(value: &Value, within: Within) -> String {
    const TYPICAL: usize = 1 << 10;
    let mut out = String::with_capacity(TYPICAL);
    write(value, within, &mut out);
    out
}

/// Where a value stands, as far as its spelling depends on it.
#[derive(Clone, Copy, PartialEq)]
enum Within {
    /// The whole object, and its metadata.
    Object,
    Metadata,
    /// Amounts by name, and one of them.
    Amounts,
    Amount,
    /// Names and texts that people choose: nothing in it is an amount.
    Texts,
    Else,
}

impl Within {
    /// Where the field of this name stands; `None` when it is left out.
    fn field(self, name: &str) -> Option<Self> {
        let is_text = self == Self::Texts
            || (self != Self::Amounts
                && matches!(name, "data" | "labels" | "annotations" | "matchLabels" | "nodeSelector"));
        Some(match (self, name) {
            (Self::Object, "apiVersion" | "kind") | (Self::Metadata, "name" | "namespace") => return None,
            (Self::Object, "metadata") => Self::Metadata,
            _ if is_text => Self::Texts,
            (Self::Amounts, _) | (_, "sizeLimit") => Self::Amount,
            (_, "limits" | "requests") => Self::Amounts,
            _ => Self::Else,
        })
    }
}

fn write(value: &Value, within: Within, out: &mut String) {
    match value {
        Value::Object(map) => object(map, within, out),
        Value::Array(items) => list(items, within, out),
        Value::String(text) if within == Within::Amount => match Quantity::parse(text) {
            Some(amount) => quoted(&amount.to_string(), out),
            None => quoted(text, out),
        },
        Value::String(text) => quoted(text, out),
        Value::Number(number) if within == Within::Amount => {
            let text = number.to_string();
            quoted(&Quantity::parse(&text).map_or(text, |amount| amount.to_string()), out);
        }
        Value::Number(number) => {
            const EXACT: f64 = 9_007_199_254_740_992.0;
            // Writing to a text cannot fail.
            let _ =
                match number.as_f64().filter(|figure| number.is_f64() && figure.fract() == 0.0 && figure.abs() < EXACT)
                {
                    Some(whole) => write!(out, "{}", whole as i64),
                    None => write!(out, "{number}"),
                };
        }
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Null => out.push_str("null"),
    }
}

fn object(map: &Map<String, Value>, within: Within, out: &mut String) {
    let is_named = map.contains_key("name") && within != Within::Texts;
    // Go's types omit these when they are empty: applied, they are not there.
    let is_omitted = |name: &str, value: &Value, inner: Within| match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty() && matches!(inner, Within::Texts | Within::Amounts),
        Value::String(text) => is_named && name == "value" && text.is_empty(),
        Value::Bool(flag) => is_named && name == "readOnly" && !flag,
        Value::Number(_) => false,
    };
    let mut is_first = true;
    let mut field = |name: &String, value: &Value| {
        let Some(inner) = within.field(name).filter(|inner| !is_omitted(name, value, *inner)) else { return };
        out.push(if is_first { '{' } else { ',' });
        is_first = false;
        quoted(name, out);
        out.push(':');
        write(value, inner, out);
    };
    if map.keys().is_sorted() {
        for (name, value) in map {
            field(name, value);
        }
    } else {
        let mut fields: Vec<(&String, &Value)> = map.iter().collect();
        fields.sort_by_key(|(name, _)| *name);
        for (name, value) in fields {
            field(name, value);
        }
    }
    out.push_str(if is_first { "{}" } else { "}" });
}

fn list(items: &[Value], within: Within, out: &mut String) {
    let mut keyed: Vec<(Option<Key<'_>>, &Value)> = items.iter().map(|item| (Key::of(item), item)).collect();
    if keyed.iter().all(|(key, _)| key.is_some()) {
        keyed.sort_by(|(one, _), (other, _)| one.cmp(other));
    }
    out.push('[');
    for (place, (_, item)) in keyed.into_iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        write(item, within, out);
    }
    out.push(']');
}

fn quoted(text: &str, out: &mut String) {
    if text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        let _ = write!(out, "{}", Value::from(text));
    }
}

/// What an element of a keyed list is found by.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key<'a> {
    Port(Cow<'a, str>, Cow<'a, str>),
    Word(Cow<'a, str>),
}

impl<'a> Key<'a> {
    pub(super) fn of(item: &'a Value) -> Option<Self> {
        let item = item.as_object()?;
        let text = |name: &str| {
            item.get(name).map(|value| value.as_str().map_or_else(|| value.to_string().into(), Cow::Borrowed))
        };
        if let Some(port) = text("containerPort").or_else(|| text("port")) {
            return Some(Self::Port(port, text("protocol").unwrap_or_default()));
        }
        text("mountPath").or_else(|| text("uid")).or_else(|| text("name")).or_else(|| text("type")).map(Self::Word)
    }
}

impl std::fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Port(port, protocol) => write!(f, "{port}/{protocol}"),
            Self::Word(word) => f.write_str(word),
        }
    }
}
