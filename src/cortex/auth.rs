//! Who may ask.

use std::hint::black_box;
use std::sync::Arc;

use tonic::Status;
use tonic::codegen::http::HeaderMap;

/// What a caller must show.
#[derive(Clone)]
pub(crate) struct Gate(Option<Arc<str>>);

impl Gate {
    /// A gate that lets those in who show the token; everybody without one.
    pub(crate) fn new(token: Option<&str>) -> Self {
        Self(token.map(Into::into))
    }

    /// Whether these headers open it.
    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), Status> {
        let Some(token) = &self.0 else { return Ok(()) };
        let shown = headers.get("authorization").and_then(|value| value.to_str().ok()).and_then(bearer);
        match shown {
            None => Err(Status::unauthenticated("a token is needed here: send `authorization: Bearer TOKEN`")),
            Some(shown) if same(shown.as_bytes(), token.as_bytes()) => Ok(()),
            Some(_) => Err(Status::unauthenticated("this token is not the one that the Cortex was started with")),
        }
    }
}

/// Whether a token can be sent in a header.
pub(crate) fn is_sendable(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic())
}

fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start_matches(' '))
}

/// Compares in a time that depends on what is shown alone, so that a guess
/// cannot be made byte by byte.
fn same(shown: &[u8], token: &[u8]) -> bool {
    let length = u8::from(shown.len() != token.len());
    let expected = token.iter().copied().cycle();
    let differs = shown.iter().zip(expected).fold(length, |differs, (a, b)| black_box(differs | (a ^ b)));
    differs == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(gate: &Gate, value: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", value.parse().unwrap());
        gate.check(&headers).is_ok()
    }

    #[test]
    fn only_the_whole_token_opens() {
        let gate = Gate::new(Some("secret"));
        assert!(check(&gate, "Bearer secret") && check(&gate, "bearer  secret"));
        for wrong in
            ["Bearer secre", "Bearer secretsecret", "Bearer Secret", "Bearer ", "Bearer", "Basic secret", "secret"]
        {
            assert!(!check(&gate, wrong), "{wrong}");
        }
        assert!(gate.check(&HeaderMap::new()).is_err());
        assert!(Gate::new(None).check(&HeaderMap::new()).is_ok());
    }

    #[test]
    fn a_token_that_no_header_can_hold_is_none() {
        assert!(is_sendable("a-B_9.~+/="));
        for wrong in ["", " ", "two words", "naïve", "line\n"] {
            assert!(!is_sendable(wrong), "{wrong:?}");
        }
    }
}
