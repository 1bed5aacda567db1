//! Bodies of children, made without a second copy of any part: `json!` writes
//! each value that it is given anew, and a Deployment is eight of them deep.

/// A JSON object of fields whose values are moved into it: anything that
/// [`serde_json::Value`] is made from. The keys are anything that `String` is.
macro_rules! object {
    ($($key:tt : $value:expr),* $(,)?) => {{
        let mut fields = ::serde_json::Map::new();
        $( fields.insert(::std::string::String::from($key), ::serde_json::Value::from($value)); )*
        ::serde_json::Value::Object(fields)
    }};
}
