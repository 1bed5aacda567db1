//! Questions about the API server itself: its clock, what it serves, and what
//! we may do there.

use ::kube::client::Body;
use http::header::{CONTENT_TYPE, DATE};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use serde::{Deserialize, Serialize};

use super::explain::Ask;
use super::wire::{Wire, get};
use crate::error::SourceError;

/// Something that we may be allowed to do.
#[derive(Serialize)]
pub(crate) struct Access<'a> {
    pub group: &'a str,
    pub resource: &'a str,
    pub subresource: &'a str,
    pub verb: &'a str,
    /// `None` for the whole cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<&'a str>,
}

impl Wire {
    /// What the API server's clock shows, to the second.
    pub(crate) async fn date(&self) -> Result<Timestamp, SourceError> {
        let ask = Ask::new("get", "/version");
        let request = get("/version")?.map(Body::from);
        // Whatever it answers has the header.
        let answer = self.answer(&ask, self.client().send(request)).await?;
        let date = answer.headers().get(DATE).and_then(|date| date.to_str().ok());
        let unreadable = |problem: &str| SourceError::Unreadable { what: ask.resource, problem: problem.to_owned() };
        let Some(date) = date else { return Err(unreadable("it does not say when it was given")) };
        DateTimeParser::new().parse_timestamp(date).map_err(|_| unreadable("it says with no date when it was given"))
    }

    /// The plurals of a group that the API server serves in version 1.
    pub(crate) async fn served(&self, group: &str) -> Result<Vec<String>, SourceError> {
        #[derive(Deserialize)]
        struct Resources {
            resources: Vec<Resource>,
        }
        #[derive(Deserialize)]
        struct Resource {
            name: String,
        }
        let ask = Ask::new("get", group);
        let text = self.text(&ask, get(&format!("/apis/{group}/v1"))?).await?;
        let found: Resources = self.read(&ask, &text)?;
        Ok(found.resources.into_iter().map(|resource| resource.name).collect())
    }

    /// Whether we may do something.
    pub(crate) async fn may(&self, access: &Access<'_>) -> Result<bool, SourceError> {
        #[derive(Deserialize)]
        struct Review {
            status: Verdict,
        }
        #[derive(Deserialize)]
        struct Verdict {
            #[serde(default)]
            allowed: bool,
        }
        let ask = Ask::new("create", "selfsubjectaccessreviews.authorization.k8s.io");
        let review = serde_json::json!({
            "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
            "spec": { "resourceAttributes": access },
        });
        let request = http::Request::post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews")
            .header(CONTENT_TYPE, "application/json")
            .body(review.to_string().into_bytes())
            .map_err(|error| SourceError::Invalid { message: error.to_string() })?;
        let text = self.text(&ask, request).await?;
        self.read::<Review>(&ask, &text).map(|review| review.status.allowed)
    }
}
