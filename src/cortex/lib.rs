//! The daemon that answers over gRPC.
