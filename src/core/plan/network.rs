//! Who may reach whom, by the policies that are made.
