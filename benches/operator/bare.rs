//! The least that can be done: posts what the operator would, and watches
//! nothing.

use kube::Client;

use crate::agents;
use crate::field::{apply, post};

/// Makes an agent and all that is made of one, one after the other.
pub async fn raise(client: Client, namespace: String, i: usize) {
    let agent = post(&client, &namespace, "agents", &agents::agent(i)).await;
    for child in agents::new(&agent) {
        let made = apply(&client, &child).await;
        if agents::has_children(child.child.resource) {
            for inner in agents::new(&made) {
                apply(&client, &inner).await;
            }
        }
    }
}
