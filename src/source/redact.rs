//! Secrets taken out of text that people show to others.
//!
//! Better a word too many than a secret: what only looks like one goes too.

use std::borrow::Cow;

/// What stands where a secret stood.
pub const MARK: &str = "(redacted)";
/// Parts of the names of things that are secret.
const SECRETS: [&str; 10] =
    ["token", "passw", "pwd", "secret", "credential", "apikey", "api-key", "api_key", "private-key", "bearer"];
/// Names of things that hold such a part and are none.
const PLACES: [&str; 5] = ["file", "path", "dir", "url", "name"];
/// How long a word of letters and digits is that nobody typed.
const LONG: usize = 32;
/// How JSON web tokens and PEM in base64 begin.
const BEGINNINGS: [&str; 2] = ["eyJ", "LS0t"];

/// A URL, or a text that holds some, without names and passwords of users.
pub fn userinfo(text: &str) -> Cow<'_, str> {
    let Some((before, rest)) = text.split_once("://") else { return Cow::Borrowed(text) };
    let end = rest.find(|c: char| c.is_whitespace() || "\"'`”’<>".contains(c)).unwrap_or(rest.len());
    let (url, after) = rest.split_at(end);
    // The last one: a password that was not encoded may hold others.
    let host = url.rsplit_once('@').map(|(_, host)| host);
    let after = userinfo(after);
    match host {
        Some(host) => Cow::Owned(format!("{before}://{MARK}@{host}{after}")),
        None => match after {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            Cow::Owned(after) => Cow::Owned(format!("{before}://{url}{after}")),
        },
    }
}

/// A text without what looks like a secret: users in URLs, the values of flags
/// and variables with telling names, tokens, keys and certificates.
pub fn text(text: &str) -> String {
    let text = userinfo(text);
    let text = pem(&text);
    let mut out = String::with_capacity(text.len());
    let mut state = Next::Anything;
    for piece in text.split_inclusive(char::is_whitespace) {
        let word = piece.trim_end();
        let space = piece.get(word.len()..).unwrap_or_default();
        let (said, next) = self::word(word, state);
        // Several spaces in a row are words without letters.
        state = if word.is_empty() { state } else { next };
        out.push_str(&said);
        out.push_str(space);
    }
    out
}

/// What may follow.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Anything,
    /// The value of a flag that is secret.
    Secret,
    /// Perhaps a secret, after a colon or the like.
    Perhaps,
}

fn word(word: &str, state: Next) -> (Cow<'_, str>, Next) {
    let quotes = |c: char| "\"'`(){}[],;".contains(c);
    let bare = word.trim_matches(quotes);
    let start = word.find(bare).unwrap_or(0);
    let (before, rest) = word.split_at(start);
    let after = rest.get(bare.len()..).unwrap_or_default();
    let instead = |bare: &str| Cow::Owned(format!("{before}{bare}{after}"));
    if bare.is_empty() {
        return (Cow::Borrowed(word), state);
    }
    let is_flag = bare.starts_with('-');
    if state == Next::Secret && !is_flag || state == Next::Perhaps && looks_typed_by_nobody(bare) {
        return (instead(MARK), Next::Anything);
    }
    for sign in ['=', ':'] {
        if let Some((name, value)) = bare.split_once(sign)
            && is_secret(name)
            && !value.is_empty()
            && (sign == '=' || value.starts_with(['"', '\'']) || looks_typed_by_nobody(value))
        {
            return (instead(&format!("{name}{sign}{MARK}")), Next::Anything);
        }
    }
    if is_random(bare) || bare.rsplit(['=', ':']).next().is_some_and(|value| value != bare && is_random(value)) {
        return (instead(MARK), Next::Anything);
    }
    let name = bare.trim_end_matches([':', '=', '"', '\'']);
    let next = match () {
        () if is_flag && is_secret(name) && !bare.contains('=') => Next::Secret,
        () if is_secret(name) => Next::Perhaps,
        () => Next::Anything,
    };
    (Cow::Borrowed(word), next)
}

/// Whether a thing of this name is secret.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    // `token_file` is the place of one.
    SECRETS.iter().any(|part| name.contains(part)) && !PLACES.iter().any(|place| name.ends_with(place))
}

/// Whether a word is a token or the like: nobody ever typed it.
fn is_random(word: &str) -> bool {
    let beginning = BEGINNINGS.iter().any(|beginning| word.starts_with(beginning));
    let has = |test: fn(&u8) -> bool| word.bytes().any(|byte| test(&byte));
    let mixed = has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit);
    let plain = |also: &[u8]| word.bytes().all(|byte| byte.is_ascii_alphanumeric() || also.contains(&byte));
    // Paths and hosts are long as well, so dots and slashes only after a beginning.
    (beginning && word.len() >= LONG / 2 && plain(b"+/=_-.")) || (mixed && word.len() >= LONG && plain(b"+=_-"))
}

/// Whether a word that stands where a secret may stand is one.
fn looks_typed_by_nobody(word: &str) -> bool {
    let digits = word.bytes().any(|byte| byte.is_ascii_digit());
    word.len() >= 6 && digits && !word.starts_with(['/', '~', '.']) && !word.contains("://") || is_random(word)
}

/// A text without blocks of PEM.
fn pem(text: &str) -> Cow<'_, str> {
    let (begin, end) = ("-----BEGIN", "-----END");
    let Some((before, rest)) = text.split_once(begin) else { return Cow::Borrowed(text) };
    let after = match rest.split_once(end) {
        Some((_, tail)) => tail.split_once("-----").map_or("", |(_, after)| after),
        // It was cut: what follows is all of it.
        None => "",
    };
    Cow::Owned(format!("{before}{MARK}{}", pem(after)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_and_what_is_around_them_stays() {
        let jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2ln";
        for (given, expected) in [
            ("https://ann:pa/s@s@h.example:6443/x is down", "https://(redacted)@h.example:6443/x is down"),
            ("`get --token s3cret -v` failed", "`get --token (redacted) -v` failed"),
            ("--client-secret=s3cret --x=1", "--client-secret=(redacted) --x=1"),
            ("sh -c 'PASSWORD=hunter2 run'", "sh -c 'PASSWORD=(redacted) run'"),
            ("token: abc123def", "token: (redacted)"),
            ("{\"token\":\"s3cret\"}", "{\"token\":(redacted)\"}"),
            (&format!("Authorization: Bearer {jwt}"), "Authorization: Bearer (redacted)"),
            (&format!("x {jwt} y"), "x (redacted) y"),
            ("data LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t", "data (redacted)"),
            ("key ABCDEFabcdef0123456789ABCDEFabcdef", "key (redacted)"),
            ("a -----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY----- b", "a (redacted) b"),
            ("a -----BEGIN PRIVATE KEY----- AAAA", "a (redacted)"),
        ] {
            assert_eq!(text(given), expected, "{given}");
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        for given in [
            "https://ABCDEF0123456789abcdef0123456789.gr7.eu-west-1.eks.amazonaws.com did not answer within 700ms",
            "the kubeconfig /home/Ann1/.kube/a-very-long-name-of-a-Config-2026 cannot be used: line 3, column 5",
            "arn:aws:eks:eu-central-1:123456789012:cluster/garden",
            "kubectl auth can-i list agents.kgents.io -n it12-a-very-long-namespace --context here",
            "aws eks get-token --cluster-name garden --region eu-west-1",
            "cortex.token_file: /etc/kgents/token: No such file or directory (os error 2)",
            "refuses the token: it is wrong",
            "the Ghost in /tmp/.tmpAbC123/.kgents/ghost remembers nothing",
            "unix:/run/user/1000/kgents/cortex.sock  or  127.0.0.1:50051",
            "",
        ] {
            assert_eq!(text(given), given);
        }
    }
}
