//! The rights that the operator needs, from one table.
