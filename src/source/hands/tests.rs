//! Requests against servers that misbehave.
