//! What an operator would do about an object.

use kgents_store::request::Answer;
use kgents_store::{Key, Kind};

use super::desk::Line;
use super::failure::Failure;
use crate::plan::planned;

/// Reads what it needs to know and plans as the operator does.
pub(super) async fn plan(line: &Line, kind: Kind, key: &Key) -> Result<Answer, Failure> {
    let planned = planned(&line.wire, kind, key, None).await?;
    Ok(Answer::Plan(Box::new(planned.clean())))
}
