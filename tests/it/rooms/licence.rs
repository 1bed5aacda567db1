//! SPDX licence expressions, as far as crates write them.
//!
//! ```text
//! either = both ("OR" | "/") both …
//! both   = one "AND" one …
//! one    = "(" either ")" | NAME ["WITH" EXCEPTION]
//! ```

use crate::support::case::{Case, cases};

/// The tests of this module.
pub fn cases() -> Vec<Case> {
    cases![an_expression_is_judged_as_spdx_means_it, an_expression_that_is_none_says_why]
}

/// Whether the expression can be satisfied by licences of the list alone.
///
/// # Errors
/// When it is no expression, with what is wrong.
pub fn is_allowed(expression: &str, list: &[&str]) -> Result<bool, String> {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let mut reader = Reader { words: spaced.split_whitespace().collect(), at: 0, list };
    let allowed = reader.either()?;
    match reader.peek() {
        None => Ok(allowed),
        Some(word) => Err(format!("{word} was not expected")),
    }
}

struct Reader<'a> {
    words: Vec<&'a str>,
    at: usize,
    list: &'a [&'a str],
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.words.get(self.at).copied()
    }

    fn next(&mut self) -> Option<&'a str> {
        let word = self.peek();
        self.at += 1;
        word
    }

    /// Whether the next word is this one; then it is taken.
    fn take(&mut self, word: &str) -> bool {
        let is = self.peek() == Some(word);
        self.at += usize::from(is);
        is
    }

    fn either(&mut self) -> Result<bool, String> {
        let mut allowed = self.both()?;
        while self.take("OR") {
            allowed |= self.both()?;
        }
        Ok(allowed)
    }

    fn both(&mut self) -> Result<bool, String> {
        let mut allowed = self.one()?;
        while self.take("AND") {
            allowed &= self.one()?;
        }
        Ok(allowed)
    }

    fn one(&mut self) -> Result<bool, String> {
        if self.take("(") {
            let allowed = self.either()?;
            return if self.take(")") { Ok(allowed) } else { Err("a ( is not closed".to_owned()) };
        }
        let name = self.name()?;
        // An exception only adds to what a licence allows, but the list says
        // which were looked at.
        let name = if self.take("WITH") { format!("{name} WITH {}", self.name()?) } else { name.to_owned() };
        Ok(self.list.contains(&name.as_str()))
    }

    fn name(&mut self) -> Result<&'a str, String> {
        match self.next() {
            None => Err("it ends where a licence was expected".to_owned()),
            Some(word @ ("(" | ")" | "OR" | "AND" | "WITH")) => {
                Err(format!("{word} stands where a licence was expected"))
            }
            Some(name) => Ok(name),
        }
    }
}

fn an_expression_is_judged_as_spdx_means_it() {
    let list = ["MIT", "ISC", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"];
    for (expression, expected) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("MIT OR GPL-3.0", true),
        ("GPL-3.0/MIT", true),
        ("MIT AND GPL-3.0", false),
        ("MIT AND ISC", true),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("MIT WITH LLVM-exception", false),
        ("GPL-3.0 OR MIT AND ISC", true),
        ("MIT OR ISC AND GPL-3.0", true),
        ("(MIT OR ISC) AND GPL-3.0", false),
        ("(MIT OR GPL-3.0) AND (GPL-3.0 OR ISC)", true),
        ("((MIT))", true),
        ("mit", false),
    ] {
        assert_eq!(is_allowed(expression, &list), Ok(expected), "{expression}");
    }
}

fn an_expression_that_is_none_says_why() {
    for (expression, expected) in [
        ("", "it ends"),
        ("MIT OR", "it ends"),
        ("OR MIT", "OR stands"),
        ("(MIT", "not closed"),
        ("MIT)", ") was not expected"),
        ("MIT ISC", "ISC was not expected"),
        ("no licence", "licence was not expected"),
        ("MIT WITH", "it ends"),
    ] {
        let error = is_allowed(expression, &["MIT"]).expect_err(expression);
        assert!(error.contains(expected), "{expression}: {error}");
    }
}
