//! Bodies of children, made without a second copy of any part: `json!` writes
//! each value that it is given anew, and a Deployment is eight of them deep.

/// A JSON object into which its values are moved: `object! { "name": name }`.
/// A value is anything that a [`serde_json::Value`] is made from, a key
/// anything that a `String` is.
macro_rules! object {
    ($($key:tt : $value:expr),* $(,)?) => {{
        let mut fields = ::serde_json::Map::new();
        $( fields.insert(::std::string::String::from($key), ::serde_json::Value::from($value)); )*
        ::serde_json::Value::Object(fields)
    }};
}
