//! Schemas that a derive cannot say.

use schemars::{Schema, SchemaGenerator, json_schema};

/// Any JSON at all, kept as it was sent.
pub(crate) fn any(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "x-kubernetes-preserve-unknown-fields": true })
}

/// An object whose fields are nobody's business but the writer's.
pub(crate) fn open_object(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true })
}

/// Standard conditions, one per `type`, so that several writers can apply
/// theirs without undoing another's.
pub(crate) fn conditions(generator: &mut SchemaGenerator) -> Schema {
    list_map::<k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition>(generator, "type")
}

/// A list in which `key` is unique and each item can be owned by another writer.
pub(crate) fn list_map<T: schemars::JsonSchema>(generator: &mut SchemaGenerator, key: &str) -> Schema {
    let items = generator.subschema_for::<T>();
    json_schema!({
        "type": "array",
        "items": items,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": [key],
    })
}
