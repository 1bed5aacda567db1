//! The pure heart: every number and every order that operator, CLI, window
//! and Cortex share. No IO, no clock: time comes in as an argument.
//!
//! All functions here are total. Whatever the floats (NaN, infinite), the
//! timestamps (jiff's first to its last) and the durations are, they neither
//! panic nor answer with something that is no number.

pub mod activity;
pub mod age;
pub mod approval;
pub mod attention;
pub mod decay;
pub mod freshness;
pub mod patch;
pub mod plan;
pub mod quantity;
pub mod risk;
pub mod selector;
#[cfg(test)]
mod testing;

/// Forces a figure into 0..=1. What is no number counts as 0.
pub(crate) fn unit(figure: f64) -> f64 {
    if figure.is_nan() { 0.0 } else { figure.clamp(0.0, 1.0) }
}
