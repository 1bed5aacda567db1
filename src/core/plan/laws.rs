//! The laws of plans, in a world in memory.
