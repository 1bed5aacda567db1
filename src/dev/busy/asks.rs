//! What is asked for during the busy day.

use kgents_api::proposal::ChangeType;
use kgents_store::Kind;
use serde_json::{Value, json};

use crate::petition::Ask;
use crate::stage::Stage;

/// Makes the proposal of this name.
pub(super) fn propose(stage: &mut Stage, namespace: &str, name: &str) {
    if let Some(ask) = ask(name) {
        ask.put(stage, namespace);
    }
}

fn merge(spec: &Value) -> Value {
    json!({ "type": "merge", "content": { "spec": spec } })
}

fn apply(kind: Kind, name: &str, spec: &Value) -> Value {
    let content = json!({
        "apiVersion": kgents_api::API_VERSION, "kind": kind.as_str(), "metadata": { "name": name }, "spec": spec,
    });
    json!({ "type": "apply", "content": content })
}

fn ask(name: &str) -> Option<Ask<'static>> {
    let plain = |name, change, target, patch, proposer, reason| Ask {
        name,
        change,
        target: (Kind::Agent, target),
        patch,
        proposer,
        reason,
        more: json!({}),
    };
    Some(match name {
        "t-gent-rules" => Ask {
            target: (Kind::Umwelt, "t-gent-umwelt"),
            more: json!({ "evidence": { "denied": 14, "of": 60 } }),
            ..plain(
                "t-gent-rules",
                ChangeType::PolicyUpdate,
                "",
                merge(&json!({ "affordances": ["self.**", "world.cluster.**", "void.pheromone.*"] })),
                "t-gent",
                "I cannot probe what I may not see: 14 probes of yesterday were denied.",
            )
        },
        "l-gent-recall" => Ask {
            more: json!({ "urgency": "LOW", "evidence": { "recall": { "before": 0.81, "after": 0.88 } } }),
            ..plain(
                "l-gent-recall",
                ChangeType::ConfigUpdate,
                "l-gent",
                merge(&json!({ "config": { "RECALL_TOP_K": "12" } })),
                "l-gent",
                "Twelve neighbours find what eight miss, at the same latency.",
            )
        },
        "ledger-migrate" => Ask {
            target: (Kind::Memory, "d-gent-memory"),
            more: json!({
                "urgency": "HIGH",
                "evidence": { "snapshot": "before-migration", "rehearsed": 2, "downtime": "40 s" },
            }),
            ..plain(
                "ledger-migrate",
                ChangeType::MemoryMigrate,
                "",
                merge(&json!({ "type": "RELATIONAL", "size": "8Gi", "storageClass": "fast-ssd" })),
                "omega-gent",
                "The ledger outgrows its volume within days. The copy on fast-ssd is ready, the switch takes 40 seconds.",
            )
        },
        "n-gent-style" => Ask {
            more: json!({ "urgency": "LOW", "tests": { "added": 3, "removed": 0 } }),
            ..plain(
                "n-gent-style",
                ChangeType::CodePatch,
                "n-gent",
                merge(
                    &json!({ "instructions": "Tell what happened in one sentence, so that somebody who slept through it can laugh about it." }),
                ),
                "n-gent",
                "Nobody reads the second sentence.",
            )
        },
        "b-gent-1-4-3" => plain(
            "b-gent-1-4-3",
            ChangeType::AgentUpgrade,
            "b-gent",
            json!({ "type": "json", "content": [
                { "op": "test", "path": "/spec/image", "value": "ghcr.io/kgents/b-gent:1.4.2" },
                { "op": "replace", "path": "/spec/image", "value": "ghcr.io/kgents/b-gent:1.4.3" },
            ] }),
            "omega-gent",
            "1.4.3 rounds half cents as the bank does.",
        ),
        "d-gent-notes" => Ask {
            more: json!({ "urgency": "LOW", "tests": { "added": 6, "removed": 0 } }),
            ..plain(
                "d-gent-notes",
                ChangeType::CodePatch,
                "d-gent",
                merge(
                    &json!({ "instructions": "Keep the state of everybody. Never answer from memory what the volume can answer, and say which volume it was." }),
                ),
                "d-gent",
                "Two volumes for a week: an answer should name its own.",
            )
        },
        "q-gent-memory" => Ask {
            more: json!({ "urgency": "HIGH", "evidence": { "kills": 2, "limit": "256Mi", "row": 418_000 } }),
            ..plain(
                "q-gent-memory",
                ChangeType::ConfigUpdate,
                "q-gent",
                merge(&json!({ "resources": { "memory": "2Gi" } })),
                "omega-gent",
                "q-gent is killed at 256 MiB. With 2 GiB the quarter fits before the payouts.",
            )
        },
        "k-gent-budget" => Ask {
            more: json!({ "ttlSeconds": 3_600, "evidence": { "spent": 6_400, "of": 10_000, "waiting": 40 } }),
            ..plain(
                "k-gent-budget",
                ChangeType::ConfigUpdate,
                "k-gent",
                merge(&json!({ "budget": { "tokens": 20_000 } })),
                "k-gent",
                "Raise my budget to 20,000 until the payouts are out: 40 merchants want an answer before the payouts.",
            )
        },
        "q-gent-slice" => Ask {
            more: json!({
                "urgency": "HIGH",
                "tests": { "added": 14, "removed": 0 },
                "evidence": { "note": 2231, "peak": "148 MiB", "limit": "256 MiB" },
            }),
            ..plain(
                "q-gent-slice",
                ChangeType::ConfigUpdate,
                "q-gent",
                json!({ "type": "json", "content": [
                    { "op": "test", "path": "/spec/config/SLICE_ROWS", "value": "" },
                    { "op": "replace", "path": "/spec/config/SLICE_ROWS", "value": "50000" },
                ] }),
                "l-gent",
                "An empty SLICE_ROWS is read as no limit since 1.4.0. With 50,000 rows a slice q-gent peaks at 148 MiB.",
            )
        },
        "billing-deploy" => plain(
            "billing-deploy",
            ChangeType::AgentDeploy,
            "billing",
            apply(
                Kind::Agent,
                "billing",
                &json!({ "genus": "B", "image": "ghcr.io/kgents/billing:1.5.0", "replicas": 2, "memory": "billing-memory" }),
            ),
            "omega-gent",
            "The new biller writes invoices in nine languages; the old one stops at four.",
        ),
        "k-gent-egress" => plain(
            "k-gent-egress",
            ChangeType::ConfigUpdate,
            "k-gent",
            apply(Kind::Agent, "k-gent", &json!({ "networkPolicy": { "allowEgress": true } })),
            "k-gent",
            "Merchants ask for the state of a transfer, and only the bank's sandbox knows it.",
        ),
        _ => return None,
    })
}
