//! The rights that the operator needs, from one table.

use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kgents_api::{GROUP, LABEL_NAME, LABEL_PART_OF, OPERATOR, PART_OF};
use serde_json::Value;

/// Where a right holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Wherever the operator looks after agents: all namespaces, or one.
    Agents,
    /// Where its Lease stands.
    Lease,
}

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Right {
    /// The API group; empty for the core group.
    pub group: &'static str,
    /// The resource, with its subresource if it is one.
    pub resource: &'static str,
    /// The verbs.
    pub verbs: &'static [&'static str],
    /// Only objects of this name; empty for all.
    pub name: &'static str,
    /// Where.
    pub scope: Scope,
    /// What for.
    pub why: &'static str,
}

const fn right(
    group: &'static str,
    resource: &'static str,
    verbs: &'static [&'static str],
    why: &'static str,
) -> Right {
    Right { group, resource, verbs, name: "", scope: Scope::Agents, why }
}

/// An apply that makes an object asks the API server for `create` beside
/// `patch`.
const CHILD: &[&str] = &["get", "list", "watch", "create", "patch"];
const CHILD_WHY: &str = "what every agent is made of: watched and applied; one that stands in the way of a create is \
                         looked at; it goes with its owner";
/// The same of what an agent may have and then have no more.
const OPTIONAL: &[&str] = &["get", "list", "watch", "create", "patch", "delete"];
const OPTIONAL_WHY: &str = "what some agents are made of: also deleted when it is not wanted any more";
const OWNS: &str = "an owner that blocks its deletion until its children are gone asks for the right to its finalizers \
                    (OwnerReferencesPermissionEnforcement)";

static TABLE: &[Right] = &[
    right(GROUP, "agents", &["list", "watch"], "what is looked after"),
    right(GROUP, "agents/status", &["patch"], "phase, replicas and conditions"),
    right(GROUP, "agents/finalizers", &["update"], OWNS),
    right(GROUP, "memories", OPTIONAL, OPTIONAL_WHY),
    right(GROUP, "memories/status", &["patch"], "phase and conditions"),
    right(GROUP, "umwelts", OPTIONAL, OPTIONAL_WHY),
    right(GROUP, "umwelts/status", &["patch"], "phase and conditions"),
    right(GROUP, "pheromones", &["list", "watch", "delete"], "one delete when it has faded"),
    right("", "serviceaccounts", CHILD, CHILD_WHY),
    right("", "configmaps", CHILD, CHILD_WHY),
    right("", "services", CHILD, CHILD_WHY),
    right("", "persistentvolumeclaims", OPTIONAL, OPTIONAL_WHY),
    right("apps", "deployments", CHILD, CHILD_WHY),
    right("networking.k8s.io", "networkpolicies", CHILD, CHILD_WHY),
    right("policy", "poddisruptionbudgets", OPTIONAL, OPTIONAL_WHY),
    right("", "pods", &["list", "watch"], "why an agent is not ready"),
    right("", "pods", &["delete"], "CHAOS pheromones, only with --allow-chaos"),
    right("events.k8s.io", "events", &["create", "patch"], "what was done and why, on the object; a series is a patch"),
    Right {
        group: "coordination.k8s.io",
        resource: "leases",
        verbs: &["get", "list", "watch", "update"],
        name: OPERATOR,
        scope: Scope::Lease,
        why: "one replica writes; the others watch for their turn",
    },
    Right {
        group: "coordination.k8s.io",
        resource: "leases",
        // What is made has no name yet when RBAC looks.
        verbs: &["create"],
        name: "",
        scope: Scope::Lease,
        why: "the first replica makes the Lease",
    },
];

impl Right {
    /// Why an audit log need not show this verb although it is needed; `None`
    /// where it does.
    pub fn unseen(&self, verb: &str) -> Option<&'static str> {
        match verb {
            "create" if self.verbs.contains(&"patch") && self.resource != "events" => {
                Some("an apply that makes an object is logged as a patch")
            }
            "update" if self.resource.ends_with("/finalizers") => Some(OWNS),
            "get" if self.verbs.contains(&"patch") => Some("only one that stands in the way of a create is looked at"),
            "get" | "list" if self.resource == "leases" => Some("a watch that broke is begun anew with it"),
            _ => None,
        }
    }
}

/// Every right that the operator needs, and none that it does not.
pub fn table() -> &'static [Right] {
    TABLE
}

/// The objects that give these rights to a ServiceAccount `kgents-operator` in
/// `home`, where its Lease stands too: for all namespaces, or for `only` one.
///
/// # Errors
/// When an object cannot be written as JSON, which none of these ever is.
pub fn manifests(home: &str, only: Option<&str>) -> Result<Vec<Value>, serde_json::Error> {
    let account = ServiceAccount { metadata: metadata(OPERATOR, Some(home)), ..ServiceAccount::default() };
    let lease = format!("{OPERATOR}-lease");
    let mut all = vec![value(&account)?];
    match only {
        None => {
            let role = ClusterRole {
                metadata: metadata(OPERATOR, None),
                rules: Some(rules(Scope::Agents)),
                ..ClusterRole::default()
            };
            let binding = ClusterRoleBinding {
                metadata: metadata(OPERATOR, None),
                role_ref: refers("ClusterRole", OPERATOR),
                subjects: Some(vec![subject(home)]),
            };
            all.extend([value(&role)?, value(&binding)?]);
        }
        Some(namespace) => all.extend(within(OPERATOR, namespace, home, Scope::Agents)?),
    }
    all.extend(within(&lease, home, home, Scope::Lease)?);
    Ok(all)
}

/// A Role and its binding.
fn within(name: &str, namespace: &str, home: &str, scope: Scope) -> Result<[Value; 2], serde_json::Error> {
    let role = Role { metadata: metadata(name, Some(namespace)), rules: Some(rules(scope)) };
    let binding = RoleBinding {
        metadata: metadata(name, Some(namespace)),
        role_ref: refers("Role", name),
        subjects: Some(vec![subject(home)]),
    };
    Ok([value(&role)?, value(&binding)?])
}

fn metadata(name: &str, namespace: Option<&str>) -> ObjectMeta {
    let labels = [(LABEL_NAME, OPERATOR), (LABEL_PART_OF, PART_OF)];
    ObjectMeta {
        name: Some(name.to_owned()),
        namespace: namespace.map(str::to_owned),
        labels: Some(labels.map(|(key, value)| (key.to_owned(), value.to_owned())).into()),
        ..ObjectMeta::default()
    }
}

fn refers(kind: &str, name: &str) -> RoleRef {
    RoleRef { api_group: Some("rbac.authorization.k8s.io".to_owned()), kind: kind.to_owned(), name: name.to_owned() }
}

fn subject(home: &str) -> Subject {
    Subject {
        kind: "ServiceAccount".to_owned(),
        name: OPERATOR.to_owned(),
        namespace: Some(home.to_owned()),
        ..Subject::default()
    }
}

/// The rows of a scope; what differs in the resource alone is one rule.
fn rules(scope: Scope) -> Vec<PolicyRule> {
    let mut rules: Vec<PolicyRule> = Vec::new();
    for Right { group, resource, verbs, name, why: _, .. } in TABLE.iter().filter(|right| right.scope == scope) {
        let names = (!name.is_empty()).then(|| vec![(*name).to_owned()]);
        let groups = Some(vec![(*group).to_owned()]);
        let same = |rule: &&mut PolicyRule| {
            rule.api_groups == groups && rule.resource_names == names && rule.verbs.iter().eq(verbs.iter())
        };
        match rules.iter_mut().find(same) {
            Some(rule) => rule.resources.get_or_insert_default().push((*resource).to_owned()),
            None => rules.push(PolicyRule {
                api_groups: groups,
                resource_names: names,
                resources: Some(vec![(*resource).to_owned()]),
                verbs: verbs.iter().map(|verb| (*verb).to_owned()).collect(),
                ..PolicyRule::default()
            }),
        }
    }
    rules
}

fn value<T: serde::Serialize>(object: &T) -> Result<Value, serde_json::Error> {
    serde_json::to_value(object)
}

#[cfg(test)]
mod tests;
