//! The commands, a file each.

pub(crate) mod agents;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod cortex;
pub(crate) mod crd;
pub(crate) mod describe;
pub(crate) mod dev;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod ghost;
pub(crate) mod man;
pub(crate) mod memories;
pub(crate) mod observe;
pub(crate) mod operator;
pub(crate) mod resource;
pub(crate) mod signal;
pub(crate) mod status;
pub(crate) mod version;
